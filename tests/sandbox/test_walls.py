"""The walls of a sandbox, tried from inside a real one."""

from __future__ import annotations

import os
import sys

import pytest

from tests.sandbox.conftest import Lab
from tests.settings import IMAGES

SHOWN = [str((IMAGES / "python").resolve()), sys.base_prefix]
"""Where the image's Python is: it may lie in somebody's home."""

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.asyncio(loop_scope="module")]

TRY = """
def attempt(action):
    try: return repr(action())
    except OSError as error: return type(error).__name__
"""


async def probe(lab: Lab, code: str) -> str:
    inside = await lab.kernel(await lab.start())
    return await inside.run(TRY + code)


async def test_it_has_no_privilege(lab: Lab):
    said = await probe(lab, "print(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Uid"].split() == ["1000"] * 4


async def test_the_root_is_read_only_and_bare(lab: Lab):
    said = await probe(
        lab,
        "import os\n"
        "for path in '/', '/usr', '/etc', '/dev', '/proc/sys/kernel', '/var':\n"
        "    print(attempt(lambda: open(path + '/x', 'w')))\n"
        "print(attempt(lambda: open('/etc/shadow')))\n"
        f"for top, below, _ in os.walk('/home'): print(top); top in {SHOWN} and below.clear()",
    )
    assert said.count("OSError") + said.count("PermissionError") + said.count("FileNotFoundError") == 7, said
    homes = [line for line in said.splitlines() if line.startswith("/home/") and not line.startswith("/home/work")]
    assert all(any(f"{shown}/".startswith(f"{home}/") for shown in SHOWN) for home in homes), "only the way to Python"


async def test_it_sees_only_its_own_processes_and_loopback(lab: Lab):
    said = await probe(
        lab,
        "import os, socket\n"
        "pids = sorted(int(name) for name in os.listdir('/proc') if name.isdigit())\n"
        "print(pids[0], len(pids) < 6)\n"
        "print([name for _, name in socket.if_nameindex()])\n"
        "for host in '10.0.0.1', '169.254.169.254':\n"
        "    print(attempt(lambda: socket.create_connection((host, 80), 2)))",
    )
    assert said.splitlines() == ["1 True", "['lo']", "OSError", "OSError"]


async def test_neighbours_cannot_meet(lab: Lab):
    one, two = await lab.kernel(await lab.start()), await lab.kernel(await lab.start())
    await one.run("import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0meet'); s.listen()")
    await one.run("open('/dev/shm/meet', 'w').write('x'); open('/tmp/meet', 'w').write('x')")
    said = await two.run(
        TRY + "import os, socket\nprint(attempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0meet')), "
        "os.listdir('/dev/shm'), os.path.exists('/tmp/meet'))"
    )
    assert said == "ConnectionRefusedError [] False\n"


async def test_dangerous_calls_are_refused(lab: Lab):
    calls = "unshare 272 mount 165 ptrace 101 bpf 321 io_uring_setup 425 keyctl 250 userfaultfd 323 setns 308 perf 298"
    said = await probe(
        lab,
        "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"for number in {[int(n) for n in calls.split()[1::2]]}:\n"
        "    result = libc.syscall(number, 0x10000000, 0, 0, 0, 0)\n"
        "    print(result, errno.errorcode[ctypes.get_errno()])",
    )
    if os.uname().machine != "x86_64":
        pytest.skip("numbers of x86_64")
    assert said.splitlines() == ["-1 EPERM"] * 9


async def test_32_bit_entry_kills_the_process(lab: Lab):
    if os.uname().machine != "x86_64":
        pytest.skip("an entry of x86_64")
    child = (
        "import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\n"
        "m.write(bytes.fromhex('b814000000cd80c3'))\n"  # mov eax, 20 (getpid); int 0x80; ret
        "ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))(); print('survived')"
    )
    said = await probe(
        lab, f"import subprocess, sys; print(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    )
    assert said == "-31\n"  # SIGSYS


async def test_the_runner_cannot_be_killed_stopped_or_read(lab: Lab):
    said = await probe(
        lab,
        "import os, signal\n"
        "for number in signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM: print(attempt(lambda: os.kill(1, number)))\n"
        "for name in 'mem', 'environ', 'maps': print(attempt(lambda: open(f'/proc/1/{name}', 'rb').read()))\n"
        "print(attempt(lambda: os.listdir('/proc/1/fd')))",
    )
    assert said == "PermissionError\n" * 7


async def test_no_secret_of_the_service_is_inside(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    said = await probe(lab, "import os; print(sorted(os.environ)); print(open('/proc/1/cmdline').read())")
    assert "SECRET" not in said
    assert "DATABASE" not in said
    assert "PYTHONPATH" not in said


async def test_two_sandboxes_draw_different_numbers(lab: Lab):
    code = (
        "import random, uuid, numpy\n"
        "print(random.random(), uuid.uuid4(), numpy.random.random(), numpy.random.default_rng().random())"
    )
    one = await (await lab.kernel(await lab.start())).run(code)
    two = await (await lab.kernel(await lab.start())).run(code)
    assert len(set(one.split()) | set(two.split())) == 8


async def test_a_users_own_module_called_sandbox_imports(lab: Lab):
    project = lab.folder / "project"
    project.mkdir()
    (project / "sandbox.py").write_text("mine = 1\n")
    inside = await lab.kernel(await lab.start(project=project))
    assert await inside.run("import sandbox; print(sandbox.mine)") == "1\n"


async def test_a_symlink_in_the_project_leads_nowhere_outside(lab: Lab):
    project = lab.folder / "project"
    project.mkdir()
    secret = lab.folder / "secret"
    secret.write_text("host")
    (project / "link").symlink_to(secret)
    inside = await lab.kernel(await lab.start(project=project))
    assert "FileNotFoundError" in await inside.run("open('link').read()")


async def test_the_image_keeps_its_promises(lab: Lab):
    project = lab.folder / "project"
    project.mkdir()
    (project / "selftest.py").write_text((lab.image.directory / "selftest.py").read_text())
    inside = await lab.kernel(await lab.start(project=project))
    said = await inside.run(
        "import subprocess, sys; print(subprocess.run([sys.executable, 'selftest.py'], capture_output=True, text=True))"
    )
    assert "stdout='ok\\n'" in said, said
