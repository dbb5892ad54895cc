"""Bytes that a sandbox reads from and writes to disks: by devices, and by processes.

By devices: cgroup v2 ``io.stat`` and v1 ``blkio.throttle.io_service_bytes``, the kernel's own accounts.
They see a write when it reaches the disk: up to half a minute later in v2, and never in v1 where it
went through the page cache. By processes: proc(5) ``io``, which sees it when the page becomes dirty.
Each alone counts too little, neither counts twice: the larger of the two is what was used.

The error of the second: an ended process that its parent waited for is in the parent's account; of one
that nobody waits for (SIGCHLD ignored), what it did since the last look is lost, and so is what its
parent itself did in that second, up to the ended one's total. What was seen is never lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.jail import pseudofiles

BYTES_PER_SECOND = 256 << 20
OPERATIONS_PER_SECOND = 8192
_LOOP = "7"  # what a loop device does its backing disk does again

Key = tuple[int, str]
"""A process: its id, and when it started, since ids come again."""


@dataclass(frozen=True)
class Process:
    """One process's account in bytes, that of the children it waited for included, and its parent's id."""

    parent: int
    read: int
    written: int


_Value = Callable[[Process], int]


@dataclass(frozen=True)
class Transferred:
    """Running totals over processes that come and go: see the module's text."""

    read: int = 0
    written: int = 0
    seen: Mapping[Key, Process] | None = None

    def after(self, now: Mapping[Key, Process]) -> Transferred:
        """The totals at a new look at all processes there are. They never fall."""
        before = self.seen or {}
        heirs = _heirs(before, now)
        read = self.read + sum(_grown(before, now, heirs, lambda process: process.read))
        written = self.written + sum(_grown(before, now, heirs, lambda process: process.written))
        return Transferred(read, written, dict(now))


def _heirs(before: Mapping[Key, Process], now: Mapping[Key, Process]) -> dict[Key, Key | None]:
    """For each process that has ended, the nearest living ancestor: if anybody, that one has its account now."""
    by_id = {key[0]: key for key in before}
    first = min(now.keys() & before.keys(), default=None)  # pid 1 inside: who has no parent left is buried by it
    heirs: dict[Key, Key | None] = {}
    for ended in before.keys() - now.keys():
        above = by_id.get(before[ended].parent)
        passed = {ended}
        while above is not None and above not in now and above not in passed:
            passed.add(above)
            above = by_id.get(before[above].parent)
        heirs[ended] = above if above in now else first
    return heirs


def _grown(
    before: Mapping[Key, Process], now: Mapping[Key, Process], heirs: Mapping[Key, Key | None], value: _Value
) -> Iterable[int]:
    """How much each living process did itself: its growth without what it inherited."""
    inherited: dict[Key | None, int] = {}
    for ended, heir in heirs.items():
        inherited[heir] = inherited.get(heir, 0) + value(before[ended])
    for key, process in now.items():
        old = value(before[key]) if key in before else 0
        yield max(0, value(process) - old - inherited.get(key, 0))


def look(pids: Iterable[int]) -> dict[Key, Process]:
    """The accounts of ``pids``; one that has just ended, or is not ours to see, is left out."""
    found = {}
    for pid in pids:
        try:
            fields = pseudofiles.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            io = dict(line.split(": ") for line in pseudofiles.read(f"/proc/{pid}/io").splitlines())
            account = Process(int(fields[1]), int(io["read_bytes"]), int(io["write_bytes"]))
        except (OSError, ValueError, LookupError):
            continue
        found[(pid, fields[19])] = account
    return found


def of_io_stat(text: str) -> tuple[int, int]:
    """Bytes read and written by cgroup v2 ``io.stat``: those of the devices at the bottom."""
    read = written = 0
    for line in text.splitlines():
        device, *fields = line.split()
        if _at_bottom(device):
            values = dict(field.split("=") for field in fields if "=" in field)
            read += int(values.get("rbytes", 0))
            written += int(values.get("wbytes", 0))
    return read, written


def of_blkio(text: str) -> tuple[int, int]:
    """Bytes read and written by cgroup v1 ``blkio.throttle.io_service_bytes``."""
    totals = {"Read": 0, "Write": 0}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1] in totals and _at_bottom(parts[0]):
            totals[parts[1]] += int(parts[2])
    return totals["Read"], totals["Write"]


def _at_bottom(device: str) -> bool:
    """Not a device on top of others, whose own accounts say the same again."""
    try:
        return not device.startswith(f"{_LOOP}:") and not os.listdir(f"/sys/dev/block/{device}/slaves")
    except OSError:
        return True


def disk_of(path: str) -> str:
    """The whole disk that ``path`` lies on, as ``major:minor``; "" where no block device can be named."""
    number = os.stat(path).st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    try:
        whole = device.resolve(strict=True)
        if (whole / "partition").exists():
            whole = whole.parent
        return (whole / "dev").read_text().strip()
    except OSError:
        return ""
