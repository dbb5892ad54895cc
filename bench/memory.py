"""What processes really cost: proportional set size (PSS), where shared pages count to each sharer in part."""

from __future__ import annotations

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
    return found & set(above)


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
