"""The files that show the slots inside, written by the jail: made before the sandbox, then kept up to date.

They lie in the sandbox's own folder on the host and are bound read-only over ``/proc``. What is written
goes into the same file, in place: a rename would leave the bound one behind. See :mod:`sandbox.jail.seen`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from sandbox.jail import seen
from sandbox.jail.bind import Bind
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import Plan
from sandbox.jail.seen import Load, Readings
from sandbox.usage import Usage

SHOWN = ("cpuinfo", "meminfo", "stat", "loadavg")
"""Of /proc, what speaks of the whole machine."""
_ROUNDED = 256 * 1024  # memory is shown in steps of this: an idle session rewrites nothing


@cache
def host_cpuinfo() -> str:
    """The host's own: a zygote reads it once for all of its forks."""
    return Path("/proc/cpuinfo").read_text()


class Shown:
    """The live files of one sandbox. ``folder`` is where they are made."""

    def __init__(self, folder: Path, memory: int, cores: Sequence[int]) -> None:
        self._memory, self._cores = memory, cores
        self._began = int(time.time())
        self._load = Load()
        self._last = Readings()
        self._texts: dict[str, str] = {}
        folder.mkdir(mode=0o755, exist_ok=True)
        (folder / "cpuinfo").write_text(seen.cpuinfo(host_cpuinfo(), cores))
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        live = [name for name in SHOWN if name != "cpuinfo"]
        self._files = {name: os.open(folder / name, flags, 0o644) for name in live}
        self._write(Readings())

    def update(self, cgroup: Cgroup, usage: Usage) -> None:
        """Write what has changed since the last reading.

        Raises:
            OSError: the accounts could not be read.
        """
        readings, last = cgroup.readings(usage), self._last
        elapsed = readings.seconds - last.seconds
        if elapsed <= 0:
            return
        spent = readings.user_ms + readings.system_ms - last.user_ms - last.system_ms
        self._load = self._load.after(max(0, spent) / 1000 / elapsed, elapsed)
        self._last = seen.after(last, readings, len(self._cores))
        self._write(self._last)

    def sysinfo(self, seconds: float) -> bytes:
        """What sysinfo(2) says inside, ``seconds`` after the sandbox began."""
        return seen.sysinfo(self._memory, replace(self._last, seconds=seconds), self._load)

    def _write(self, readings: Readings) -> None:
        coarse = replace(readings, memory=-(-readings.memory // _ROUNDED) * _ROUNDED)
        texts = {
            "meminfo": seen.meminfo(self._memory, coarse),
            "stat": seen.stat(self._began, self._cores, readings),
            "loadavg": self._load.text(readings.processes),
        }
        for name, text in texts.items():
            if text == self._texts.get(name):
                continue
            try:
                os.pwrite(self._files[name], text.encode(), 0)
            except OSError:
                continue  # the host's disk takes nothing just now: the next second tries again
            self._texts[name] = text


def with_shown(plan: Plan, cgroup: Cgroup, folder: Path) -> Plan:
    """``plan`` with the live files of ``folder``, and the sandbox's own cgroup, where programs look for their limits.

    The folder's place is no part of the plan itself: it changes when a spare sandbox is claimed, and the files
    are the same.
    """
    files = [Bind(str(folder / name), f"/proc/{name}") for name in SHOWN]
    own = [Bind(str(path), target) for path, target in cgroup.shown()]
    return replace(plan, binds=[*plan.binds, *files, *own])
