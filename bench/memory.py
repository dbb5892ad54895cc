"""What processes really cost: proportional set size (PSS), where shared pages count to each sharer in part."""

from __future__ import annotations

import time
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


def holders_of_sockets(directory: Path) -> set[int]:
    """The processes that hold a Unix socket whose path lies below ``directory``."""
    inodes = set()
    for line in Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[7].startswith(f"{directory}/"):
            inodes.add(f"socket:[{fields[6]}]")
    return {pid for pid in parents() if inodes & _descriptors(pid)}


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


def settled_pss_kib(pids: set[int], patience: float = 20.0) -> int:
    """The PSS once it no longer moves by more than a hundredth within a second."""
    deadline, former = time.monotonic() + patience, -1
    while time.monotonic() < deadline:
        now = pss_kib(pids)
        if former >= 0 and abs(now - former) <= former / 100:
            return now
        former = now
        time.sleep(1.0)
    return former


def _descriptors(pid: int) -> set[str]:
    found = set()
    try:
        for entry in (PROC / str(pid) / "fd").iterdir():
            found.add(str(entry.readlink()))
    except OSError:
        return found  # it ended, or closed one, while we looked
    return found
