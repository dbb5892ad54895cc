"""The notifier: answers, in the jail, the system calls of the sandbox that its policy asks about.

The kernel holds a caller until it is answered (seccomp_unotify(2)). If the jail dies, so does the
listener: what was waiting and what asks later fails with ``ENOSYS``, and the sandbox ends anyway.

Whoever floods us only waits longer: we spend at most a part of a core on answering, so that the accounts
are read in time and the host does not pay for it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.jail import linux
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.loop import Loop, Timer
from sandbox.policy import Policy
from sandbox.policy.judge import judge
from sandbox.policy.rules import Verdict
from sandbox.policy.syscalls import NUMBERS

SHARE = 0.2
"""Of one core: what answering may cost in the long run, in CPU seconds per second."""
BURST = 0.1
"""CPU seconds that may be spent at once after a quiet time."""
_BATCH = 32
_BROKEN = Verdict(reason="broken")
_NAMES = {number: name for name, number in NUMBERS.get(platform.machine(), {}).items()}

Refusals = Counter[tuple[str, str]]
"""How often each call was refused for each reason, since the sandbox began."""


def as_list(refusals: Iterable[tuple[tuple[str, str], int]]) -> list[tuple[str, str, int]]:
    """As JSON: call, reason, count."""
    return [(call, reason, count) for (call, reason), count in refusals]


class LiveFacts:
    """The facts of a sandbox (:class:`sandbox.policy.rules.Facts`), read from its cgroup and from proc(5)."""

    def __init__(
        self, cgroup: Cgroup, runner: int, most_tasks: int, most_processes: int, sysinfo: Callable[[], bytes]
    ) -> None:
        self.most_tasks, self.most_processes, self._sysinfo = most_tasks, most_processes, sysinfo
        self._runner = Path(f"/proc/{runner}/task")
        self._tasks = os.open(cgroup.paths["pids"] / "pids.current", os.O_RDONLY | os.O_CLOEXEC)
        self._cgroup = cgroup
        self.waits = 0  # the interpreter that waits for programs (see sandbox.runner.warm), 0 for none

    @property
    def tasks(self) -> int:
        return int(os.pread(self._tasks, 32, 0))

    @property
    def processes(self) -> int:
        return len(self._cgroup.processes())

    @property
    def sysinfo(self) -> bytes:
        return self._sysinfo()

    @property
    def runner(self) -> frozenset[int]:
        statuses = (status.read_text() for status in self._runner.glob("*/status"))
        return frozenset(_field(status, "NSpid") for status in statuses) | ({self.waits} - {0})

    @property
    def runner_threads(self) -> frozenset[int]:
        return frozenset(int(thread.name) for thread in self._runner.iterdir())

    def close(self) -> None:
        os.close(self._tasks)


class Notifier:
    """Answers what arrives on ``listener`` by ``policy``. Owns the descriptor."""

    def __init__(self, loop: Loop, listener: int, policy: Policy, facts: LiveFacts) -> None:
        self.refusals: Refusals = Counter()
        self._loop, self._listener, self._policy, self._facts = loop, listener, policy, facts
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)
        self._credit, self._credited = BURST, time.monotonic()
        self._later: Timer | None = None

    def open(self) -> None:
        """Answer from now on."""
        self._loop.on_readable(self._listener, self._readable)

    def close(self) -> None:
        """Answer no more. Idempotent."""
        if self._listener < 0:
            return
        self._loop.forget(self._listener)
        if self._later:
            self._loop.cancel(self._later)
        os.close(self._listener)
        self._listener = -1
        self._facts.close()

    # Inside

    def _readable(self) -> None:
        began = time.thread_time()
        for _ in range(_BATCH):
            ready = self._poll.poll(0)
            if not ready:
                break
            if not ready[0][1] & select.POLLIN:  # hung up: no process is left that could ask
                self.close()
                return
            self._answer_one()
        self._spend(time.thread_time() - began)

    def _spend(self, seconds: float) -> None:
        """Pay for an answer; in debt, let those who ask wait until it is paid."""
        now = time.monotonic()
        self._credit = min(BURST, self._credit + (now - self._credited) * SHARE) - seconds
        self._credited = now
        if self._credit < 0:
            self._loop.forget(self._listener)
            self._later = self._loop.after(-self._credit / SHARE, self.open)

    def _answer_one(self) -> None:
        try:
            asked = linux.seccomp_receive(self._listener)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):  # the caller died, or was interrupted and asks again
                return
            raise
        name = _NAMES.get(asked.number, str(asked.number))
        verdict = self._judge(name, asked)
        if verdict.kill:
            self._kill(asked)
        try:
            if self._written(asked, verdict):
                linux.seccomp_succeed(self._listener, asked.id)
            else:
                linux.seccomp_answer(self._listener, asked.id, 0 if verdict.allow else verdict.errno or errno.EPERM)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            if not verdict.kill:
                return  # it is gone, and what it asked for did not happen: nothing to count
        if not verdict.allow:
            self._count(name, verdict.reason)

    def _judge(self, name: str, asked: linux.SeccompNotification) -> Verdict:
        try:
            return judge(self._policy, name, asked.arguments, asked.thread, self._facts)
        except Exception:  # whatever a rule does, its caller gets an answer, and the answer is no
            traceback.print_exc()
            return _BROKEN

    def _written(self, asked: linux.SeccompNotification, verdict: Verdict) -> bool:
        """Whether the answer lies in the caller's memory."""
        data = verdict.written
        return data is not None and linux.seccomp_write(self._listener, asked, asked.arguments[0], data)

    def _count(self, name: str, reason: str) -> None:
        self.refusals[name, reason] += 1
        if self.refusals[name, reason] == 1:  # the log need not grow with the counts
            sys.stderr.write(f"refused: {name} ({reason})\n")

    def _kill(self, asked: linux.SeccompNotification) -> None:
        """End the caller's process, by a descriptor that was opened while it was certainly still that one."""
        with contextlib.suppress(OSError):  # it has just died by itself
            process = _field(Path(f"/proc/{asked.thread}/status").read_text(), "Tgid")
            pidfd = os.pidfd_open(process)
            try:
                if linux.seccomp_still_waits(self._listener, asked.id):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            finally:
                os.close(pidfd)


def _field(status: str, name: str) -> int:
    """The last number of a line of proc(5) ``status``: of NSpid, the innermost namespace's."""
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[-1])
