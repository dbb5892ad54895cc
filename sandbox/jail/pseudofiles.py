"""Files that the kernel writes as they are read: /proc and /sys."""

from __future__ import annotations

import os

_AT_ONCE = 65536


def read(path: str) -> str:
    """The whole text of ``path``: it is read each second, so without the layers that files on disks deserve.

    Raises:
        OSError: it is not there, or not ours to read.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(file, _AT_ONCE):
            parts.append(part)
    finally:
        os.close(file)
    return b"".join(parts).decode(errors="replace")
