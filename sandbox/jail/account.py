"""What a sandbox has used so far, where it survives its jail.

The jail reads the kernel's accounts; some of them exist only as a sum of its readings (memory over time, the
time itself). So each reading goes into a file beside the plan, in place and in one write: a process that is
killed has made it or has not, and whoever buries the sandbox goes on from there.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from sandbox.usage import Usage

_NAME = "account.json"
_SIZE = 512


class AccountFile:
    """The jail's end of it."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / _NAME, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, usage: Usage) -> None:
        """Replace what is there.

        Raises:
            OSError: the disk is full, and was so at the first write.
        """
        os.pwrite(self._file, json.dumps(usage.as_dict()).encode().ljust(_SIZE), 0)


def last_account(directory: Path) -> Usage:
    """The last reading of a sandbox in ``directory``; nothing used where there is none."""
    try:
        return Usage.from_dict(json.loads((directory / _NAME).read_text()))
    except (OSError, ValueError, TypeError, AttributeError):
        return Usage()


def integrated(before: Usage, wall_ms: int, memory_kib: int) -> Usage:
    """``before`` with the memory over time since then, by the trapezoid between the two readings. Pure."""
    elapsed = max(0, wall_ms - before.wall_ms)
    return replace(
        before,
        wall_ms=max(wall_ms, before.wall_ms),
        memory_kib=memory_kib,
        memory_peak_kib=max(memory_kib, before.memory_peak_kib),
        memory_kib_s=before.memory_kib_s + ((before.memory_kib + memory_kib) * elapsed + 1000) // 2000,
    )
