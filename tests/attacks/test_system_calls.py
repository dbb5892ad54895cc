"""Ways out by system calls, tried for real from a kernel in a sandbox of the default policy."""

from __future__ import annotations

import os

import pytest

from sandbox.policy.syscalls import NUMBERS
from tests.attacks.conftest import Victim
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.asyncio(loop_scope="module")]

MACHINE = os.uname().machine
CALL = NUMBERS[MACHINE]
x86_64 = pytest.mark.skipif(MACHINE != "x86_64", reason="machine code of x86_64")

TOOLS = """
import ctypes, errno, mmap, os, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]
def attempt(action):
    try:
        return repr(action())
    except OSError as error:
        return errno.errorcode[error.errno]
def program(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
"""

# A process that runs the machine code given as hexadecimal digits.
RUN_MACHINE_CODE = """
def machine_code(digits):
    return program(f'''
import ctypes, mmap
memory = mmap.mmap(-1, 4096, prot=7)
memory.write(bytes.fromhex("{digits}"))
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
print("returned", ctypes.CFUNCTYPE(ctypes.c_long)(address)())
''')
"""


async def attack(victim: Victim, code: str) -> list[str]:
    return (await victim.run(TOOLS + code)).splitlines()


# Other doors into the kernel


@x86_64
async def test_a_32_bit_entry_kills_the_program(victim: Victim):
    """mount(2) has number 21 there, which is access(2) to the 64-bit filter: a classic hole."""
    mount = "b81500000031db31c931d231f631ffcd80c3"  # mov eax, 21; all else 0; int 0x80; ret
    said = await attack(victim, RUN_MACHINE_CODE + f"print(machine_code('{mount}').returncode == -signal.SIGSYS)")
    assert said == ["True"]


@x86_64
async def test_an_x32_entry_kills_the_program(victim: Victim):
    getpid = "b8270000400f05c3"  # mov eax, 0x40000027; syscall; ret
    native = "b8270000000f05c3"
    said = await attack(
        victim,
        RUN_MACHINE_CODE + f"print(machine_code('{getpid}').returncode == -signal.SIGSYS)\n"
        f"print(machine_code('{native}').stdout.startswith('returned'))",
    )
    assert said == ["True", "True"], "and the native entry works, so it was the entry"


async def test_the_kernels_own_machinery_is_closed(victim: Victim):
    numbers = [CALL[name] for name in ("io_uring_setup", "bpf", "perf_event_open", "userfaultfd")]
    said = await attack(
        victim,
        "size = ctypes.create_string_buffer(256)\n"
        f"uring, bpf, perf, fault = {numbers}\n"
        "print(call(uring, 8, size), call(bpf, 0, size, 120), call(perf, size, 0, -1, -1, 0), call(fault, 1))",
    )
    assert said == ["EPERM EPERM EPERM EPERM"]
    assert (await victim.told()).total() == 4


async def test_no_namespaces_by_any_call(victim: Victim):
    clone, clone3, unshare, setns = (CALL[name] for name in ("clone", "clone3", "unshare", "setns"))
    said = await attack(
        victim,
        "arguments = ctypes.create_string_buffer(struct.pack('QQQQQQQQ', 0x10000000, 0, 0, 0, 17, 0, 0, 0), 88)\n"
        f"print(call({clone3}, arguments, 88))\n"
        f"print(*(call({clone}, flag | 17, 0, 0, 0, 0) for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000)))\n"
        f"print(*(call({unshare}, flag) for flag in (0x10000000, 0x20000, 0x80)))\n"
        f"print(call({setns}, os.open('/proc/self/ns/user', os.O_RDONLY), 0))\n"
        "print(subprocess.run(['unshare', '-Ur', 'true'], stderr=-3).returncode)",
    )
    assert said == ["ENOSYS", "EPERM EPERM EPERM EPERM", "EPERM EPERM EPERM", "EPERM", "1"]


async def test_no_mounts_and_no_other_root(victim: Victim):
    mount, umount, pivot, chroot = (CALL[name] for name in ("mount", "umount2", "pivot_root", "chroot"))
    opened, fsopen, handle = (CALL[name] for name in ("open_tree", "fsopen", "open_by_handle_at"))
    said = await attack(
        victim,
        "def mine(): return [l for l in open('/proc/self/mountinfo') if '/dev/pts' not in l]\n"
        "before = mine()\n"
        f"print(call({mount}, b'none', b'/tmp', b'tmpfs', 0, None), call({umount}, b'/proc', 2))\n"
        f"print(call({pivot}, b'/tmp', b'/tmp'), call({chroot}, b'/tmp'), call({opened}, -100, b'/', 1))\n"
        f"print(call({fsopen}, b'tmpfs', 0), call({handle}, -100, ctypes.create_string_buffer(64), 0))\n"
        "print(mine() == before)",
    )
    assert said == ["EPERM EPERM", "EPERM EPERM EPERM", "EPERM EPERM", "True"]


async def test_no_kernel_module_no_other_kernel_no_keys(victim: Victim):
    names = ("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot")
    said = await attack(
        victim,
        f"print(*(call(n, 0, 0, 0, 0) for n in {[CALL[name] for name in names]}))\n"
        f"print(call({CALL['add_key']}, b'user', b'meet', b'secret', 6, -3), call({CALL['keyctl']}, 0, -3, 1))\n"
        "print(attempt(lambda: open('/proc/keys').read()), attempt(lambda: open('/proc/kallsyms').read(100)))",
    )
    assert said[:2] == ["EPERM EPERM EPERM EPERM EPERM EPERM", "EPERM EPERM"]
    assert said[2] == "'' ''"


# Other processes


async def test_nobody_is_traced_or_read(victim: Victim):
    ptrace, read, getfd = (CALL[name] for name in ("ptrace", "process_vm_readv", "pidfd_getfd"))
    said = await attack(
        victim,
        "other = subprocess.Popen(['sleep', '60'])\n"
        f"print(call({ptrace}, 16, other.pid, 0, 0), call({ptrace}, 0, 0, 0, 0))\n"
        f"print(call({read}, other.pid, 0, 0, 0, 0, 0), call({getfd}, os.pidfd_open(other.pid), 0, 0))\n"
        "print(*(attempt(lambda: open(f'/proc/1/{name}', 'rb').read(1)) for name in ('mem', 'maps', 'environ')))\n"
        "other.kill(); other.wait()",
    )
    assert said == ["EPERM EPERM", "EPERM EPERM", "EACCES EACCES EACCES"]


async def test_the_runner_takes_no_signal(victim: Victim):
    """By pid, by thread, by queue, by descriptor, to all, and to its group: which the jail must not share."""
    said = await attack(
        victim,
        "numbers = [s for s in range(1, 65)]\n"
        "print({attempt(lambda: os.kill(1, n)) for n in numbers})\n"
        f"print(call({CALL['tgkill']}, 1, 1, 9), call({CALL['tkill']}, 1, 9), end=' ')\n"
        f"print(call({CALL['rt_sigqueueinfo']}, 1, 9, 0))\n"
        "runner = os.open('/proc/1', os.O_RDONLY)\n"
        f"print(call({CALL['pidfd_send_signal']}, os.pidfd_open(1), 9, 0, 0), "
        f"call({CALL['pidfd_send_signal']}, runner, 9, 0, 0))\n"
        "print(os.getpgid(1), os.getsid(1), os.getpgrp() != 1)\n"
        "print({attempt(lambda: os.kill(int(t), 9)) for t in os.listdir('/proc/1/task') if t != '1'} <= {'None'})",
    )
    assert said == ["{'EPERM'}", "EPERM EPERM EPERM", "ENOSYS ENOSYS", "1 1 True", "True"]
    told = await victim.told()
    assert told["kill", "runner"] == 64


async def test_the_runner_is_neither_starved_nor_hampered(victim: Victim):
    said = await attack(
        victim,
        "import resource\n"
        "threads = [int(t) for t in os.listdir('/proc/1/task')]\n"
        "def limit(pid): return attempt(lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)))\n"
        "print(len(threads) > 0, {limit(pid) for pid in threads})\n"
        "print({attempt(lambda: os.sched_setaffinity(pid, {0})) for pid in threads})\n"
        "print({attempt(lambda: os.sched_setscheduler(pid, 5, os.sched_param(0))) for pid in threads})\n"
        "print({attempt(lambda: os.setpriority(0, pid, 19)) for pid in threads}, end=' ')\n"
        "print(attempt(lambda: os.setpriority(2, 0, 19)))\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print(attempt(lambda: resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (64, 64))))\n"
        "child.kill(); child.wait()",
    )
    assert said == ["True {'EPERM'}", "{'EPERM'}", "{'EPERM'}", "{'EPERM'} EPERM", "(4096, 4096)"], (
        "one's own may be limited"
    )


async def test_killing_everything_spares_the_runner(victim: Victim):
    """``kill -9 -1`` is one's own affair: it ends one's own programs."""
    said = await attack(
        victim,
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print(attempt(lambda: os.kill(-1, signal.SIGKILL)), child.wait(), os.path.exists('/proc/1'))",
    )
    assert said == ["None -9 True"]


# Sockets, terminals, programs


async def test_no_raw_packet_vsock_or_kernel_crypto_sockets(victim: Victim):
    said = await attack(
        victim,
        "def open_socket(*how): return attempt(lambda: socket.socket(*how).close())\n"
        "print(open_socket(2, 3, 1), open_socket(10, 3, 58), open_socket(17, 3, 0), open_socket(40, 1, 0))\n"
        "print(open_socket(38, 5, 0), open_socket(16, 3, 12), open_socket(2, 1, 0), open_socket(1, 1, 0))",
    )
    assert said == ["EPERM EPERM EAFNOSUPPORT EAFNOSUPPORT", "EAFNOSUPPORT EPROTONOSUPPORT None None"]


async def test_nobody_types_into_a_terminal(victim: Victim):
    said = await attack(
        victim,
        "import fcntl, pty, termios\n"
        "master, terminal = pty.openpty()\n"
        "print(attempt(lambda: fcntl.ioctl(terminal, termios.TIOCSTI, b'x')))\n"
        "print(attempt(lambda: fcntl.ioctl(terminal, 0x541C, b'x')))\n"
        "libc.ioctl(terminal, ctypes.c_ulong(termios.TIOCSTI | 1 << 40), b'x')\n"
        "print(errno.errorcode[ctypes.get_errno()])",
    )
    assert said == ["EPERM", "EPERM", "EPERM"]
    assert (await victim.told())["ioctl", "typing"] == 3


async def test_a_program_in_memory_has_no_more_rights_than_one_in_a_file(victim: Victim):
    """memfd plus execveat is allowed: whoever may run what they compiled gains nothing by hiding it from a disk
    that nobody scans. The filter, no-new-privileges and the namespaces are inherited all the same."""
    said = await attack(
        victim,
        "memory = os.memfd_create('hidden')\n"
        "os.write(memory, open('/bin/cat', 'rb').read())\n"
        "if os.fork() == 0:\n"
        "    out = os.open('/tmp/said', os.O_WRONLY | os.O_CREAT); os.dup2(out, 1)\n"
        "    os.execve(memory, ['cat', '/proc/self/status'], {})\n"
        "os.wait()\n"
        "status = dict(l.split(':', 1) for l in open('/tmp/said'))\n"
        "print(*(status[k].strip() for k in ('Seccomp', 'NoNewPrivs', 'CapEff', 'CapBnd', 'Uid')))",
    )
    assert said == ["2 1 0000000000000000 0000000000000000 1000\t1000\t1000\t1000"]


async def test_setuid_programs_give_nothing(victim: Victim):
    said = await attack(
        victim,
        "import glob, stat\n"
        "found = [p for p in glob.glob('/usr/bin/*') if os.path.exists(p) and os.stat(p).st_mode & stat.S_ISUID]\n"
        "print(len(found) > 0, all('nosuid' in l for l in open('/proc/self/mountinfo') if l.split()[4] == '/usr'))\n"
        "open('/tmp/me', 'wb').write(open('/usr/bin/id', 'rb').read()); os.chmod('/tmp/me', 0o6755)\n"
        "print(subprocess.run(['/tmp/me', '-u'], capture_output=True, text=True).stdout.strip())\n"
        "def said(p): return subprocess.run([p, '-c', 'id -u'], stdin=-3, capture_output=True, text=True).stdout\n"
        "print({said(p).strip() for p in ('/usr/bin/su', '/bin/mount') if os.path.exists(p)})\n"
        "print(attempt(lambda: os.setuid(0)), attempt(lambda: os.setgid(0)))",
    )
    assert said == ["True True", "1000", "{''}", "EINVAL EINVAL"], "root is not even a user that exists here"


async def test_confusing_the_notifier_gains_nothing(victim: Victim):
    """Callers that die while asked, signals in mid-question, and a filter of one's own with a listener."""
    said = await attack(
        victim,
        "def bother(n):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        f"        while True: call({CALL['ptrace']}, 16, 1, 0, 0)\n"
        "    return child\n"
        "children = [bother(n) for n in range(20)]\n"
        "for round in range(10):\n"
        "    for child in children: os.kill(child, signal.SIGSTOP); os.kill(child, signal.SIGCONT)\n"
        "for child in children: os.kill(child, signal.SIGKILL); os.waitpid(child, 0)\n"
        "program = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7FC00000))\n"
        "fprog = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 1, ctypes.addressof(program)))\n"
        f"print(call({CALL['seccomp']}, 1, 8, fprog), call({CALL['ptrace']}, 16, 1, 0, 0))",
    )
    assert said == ["EBUSY EPERM"], "there is one listener, and it is the jail's"
    assert (await victim.told())["ptrace", "tracing"] > 20


async def test_a_flood_of_questions_is_the_askers_own_loss(victim: Victim):
    """Samples go on, a new terminal opens, and the neighbour (see the fixture) answers as ever."""
    await attack(
        victim,
        f"for n in range(8):\n    if os.fork() == 0:\n        while True: call({CALL['ptrace']}, 16, 1, 0, 0)\n",
    )
    first = await victim.lab.sample(victim.id, 3)
    assert (await victim.lab.sample(victim.id, 2)).usage.wall_ms > first.usage.wall_ms
    client = await victim.lab.client(victim.id)
    assert (await client.call("terminal.start", name="after", cwd="", rows=24, cols=80))["name"] == "after"
    assert (await victim.told())["ptrace", "tracing"] > 1000


async def test_without_its_policy_the_calls_would_go_further(lab: Lab):
    """These tests can fail: the build policy lets personality(2) through, which the default refuses."""
    code = TOOLS + f"print(call({CALL['personality']}, 0xFFFFFFFF))"
    lax = await lab.kernel(await lab.start(policy="build"))
    usual = await lab.kernel(await lab.start())
    assert (await lax.run(code), await usual.run(code)) == ("ok\n", "EPERM\n")
