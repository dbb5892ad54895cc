"""What policies do beside answering calls: limits, programs, and telling the owner, in real sandboxes."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from sandbox.drivers import Driver, Exit, Refused
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.asyncio(loop_scope="module")]

Told = Counter[tuple[str, str]]
PTRACE = "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)"


async def told_until(driver: Driver, id: str, wanted: Told) -> None:
    """Listen anew until the totals are ``wanted``."""
    told: Told = Counter()
    async with asyncio.timeout(60):
        async for event in driver.events(id):
            assert not isinstance(event, Exit), (event, told)
            if isinstance(event, Refused):
                told[event.call, event.reason] = event.count
            if told == wanted:
                return


async def test_refusals_are_told_to_whoever_begins_to_listen(lab: Lab):
    """The session service is killed and comes back: the notifier lives in the jail, and its totals with it."""
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run(f"for _ in range(3): {PTRACE}")
    await told_until(lab.driver, id, Counter({("ptrace", "tracing"): 3}))
    successor = lab.successor()
    await told_until(successor, id, Counter({("ptrace", "tracing"): 3}))
    await inside.run(PTRACE)
    await told_until(successor, id, Counter({("ptrace", "tracing"): 4}))


async def test_the_last_totals_come_before_the_exit(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run(PTRACE)
    await lab.driver.stop(id)
    await lab.end(id)
    events = [event async for event in lab.driver.events(id)]
    assert events[:-1] == [Refused("ptrace", "tracing", 1)]
    assert isinstance(events[-1], Exit)


async def test_a_fork_bomb_is_told(lab: Lab):
    """Counted by the kernel, and by nobody else: nothing asks about a process under the default policy.

    Once the jail has seen that there are as many as may be, it opens the runner's reserve, and what RLIMIT_NPROC
    refuses from then on is not counted.
    """
    id = await lab.start(Slots(memory=256 * MIB, processes=30))
    inside = await lab.kernel(id)
    said = await inside.run(
        "import os, time\nrefused = 0\nfor n in range(100):\n    try:\n        child = os.fork()\n"
        "    except BlockingIOError: refused += 1; continue\n"
        "    if child == 0: time.sleep(99); os._exit(0)\nprint(refused)"
    )
    async with asyncio.timeout(60):
        async for event in lab.driver.events(id):
            if isinstance(event, Refused):
                assert (event.call, event.reason) == ("clone", "processes")
                assert 1 <= event.count <= int(said)
                break
    assert (await lab.sample(id)).notice == "processes_full"


async def test_strict_has_few_processes_and_threads(lab: Lab):
    id = await lab.start(policy="strict")
    inside = await lab.kernel(id)
    await inside.run(
        "import threading, time\ntry:\n    while True: threading.Thread(target=time.sleep, args=(99,)).start()\n"
        "except RuntimeError: pass"
    )
    assert (await lab.sample(id)).usage.processes == 64


async def test_strict_lets_shells_fork_undisturbed(lab: Lab):
    """Were forks asked, some would fail with EINTR: where a signal comes first, as SIGCHLD does in a shell."""
    inside = await lab.kernel(await lab.start(policy="strict"))
    said = await inside.run(
        "import subprocess\n"
        "print({subprocess.run(['sh', '-c', 'echo a | cat | cat | grep a >/dev/null']).returncode for _ in range(50)})"
    )
    assert said == "{0}\n"


async def test_strict_runs_the_images_programs_and_no_others(lab: Lab):
    inside = await lab.kernel(await lab.start(policy="strict"))
    said = await inside.run(
        "import os, shutil, subprocess, sys\n"
        "def run(*command):\n"
        "    try: return subprocess.run(command, capture_output=True, text=True).returncode\n"
        "    except OSError as error: return type(error).__name__\n"
        "for place in '.', os.path.expanduser('~'), '/tmp', '/dev/shm':\n"
        "    shutil.copy('/bin/true', place + '/mine'); os.chmod(place + '/mine', 0o755)\n"
        "    print(run(place + '/mine'), run('/lib64/ld-linux-x86-64.so.2', place + '/mine') not in (0,))\n"
        "print(run('ls'), run('sh', '-c', 'echo hi | grep hi'), run(sys.executable, '-c', 'import numpy'))\n"
        "print([run(p, '--version') for p in ('git', 'gcc', 'perl') if os.path.exists('/usr/bin/' + p)])\n"
        "print(run('/lib64/ld-linux-x86-64.so.2', '/usr/bin/perl', '-v') == 0)\n"
        "print(open('/usr/bin/perl', 'rb').read(4))"
    )
    lines = said.splitlines()
    assert lines[:4] == ["PermissionError True"] * 4, said
    assert lines[4] == "0 0 0", said
    assert set(eval(lines[5])) <= {"PermissionError", "FileNotFoundError"}, said
    assert lines[6:] == ["False", repr(b"\x7fELF")], said


async def test_the_default_policy_lets_people_run_what_they_made(lab: Lab):
    inside = await lab.kernel(await lab.start())
    said = await inside.run(
        "import os, shutil, subprocess\nshutil.copy('/bin/echo', 'mine')\n"
        "print(subprocess.run(['./mine', 'hello'], capture_output=True, text=True).stdout)"
    )
    assert said == "hello\n\n"


@pytest.mark.parametrize(("policy", "open_files", "locked"), [("default", 4096, 65536), ("strict", 1024, 0)])
async def test_limits_are_those_of_the_policy(lab: Lab, policy: str, open_files: int, locked: int):
    slots = Slots(memory=512 * MIB, disk=512 * MIB, processes=200)
    inside = await lab.kernel(await lab.start(slots, policy=policy))
    said = await inside.run(
        "import resource as r\n"
        "print(*(r.getrlimit(what)[1] for what in (r.RLIMIT_NOFILE, r.RLIMIT_MEMLOCK, r.RLIMIT_FSIZE, r.RLIMIT_CORE)))"
    )
    size = 256 * MIB if policy == "strict" else 512 * MIB
    assert said == f"{open_files} {locked} {size} 0\n"
