"""What a sandbox has consumed so far, read from the kernel's own accounts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

_COUNTED = ("cpu_ms", "wall_ms", "memory_kib_s", "bytes_read", "bytes_written")


@dataclass(frozen=True)
class Usage:
    """Running totals since the sandbox began, and readings of the present.

    Totals: ``cpu_ms``, ``wall_ms``, ``memory_kib_s`` (KiB times seconds), ``bytes_read``, ``bytes_written``
    (to disks, not to tmpfs), ``bytes_received``, ``bytes_sent`` (through the egress proxy), ``memory_peak_kib``;
    ``gpu_ms`` (of devices' time in use, so that two busy devices make two each millisecond), ``gpu_memory_kib_s``,
    ``gpu_energy_mj`` (millijoules), ``gpu_memory_peak_kib``.
    Present: ``memory_kib``, ``gpu_memory_kib``, ``processes`` (tasks included).
    """

    cpu_ms: int = 0
    wall_ms: int = 0
    memory_kib_s: int = 0
    memory_kib: int = 0
    memory_peak_kib: int = 0
    processes: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    gpu_ms: int = 0
    gpu_memory_kib_s: int = 0
    gpu_memory_kib: int = 0
    gpu_memory_peak_kib: int = 0
    gpu_energy_mj: int = 0

    def since(self, base: Usage) -> Usage:
        """What was added to ``base``; readings of the present, and the peak, stay."""
        return replace(self, **{name: max(0, getattr(self, name) - getattr(base, name)) for name in _COUNTED})

    def upon(self, base: Usage) -> Usage:
        """The totals of which this was :meth:`since` ``base``."""
        return replace(self, **{name: getattr(self, name) + getattr(base, name) for name in _COUNTED})

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Usage:
        """Build from a mapping; unknown keys are dropped, so that old files stay readable."""
        return cls(**{name: int(values.get(name, 0)) for name in cls.__dataclass_fields__})
