"""The notifier with real seccomp filters, on plain children of this process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.jail import notifier as module
from sandbox.jail.cgroups import parent_groups, sandbox_group
from sandbox.jail.loop import Loop
from sandbox.jail.notifier import BURST, SHARE, LiveFacts, Notifier
from sandbox.policy import Policy
from sandbox.policy.compile import compile_policy
from sandbox.policy.rules import ALLOWED, Call, Rule, Verdict, kill, new_task, refuse
from sandbox.policy.syscalls import NUMBERS
from sandbox.slots import Slots
from tests.sandbox.test_truths import Quiet
from tests.settings import ROOT
from tests.until import until

ASKED = "getppid"  # a call that Python makes when told to, and never by itself
CHILD = """
import ctypes, os, signal, socket, sys, threading, time
from sandbox.jail import linux
channel = socket.socket(fileno=int(sys.argv[1]))
linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
asked = linux.seccomp_filter(bytes.fromhex(sys.argv[2]))
socket.send_fds(channel, [b"A"], [asked])
os.close(asked)
libc = ctypes.CDLL(None, use_errno=True)
def ask():
    return "ok" if libc.syscall(int(sys.argv[3])) > 0 else ctypes.get_errno()
"""


class Facts(Quiet):
    def close(self) -> None: ...


async def turn(loop: Loop) -> None:
    """Turn the jail's loop in between the test's own."""
    while True:
        loop.turn(0)
        await asyncio.sleep(0.001)


@dataclass
class Child:
    """A process whose ``getppid`` is asked, and who answers it."""

    process: subprocess.Popen[bytes]
    notifier: Notifier

    async def said(self) -> str:
        out, _ = await asyncio.to_thread(self.process.communicate)
        return out.decode()


@contextlib.asynccontextmanager
async def child(
    code: str, rule: Rule, opened: bool = True, call: str = ASKED, facts: Any = None
) -> AsyncIterator[Child]:
    machine = os.uname().machine
    policy = Policy("test", frozenset(NUMBERS[machine]) - {call, "clone3"}, asked={call: rule})
    ours, theirs = socket.socketpair()
    with ours, theirs:
        arguments = [str(theirs.fileno()), compile_policy(policy, machine).hex(), str(NUMBERS[machine][ASKED])]
        command = [sys.executable, "-c", CHILD + code, *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, start_new_session=True
        )
        _, (listener,), _, _ = await asyncio.to_thread(socket.recv_fds, ours, 1, 1)
    loop = Loop()
    notifier = Notifier(loop, listener, policy, facts or Facts())  # type: ignore[arg-type]
    if opened:
        notifier.open()
    turning = asyncio.create_task(turn(loop))
    try:
        yield Child(process, notifier)
    finally:
        turning.cancel()
        notifier.close()
        with contextlib.suppress(ProcessLookupError):  # all have ended by themselves
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        assert process.stdout is not None
        process.stdout.close()


async def test_it_allows_and_nothing_is_counted():
    async with child("print([ask() for _ in range(3)])", lambda call: ALLOWED) as one:
        assert await one.said() == "['ok', 'ok', 'ok']\n"
        assert not one.notifier.refusals


async def test_it_refuses_with_an_errno_and_counts():
    async with child("print([ask() for _ in range(3)])", refuse("kernel", errno.EACCES)) as one:
        assert await one.said() == f"{[errno.EACCES] * 3}\n"
        assert one.notifier.refusals == {(ASKED, "kernel"): 3}


async def test_it_kills_the_whole_process_of_the_thread_that_asked():
    code = "threading.Thread(target=ask).start()\ntime.sleep(999)"
    async with child(code, kill("kernel")) as one:
        await one.said()
        assert one.process.returncode == -signal.SIGKILL
        assert one.notifier.refusals == {(ASKED, "kernel"): 1}


async def test_a_rule_that_fails_refuses(capsys: pytest.CaptureFixture[str]):
    def broken(call: Call) -> Verdict:
        raise ZeroDivisionError("a mistake in a rule")

    async with child("print(ask())", broken) as one:
        assert await one.said() == f"{errno.EPERM}\n"
        assert one.notifier.refusals == {(ASKED, "broken"): 1}
    assert "a mistake in a rule" in capsys.readouterr().err


async def test_a_caller_that_died_is_no_refusal_and_the_next_is_answered():
    """The rule itself ends the first caller, while it waits: nobody is there to hear the answer."""
    killed: list[int] = []

    def end_the_first(call: Call) -> Verdict:
        if not killed:
            killed.append(call.thread)
            os.kill(call.thread, signal.SIGKILL)
            while "State:\tZ" not in Path(f"/proc/{call.thread}/status").read_text():
                time.sleep(0.001)
        return Verdict(reason="kernel")

    code = "if os.fork() == 0: ask(); os._exit(0)\ntime.sleep(0.2)\nprint(os.wait()[1], ask(), sep=' ')"
    async with child(code, end_the_first) as one:
        assert await one.said() == f"{signal.SIGKILL.value} {errno.EPERM}\n"
        assert one.notifier.refusals == {(ASKED, "kernel"): 1}


async def test_signals_while_it_waits_lose_no_answer_and_none_comes_twice():
    asked: list[int] = []

    def slow(call: Call) -> Verdict:
        asked.append(call.thread)
        time.sleep(0.002)  # longer than the caller's next signal takes
        return Verdict(errno=errno.EBUSY, reason="kernel")

    code = """
handled = []
signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
answers = [ask() for _ in range(100)]
signal.setitimer(signal.ITIMER_REAL, 0)
print(set(answers), len(handled) > 10)
"""
    async with child(code, slow) as one:
        assert await one.said() == f"{{{errno.EBUSY}}} True\n"
        assert one.notifier.refusals == {(ASKED, "kernel"): 100}, "each counts once, however often it was asked"


FLOOD = """
for _ in range(7):
    if os.fork() == 0: break
while True: ask()
"""


async def test_a_flood_leaves_the_loop_free_and_costs_a_part_of_a_core():
    async with child(FLOOD, refuse("kernel")) as one:
        await until(lambda: one.notifier.refusals.total() > 500, 60)
        began, spent = time.monotonic(), time.thread_time()
        for _ in range(100):  # what reads the accounts gets its turn, again and again
            await asyncio.sleep(0.01)
        elapsed, spent = time.monotonic() - began, time.thread_time() - spent
        assert one.notifier.refusals.total() > 500
        assert spent < BURST + elapsed * (SHARE + 0.3), "CPU time, not the clock: a busy machine only lowers it"
        os.killpg(one.process.pid, 0)


async def test_without_the_share_a_flood_takes_the_core(monkeypatch: pytest.MonkeyPatch):
    """The test above can fail."""
    monkeypatch.setattr(module, "SHARE", 1e9)
    async with child(FLOOD, refuse("kernel")) as one:
        paid = BURST
        await until(lambda: one.notifier.refusals.total() > 5_000, 60)
        assert one.notifier._credit > paid / 2, "never in debt"


COUNT = """
while "/test-" not in open("/proc/self/cgroup").read(): time.sleep(0.01)
def until_refused(make):
    for made in range(100):
        try: make()
        except (OSError, RuntimeError): return made
def process():
    if os.fork() == 0: time.sleep(999); os._exit(0)
def thread():
    threading.Thread(target=time.sleep, args=(999,), daemon=True).start()
print(until_refused(process), until_refused(thread), flush=True)
os.killpg(0, signal.SIGKILL)
"""


@pytest.mark.jail
async def test_a_policy_may_count_processes_apart_from_threads():
    """With the facts of a real cgroup: 10 processes, and 20 processes and threads."""
    cgroup = sandbox_group(f"test-{os.getpid()}", *parent_groups())
    cgroup.create(Slots(), sorted(os.sched_getaffinity(0)))
    facts = LiveFacts(cgroup, os.getpid(), 20, 10, bytes)
    async with child(COUNT, new_task, call="clone", facts=facts) as one:
        for path in set(cgroup.paths.values()):
            (path / "cgroup.procs").write_text(str(one.process.pid))
        assert await one.said() == "9 10\n"
        assert one.notifier.refusals == {("clone", "processes"): 2}
    assert cgroup.remove()


async def test_when_the_jail_is_gone_what_asks_fails():
    async with child("print(ask(), flush=True); print(ask())", lambda call: ALLOWED, opened=False) as one:
        one.notifier.close()
        assert await one.said() == f"{errno.ENOSYS}\n{errno.ENOSYS}\n"


async def test_it_closes_itself_when_nobody_is_left_to_ask():
    async with child("print(ask())", lambda call: ALLOWED) as one:
        await one.said()
        await until(lambda: one.notifier._listener < 0)
