"""What an attack may not leave behind on the host: processes, mounts, control groups and files, counted."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Host:
    """Counts of what belongs to the sandboxes of one state directory, and of the mounts that everybody sees."""

    processes: int
    mounts: int
    groups: int
    files: int


def count(state: Path, ids: list[str]) -> Host:
    """What the host has now of the sandboxes ``ids`` and beneath ``state``."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    groups = [name for _, names, _ in os.walk(CGROUPS) for name in names if name in ids]  # others come and go
    files = [name for _, folders, names in os.walk(state / "sandboxes") for name in (*folders, *names)]
    return Host(len(_processes(ids)), len(mounts), len(groups), len(files))


def _processes(ids: list[str]) -> list[int]:
    """Processes in a control group of one of ``ids``."""
    found = []
    for name in os.listdir("/proc"):
        try:
            text = Path(f"/proc/{name}/cgroup").read_text() if name.isdigit() else ""
        except OSError:
            continue  # it has just ended
        if any(id in text for id in ids):
            found.append(int(name))
    return found


async def settle(state: Path, ids: list[str], before: Host) -> None:
    """Wait until the host has no more than ``before``, and say what it has if it never does."""
    now = count(state, ids)
    for _ in range(200):
        if (now.processes, now.groups, now.files) <= (before.processes, before.groups, before.files) and (
            now.mounts <= before.mounts
        ):
            return
        await asyncio.sleep(0.05)
        now = count(state, ids)
    raise AssertionError(f"left behind: {now}, before: {before}")
