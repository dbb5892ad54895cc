"""The most memory that a sandbox had since a moment, where the kernel's own count begins with the sandbox.

Version 1 of control groups begins anew when it is told to. Version 2 does so for one descriptor, since Linux 6.12;
before, its count says something of the time since only where it has grown, and our readings have to do.
"""

from __future__ import annotations

import contextlib
import os

from sandbox.jail.cgroups import Cgroup

_FILE = {1: "memory.max_usage_in_bytes", 2: "memory.peak"}


class Peak:
    """Of one sandbox; KiB."""

    def __init__(self, cgroup: Cgroup) -> None:
        self._path = cgroup.paths["memory"] / _FILE[cgroup.version]
        self._file = -1
        self._anew = False
        self._before = self._seen = 0

    def begin(self) -> None:
        """From now on."""
        self._seen = 0
        self._anew = self._tell()
        self._before = self._kernels()

    def seen(self, memory_kib: int) -> None:
        """A reading of ours."""
        self._seen = max(self._seen, memory_kib)

    @property
    def kib(self) -> int:
        kernels = self._kernels()
        return kernels if self._anew or kernels > self._before else self._seen

    def _tell(self) -> bool:
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            os.write(self._file, b"0")
        except OSError:
            return False
        return True

    def _kernels(self) -> int:
        with contextlib.suppress(OSError):
            if self._file >= 0:
                return int(os.pread(self._file, 64, 0)) // 1024
            return int(self._path.read_text()) // 1024
        return 0  # memory.peak came with Linux 5.19
