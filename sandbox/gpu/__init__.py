"""GPUs: which there are, who has them, and what a sandbox does on those it was granted.

A session's slot ``gpu`` is a fraction of one device (0.01 to 0.99) or a whole number of devices. :mod:`.board` grants
shares of devices and is pure; :mod:`.nvml` reads NVIDIA's accounts; :mod:`.metering` turns readings into usage.

A fraction is a share of the device's memory and of its metering, not of its cores: the driver takes turns between
whoever computes. Who takes more memory than its share has its largest process ended.
"""

from __future__ import annotations

from dataclasses import dataclass

HUNDRED = 100
_MOST = 1024  # devices, of one session


@dataclass(frozen=True)
class Device:
    """One GPU of the host. ``memory`` is in bytes; ``node`` is its device file."""

    uuid: str
    name: str
    memory: int
    node: str


@dataclass(frozen=True)
class Share:
    """``part`` hundredths of the device ``uuid``, which has ``memory`` bytes in all and the device file ``node``."""

    uuid: str
    part: int
    memory: int
    node: str

    @property
    def most_memory(self) -> int:
        """Bytes of the device's memory that it may take."""
        return self.memory * self.part // HUNDRED


def hundredths(gpu: float) -> int:
    """The slot ``gpu`` in hundredths of a device.

    Raises:
        ValueError: it is neither a fraction of one device nor a whole number of devices.
    """
    count = round(gpu * HUNDRED) if 0 <= gpu <= _MOST else -1
    if count < 0 or abs(count - gpu * HUNDRED) > 1e-6 or (count > HUNDRED and count % HUNDRED):
        raise ValueError("gpu is a fraction of one device, in hundredths, or a whole number of devices")
    return count
