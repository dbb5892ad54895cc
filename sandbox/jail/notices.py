"""What the owner is told of a sandbox's limits while one of them is reached, and the reserve that is open so long."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from sandbox.jail.cgroups import Cgroup
from sandbox.jail.guard import DiskGuard
from sandbox.slots import Slots
from sandbox.usage import Usage

NOTICE_SECONDS = 60.0


class Notices:
    """Of one sandbox, whose readings it is shown one after the other."""

    def __init__(self, cgroup: Cgroup, slots: Slots) -> None:
        self._cgroup, self._slots = cgroup, slots
        self._tasks = 0
        self._reserve = False
        self._kills, self._killed = 0, 0.0
        self._gpu_killed = 0.0

    def after(self, usage: Usage) -> None:
        """Open the runner's reserve of processes while it is needed.

        Raises:
            OSError: the cgroup refused.
        """
        self._tasks = usage.processes
        full = usage.processes >= self._slots.processes
        if full != self._reserve:
            self._cgroup.open_reserve(self._slots, full)
            self._reserve = full

    def end_for_gpu_memory(self, pid: int) -> None:
        """End a process of the sandbox's that has more of a device's memory than was granted."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self._gpu_killed = time.monotonic()

    def now(self, guard: DiskGuard | None) -> tuple[str, str]:
        """A stable word (:data:`sandbox.drivers.NOTICES`) and a sentence, or nothing."""
        if guard is not None and guard.full:
            return guard.notice
        if self._tasks >= self._slots.processes:
            return "processes_full", f"It has {self._tasks} processes and threads, as many as it may."
        kills = self._cgroup.out_of_memory_kills()
        if kills > self._kills:
            self._kills, self._killed = kills, time.monotonic()
        if self._killed and time.monotonic() - self._killed < NOTICE_SECONDS:
            return "memory_full", "Its memory was full, and a program in it was ended."
        if self._gpu_killed and time.monotonic() - self._gpu_killed < NOTICE_SECONDS:
            return "gpu_memory_full", "It used more of the GPU's memory than its share, and a program in it was ended."
        return "", ""
