"""What processes really cost.

Their memory is the proportional set size (PSS), where shared pages count to each sharer in part.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def parents() -> dict[int, int]:
    """The parent of every process."""
    found = {}
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it ended while we looked
        found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def with_descendants(roots: set[int]) -> set[int]:
    """``roots`` and every process below them."""
    above, found = parents(), set(roots)
    grown = True
    while grown:
        below = {pid for pid, parent in above.items() if parent in found} - found
        found |= below
        grown = bool(below)
    return alive(found)


def alive(pids: set[int]) -> set[int]:
    """Those of ``pids`` that have not ended."""
    return pids & set(parents())


def command(pid: int) -> str:
    """The command line of a process; "" of one that has ended."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def available_kib() -> int:
    """What programs could take without the machine swapping (``MemAvailable``), in KiB."""
    lines = (PROC / "meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


def pss_kib(pids: set[int]) -> int:
    """The PSS of these processes together, in KiB. One that ended counts nothing."""
    total = 0
    for pid in pids:
        try:
            lines = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def processor_seconds(pids: set[int]) -> dict[int, float]:
    """The processor time that each of these processes has taken, without its children's."""
    found = {}
    for pid in pids:
        try:
            stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        user, system = stat.rpartition(")")[2].split()[11:13]
        found[pid] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return found


def settled(measure: Callable[[], int], patience: float = 20.0) -> int:
    """A measure once it no longer moves by more than a hundredth within a second."""
    deadline, former = time.monotonic() + patience, -1
    while time.monotonic() < deadline:
        now = measure()
        if former >= 0 and abs(now - former) <= former / 100:
            return now
        former = now
        time.sleep(1.0)
    return former
