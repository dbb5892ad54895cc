"""NVIDIA's own accounts of its devices, read with NVML (``nvidia-ml-py``, which is ``pynvml``).

Every reading is optional: a device that cannot tell something (a consumer card its energy, a MIG device its
processes' utilisation) tells the rest. Process ids are those of the caller's pid namespace.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.gpu import Device

try:
    import pynvml
except ImportError:  # an image's Python that has not got it: there are no GPUs in its sandboxes
    pynvml = None


class NoDriver(Exception):
    """There is no NVIDIA driver here, or it does not answer; the message says which."""


@dataclass(frozen=True)
class Reading:
    """What some processes do on one device.

    ``memory`` maps a pid to bytes. ``busy`` is the share of its cores in use by them since the last reading, 0 to 1,
    ``None`` where the device cannot tell; ``device_busy`` that of all who use it. ``energy_mj``: millijoules that the
    device has taken since its driver was loaded.
    """

    memory: dict[int, int] = field(default_factory=dict)
    busy: float | None = None
    device_busy: float | None = None
    energy_mj: int | None = None


@contextmanager
def driver() -> Iterator[None]:
    """NVML, open.

    Raises:
        NoDriver: there is none.
    """
    if pynvml is None:
        raise NoDriver("nvidia-ml-py is not installed")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NoDriver(str(error)) from error
    try:
        yield
    finally:
        with contextlib.suppress(pynvml.NVMLError):  # the driver was unloaded meanwhile
            pynvml.nvmlShutdown()


def devices() -> list[Device]:
    """Every device, in the driver's order.

    Raises:
        NoDriver: there is no driver, and so no device.
    """
    with driver():
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [_device(handle) for handle in handles]


def _device(handle: Any) -> Device:
    return Device(
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        name=pynvml.nvmlDeviceGetName(handle),
        memory=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
        node=f"/dev/nvidia{pynvml.nvmlDeviceGetMinorNumber(handle)}",
    )


class Eye:
    """Looks at one device again and again; while :func:`driver` is open.

    Raises:
        NoDriver: there is no such device.
    """

    def __init__(self, uuid: str) -> None:
        try:
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        except pynvml.NVMLError as error:
            raise NoDriver(f"{uuid}: {error}") from error
        self._seen = 0  # µs: the time of the last sample of a process's utilisation

    def read(self, pids: Collection[int]) -> Reading:
        """What ``pids`` do on it."""
        rates = _told(partial(pynvml.nvmlDeviceGetUtilizationRates, self._handle))
        return Reading(
            memory=self._memory(pids),
            busy=self._busy(pids),
            device_busy=None if rates is None else rates.gpu / 100,
            energy_mj=_told(partial(pynvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)),
        )

    def _memory(self, pids: Collection[int]) -> dict[int, int]:
        asked = (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses)
        found = [process for ask in asked for process in _told(partial(ask, self._handle)) or ()]
        return {process.pid: int(process.usedGpuMemory or 0) for process in found if process.pid in pids}

    def _busy(self, pids: Collection[int]) -> float | None:
        """The mean over the driver's samples since the last look, which are taken some times a second."""
        samples = _told(partial(pynvml.nvmlDeviceGetProcessUtilization, self._handle, self._seen), missing=())
        if samples is None:
            return None
        self._seen = max((sample.timeStamp for sample in samples), default=self._seen)
        by_process: dict[int, list[int]] = {}
        for sample in samples:
            if sample.pid in pids:
                by_process.setdefault(sample.pid, []).append(sample.smUtil)
        return min(1.0, sum(sum(values) / len(values) for values in by_process.values()) / 100)


def _told(ask: Callable[[], Any], missing: Any = None) -> Any:
    """What NVML answers; ``None`` where the device cannot tell, ``missing`` where there is nothing to tell."""
    try:
        return ask()
    except pynvml.NVMLError as error:
        return missing if error.value == pynvml.NVML_ERROR_NOT_FOUND else None
