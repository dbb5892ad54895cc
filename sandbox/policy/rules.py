"""Rules: what answers a system call that is *asked*, in Python, outside the sandbox.

A rule is a function of a :class:`Call` and of those arguments of it that it names as parameters::

    def no_signal_to_the_runner(call: Call, pid: int) -> Verdict: ...

Its parameters are checked against :mod:`sandbox.policy.values` when the policy is made, so a rule cannot
even name memory behind a pointer. It is pure: the same call and the same sandbox, the same verdict.
"""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

# Why something was refused: a stable word, and a sentence for the owner of the session.
REASONS = {
    "namespaces": "A program tried to make namespaces of its own, as containers do.",
    "mounts": "A program tried to mount, unmount or change its root folder.",
    "tracing": "A program tried to trace another one or to read its memory, as debuggers do.",
    "kernel": "A program asked for a part of the kernel that is closed here.",
    "keys": "A program tried to use the kernel's keyrings.",
    "sockets": "A program asked for a kind of network socket that is closed here.",
    "typing": "A program tried to type into a terminal in the user's place.",
    "runner": "A program tried to signal or to change the process that runs this session.",
    "processes": "The session has as many processes and threads as it may have.",
    "programs": "A program tried to start code that is not one of this image's programs.",
    "clock": "A program tried to set the clock or to restart the machine.",
    "broken": "A rule of the policy failed, and what cannot be judged is refused. The operator finds it in the log.",
}


class Facts(Protocol):
    """What a rule may know of its sandbox. Each is read when a rule asks for it."""

    @property
    def tasks(self) -> int:
        """Processes and threads there are now."""

    @property
    def processes(self) -> int:
        """Processes there are now."""

    @property
    def most_tasks(self) -> int: ...

    @property
    def most_processes(self) -> int: ...

    @property
    def sysinfo(self) -> bytes:
        """A packed ``struct sysinfo`` of a machine as large as the sandbox."""

    @property
    def runner(self) -> frozenset[int]:
        """The ids of the runner, its threads and the interpreter that waits for it, as the sandbox numbers them."""

    @property
    def runner_threads(self) -> frozenset[int]:
        """The same, as the host numbers them."""


@dataclass(frozen=True)
class Call:
    """A call that waits for its answer: its name, the calling thread as the host numbers it, its sandbox."""

    name: str
    thread: int
    sandbox: Facts


@dataclass(frozen=True)
class Verdict:
    """``allow`` lets the kernel go on with it; otherwise it fails with ``errno``, and ``kill`` ends the process.

    ``reason`` is a word of :data:`REASONS`. With ``written`` an allowed call is answered in the kernel's place: it
    succeeds, and these bytes lie where its first argument points. Writing there decides nothing, so it is no use to
    change that memory meanwhile; where it cannot be written, the kernel answers.
    """

    allow: bool = False
    errno: int = errno.EPERM
    reason: str = ""
    kill: bool = False
    written: bytes | None = None


# CLONE_NEW{CGROUP,UTS,IPC,USER,PID,NET,NS}. (CLONE_NEWTIME is unshare's only: to clone its bit is a signal's.)
NAMESPACES = 0x7E020000
_CLONE_THREAD = 0x10000

ALLOWED = Verdict(allow=True)
_FULL = Verdict(errno=errno.EAGAIN, reason="processes")
Rule = Callable[..., Verdict]


@cache
def values_of(rule: Rule) -> tuple[str, ...]:
    """The names of the arguments that ``rule`` decides on: its parameters after the call."""
    return tuple(inspect.signature(rule).parameters)[1:]


def refuse(reason: str, code: int = errno.EPERM) -> Rule:
    """Refuse always, and have it counted."""
    verdict = Verdict(errno=code, reason=reason)
    return lambda call: verdict


def kill(reason: str) -> Rule:
    """End the calling process, and have it counted."""
    verdict = Verdict(reason=reason, kill=True)
    return lambda call: verdict


def new_task(call: Call, flags: int) -> Verdict:
    """For ``clone``: no namespaces, and not more processes and threads than there may be."""
    if flags & NAMESPACES:
        return Verdict(reason="namespaces")
    return another_thread(call) if flags & _CLONE_THREAD else another_process(call)


def another_thread(call: Call) -> Verdict:
    """Yes, unless there are as many processes and threads as may be. The cgroup's own limit stands behind it: two
    calls that are judged at the same moment both see the last free place."""
    return ALLOWED if call.sandbox.tasks < call.sandbox.most_tasks else _FULL


def another_process(call: Call) -> Verdict:
    sandbox = call.sandbox
    fewer_processes = sandbox.most_processes < sandbox.most_tasks  # otherwise counting tasks is enough
    if fewer_processes and sandbox.processes >= sandbox.most_processes:
        return _FULL
    return another_thread(call)


def spare_the_runner(call: Call, pid: int) -> Verdict:
    """Whatever is aimed at ``pid``, unless that is the runner or one of its threads, and not the runner asks."""
    sandbox = call.sandbox
    if pid in sandbox.runner and call.thread not in sandbox.runner_threads:
        return Verdict(reason="runner")
    return ALLOWED


def as_granted(call: Call) -> Verdict:
    """For ``sysinfo``: the sandbox's memory and clock, not the host's."""
    return Verdict(allow=True, written=call.sandbox.sysinfo)
