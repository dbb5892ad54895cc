"""Processes of the runner: started here, reaped here. As pid 1 it also buries everybody else's orphans."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Callable, Collection

RESERVED_TASKS = 16
"""Processes and threads that only the runner may start: to answer and to open a terminal when the table is full.

The cgroup refuses the programs first, which the kernel counts; the jail makes room for the reserve once there are as
many as may be, and from then on it is RLIMIT_NPROC, one above, that keeps the programs out."""

_PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 4, 36
DEFAULT = (
    signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTSTP, signal.SIGINT,
)  # fmt: skip
"""Signals that mean to a program what they always do. SIGXFSZ does not: a full disk is an error, not its end."""
SOONER_KILLED = "500"
"""Of 1000, see proc(5) oom_score_adj."""
_libc = ctypes.CDLL(None)

Ended = Callable[[int], None]
Orphaned = Callable[[int, int, resource.struct_rusage], None]


class Children:
    """Watches children; ``ended(status)`` is called with the exit code, negative for a signal.

    ``orphaned`` hears of everybody else who was buried: pid, exit code, and what they and theirs used.
    """

    def __init__(self) -> None:
        self._watched: dict[int, Ended] = {}
        self.orphaned: set[Orphaned] = set()

    def open(self) -> None:
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                with contextlib.suppress(OSError):  # the listing's own
                    os.set_inheritable(int(name), False)  # what is spawned gets what it is given
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # as pid 1 it is so; elsewhere, in tests, it becomes so
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def watch(self, pid: int, ended: Ended) -> None:
        self._watched[pid] = ended

    def strays(self) -> set[int]:
        """Children that nobody watches: what a step has started, and orphans, whatever group they are in."""
        own = os.getpid()
        pids = map(int, filter(str.isdigit, os.listdir("/proc")))
        return {pid for pid in pids if pid not in self._watched and _parent(pid) == own}

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ended = self._watched.pop(pid, None)
            if ended:
                ended(os.waitstatus_to_exitcode(status))
                continue
            for orphaned in list(self.orphaned):
                orphaned(pid, os.waitstatus_to_exitcode(status), usage)


def _parent(pid: int) -> int:
    """0 where it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group that ``pid`` leads; one that is gone is no error."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def clean_child(keep: Collection[int] = ()) -> None:
    """Make a forked child an ordinary process: no loop, default signals, of descriptors above 2 only ``keep``."""
    asyncio._set_running_loop(None)
    signal.set_wakeup_fd(-1)
    for number in DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a full disk is an error to a program, not its end
    _libc.prctl(_PR_SET_DUMPABLE, 1)  # the runner's memory is not to be read; a child's accounts are
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _give_way()
    low = 3
    for descriptor in sorted(keep):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, min(os.sysconf("SC_OPEN_MAX"), 1 << 20))
    asyncio.set_event_loop(None)


def _give_way() -> None:
    """Leave the reserve to the runner, and be ended before it (and before the host's services) for memory."""
    if (limit := most_tasks()) is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(score, SOONER_KILLED.encode())
    os.close(score)


def most_tasks() -> int | None:
    """How many processes and threads there may be for a program to start another one; None for any number."""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return None if limit == resource.RLIM_INFINITY else max(1, limit - RESERVED_TASKS + 1)
