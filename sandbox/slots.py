"""What a session is granted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sandbox.gpu import hundredths

MIB = 1024 * 1024


@dataclass(frozen=True)
class Slots:
    """``cpu`` in cores (fractional), ``memory`` and ``disk`` in bytes, ``gpu`` in devices, whole ones or a
    part of one."""

    cpu: float = 1.0
    memory: int = 1024 * MIB
    disk: int = 2048 * MIB
    gpu: float = 0.0
    processes: int = 256

    def __post_init__(self) -> None:
        if not 0.01 <= self.cpu <= 1024:
            raise ValueError("cpu is between 0.01 and 1024 cores")
        if not 32 * MIB <= self.memory <= 1 << 44:
            raise ValueError("memory is at least 32 MiB")
        if self.disk < MIB or not 8 <= self.processes <= 1 << 16:
            raise ValueError("disk is at least 1 MiB, processes between 8 and 65536")
        hundredths(self.gpu)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
