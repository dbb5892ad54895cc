"""From readings of devices to what a sandbox has used of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sandbox.gpu import HUNDRED, Share, nvml
from sandbox.gpu.nvml import Reading
from sandbox.usage import Usage

KIB = 1024


@dataclass(frozen=True)
class Tally:
    """Totals in fractions of the units of :class:`~sandbox.usage.Usage`, so that nothing is rounded away."""

    busy_ms: float = 0.0
    memory_kib: float = 0.0
    memory_kib_ms: float = 0.0
    memory_peak_kib: float = 0.0
    energy_mj: float = 0.0

    def after(self, elapsed_ms: float, busy: float, memory_kib: float, energy_mj: float) -> Tally:
        """The tally ``elapsed_ms`` later.

        ``busy``: devices in use since then (1.5: one, and half of another); ``energy_mj``: what they took. Memory over
        time is the trapezoid between the two readings.
        """
        return Tally(
            self.busy_ms + busy * elapsed_ms,
            memory_kib,
            self.memory_kib_ms + (self.memory_kib + memory_kib) / 2 * elapsed_ms,
            max(self.memory_peak_kib, memory_kib),
            self.energy_mj + energy_mj,
        )

    def into(self, usage: Usage) -> Usage:
        return replace(
            usage,
            gpu_ms=round(self.busy_ms),
            gpu_memory_kib=round(self.memory_kib),
            gpu_memory_kib_s=round(self.memory_kib_ms / 1000),
            gpu_memory_peak_kib=round(self.memory_peak_kib),
            gpu_energy_mj=round(self.energy_mj),
        )


def busy_of(share: Share, reading: Reading) -> float:
    """How much of the device a sandbox used: what the driver says of its processes.

    Where it says nothing of processes, all that happens on a device of one's own is one's own; of a device that is
    shared, nobody can tell, and nothing is counted.
    """
    if reading.busy is not None:
        return reading.busy
    return (reading.device_busy or 0.0) if share.part == HUNDRED else 0.0


class GpuMeter:
    """Of one sandbox and the shares it was granted.

    Of a device's energy the sandbox has its part: of a whole device all, of half a device half.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = list(shares)
        self._tally = Tally()
        self._energy: dict[str, int] = {}
        self._read_ms = 0
        self._stack = ExitStack()
        self._eyes: dict[str, nvml.Eye] = {}
        try:
            if shares:
                self._stack.enter_context(nvml.driver())
                self._eyes = {share.uuid: nvml.Eye(share.uuid) for share in shares}
        except nvml.NoDriver as error:
            sys.stderr.write(f"GPUs are granted and cannot be measured: {error}\n")

    def read(self, usage: Usage, pids: Collection[int], wall_ms: int, over: Callable[[int], None]) -> Usage:
        """``usage`` with what ``pids`` did until ``wall_ms``; ``over`` is told who has more memory than its share.

        Of a sandbox that has more than was granted, that is the process with the most.
        """
        if not self._eyes:
            return usage
        busy, memory, energy = 0.0, 0, 0.0
        for share in self._shares:
            reading = self._eyes[share.uuid].read(pids)
            busy += busy_of(share, reading)
            taken = sum(reading.memory.values())
            memory += taken
            energy += self._energy_since(share, reading)
            if taken > share.most_memory:
                over(max(reading.memory, key=lambda pid: reading.memory[pid]))
        self._tally = self._tally.after(wall_ms - self._read_ms, busy, memory / KIB, energy)
        self._read_ms = wall_ms
        return self._tally.into(usage)

    def _energy_since(self, share: Share, reading: Reading) -> float:
        if reading.energy_mj is None:
            return 0.0
        before = self._energy.get(share.uuid, reading.energy_mj)
        self._energy[share.uuid] = reading.energy_mj
        return max(0, reading.energy_mj - before) * share.part / HUNDRED
