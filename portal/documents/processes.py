"""Which web processes live: each holds a lock of the kernel's, which even ``kill -9`` lets go of."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from django.conf import settings

PROCESS = uuid4().hex
"""The name of this process."""
_held: dict[Path, int] = {}


def _file(process: str) -> Path:
    return Path(settings.MADANG_STATE) / "run" / "web" / process


def show_life() -> None:
    """From now on others can tell whether this process lives."""
    file = _file(PROCESS)
    if file not in _held:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _held[file] = descriptor


def is_gone(process: str) -> bool:
    """Whether that process is known to have ended; of one on another host nothing is known."""
    file = _file(process)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def sweep() -> None:
    """Forget the files of processes that have ended."""
    with suppress(FileNotFoundError):
        for file in _file(PROCESS).parent.iterdir():
            if is_gone(file.name):
                file.unlink(missing_ok=True)
