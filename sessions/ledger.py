"""Running totals into ledger lines that add up. Pure.

The kernel counts up; a line holds what was added since the last one. Whatever happens in between,
the sum of a session's lines is what the kernel counted, because a line is the difference between
its total and the sum of the lines already written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.usage import Usage
from sessions.prices import FREE, Prices

# The quantities that add up. Peaks of memory do not: of them, a line holds the highest reading so far.
COUNTED = (
    "cpu_ms",
    "wall_ms",
    "memory_kib_s",
    "bytes_read",
    "bytes_written",
    "bytes_received",
    "bytes_sent",
    "gpu_ms",
    "gpu_memory_kib_s",
    "gpu_energy_mj",
)
PEAKS = ("memory_peak_kib", "gpu_memory_peak_kib")
# What is summed of lines: the quantities, and what they cost when they were written.
SUMMED = (*COUNTED, "cost")


@dataclass(frozen=True)
class Line:
    """One line of the ledger, for the time from ``begin`` to ``end``. ``cost`` is in micro-units (see prices.py)."""

    sequence: int
    begin: datetime
    end: datetime
    cpu_ms: int
    wall_ms: int
    memory_kib_s: int
    bytes_read: int
    bytes_written: int
    bytes_received: int
    bytes_sent: int
    memory_peak_kib: int
    gpu_ms: int = 0
    gpu_memory_kib_s: int = 0
    gpu_energy_mj: int = 0
    gpu_memory_peak_kib: int = 0
    cost: int = 0
    final: bool = False


@dataclass(frozen=True)
class Account:
    """The sum of a session's lines, the number of the next one, up to when it is written, and what the next costs."""

    sequence: int
    until: datetime
    cpu_ms: int = 0
    wall_ms: int = 0
    memory_kib_s: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    memory_peak_kib: int = 0
    gpu_ms: int = 0
    gpu_memory_kib_s: int = 0
    gpu_energy_mj: int = 0
    gpu_memory_peak_kib: int = 0
    cost: int = 0
    closed: bool = False
    prices: Prices = FREE

    def line(self, usage: Usage | None, end: datetime, final: bool = False) -> Line:
        """The line that brings the account up to ``usage``.

        Without a ``usage`` (nobody knows the last totals) it adds nothing. A total below what was
        written already adds nothing either: what was counted once stays counted.
        """
        added = {name: max(0, getattr(usage, name) - getattr(self, name)) if usage else 0 for name in COUNTED}
        peaks = {name: max(getattr(self, name), getattr(usage, name) if usage else 0) for name in PEAKS}
        totals = replace(self, **{name: getattr(self, name) + more for name, more in added.items()})
        cost = self.prices.cost(totals) - self.prices.cost(self)
        return Line(self.sequence, self.until, max(end, self.until), final=final, cost=cost, **added, **peaks)

    def after(self, line: Line) -> Account:
        """The account once ``line`` is written."""
        return replace(
            self,
            sequence=line.sequence + 1,
            until=line.end,
            closed=line.final,
            **{name: getattr(line, name) for name in PEAKS},
            **{name: getattr(self, name) + getattr(line, name) for name in SUMMED},
        )

    def cost_of(self, usage: Usage) -> int:
        """Micro-units for all up to ``usage``: what is written, and what a line would add."""
        return self.cost + self.line(usage, self.until).cost

    def usage(self, latest: Usage | None = None) -> Usage:
        """The totals written so far as a Usage; readings of the present come from ``latest``."""
        return Usage(
            memory_kib=latest.memory_kib if latest else 0,
            gpu_memory_kib=latest.gpu_memory_kib if latest else 0,
            processes=latest.processes if latest else 0,
            **{name: getattr(self, name) for name in (*COUNTED, *PEAKS)},
        )


def spent(usage: Usage, base: Usage) -> Usage:
    """What ``usage`` counts that ``base``, an earlier one of the same session, did not. Peaks and the present stay."""
    return replace(usage, **{name: max(0, getattr(usage, name) - getattr(base, name)) for name in COUNTED})
