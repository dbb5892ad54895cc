"""How much may be under way to one reader: as much as it takes in a twentieth of a second. Pure.

Everything between a program and the eye that reads it (sockets, web, TCP, the browser's queue) holds
output, and an answer to Ctrl-C comes behind all of it. So what is sent and not yet acknowledged is kept
small for a slow reader, however large those buffers are, and grows for a quick or a distant one. The
rule is that of delay-based congestion control (TCP Vegas; LEDBAT, RFC 6817): the time until a record is
acknowledged, less the shortest such time, is what it waited in queues.
"""

from __future__ import annotations

from collections import deque

SMALLEST, FIRST, LARGEST = 16 * 1024, 64 * 1024, 1024 * 1024
"""Bytes under way: at least, in the beginning, at most."""
RECORD = 64
"""What a record counts besides its bytes: a million records of one byte are not a small thing."""
QUEUED_SECONDS = 0.05
AWAY_SECONDS = 30.0
"""A reader that takes nothing for so long is away: nobody waits for it any more."""


class Pace:
    """The pace of one reader. Times are seconds of a steady clock."""

    def __init__(self, now: float) -> None:
        self.window = FIRST
        self.under_way = 0
        self._records: deque[tuple[int, int, float, bool]] = deque()
        self._shortest = float("inf")
        self._changed = self._heard = now
        self._step = 1  # the window doubles until it was too large once, then grows by a quarter

    @property
    def may_send(self) -> bool:
        return self.under_way < self.window

    def away(self, now: float) -> bool:
        """Whether it has taken nothing for long, though there was something to take."""
        return bool(self._records) and now - self._heard >= AWAY_SECONDS

    def send(self, seq: int, size: int, now: float) -> None:
        """Record ``seq`` of ``size`` bytes is sent."""
        if not self._records:
            self._heard = now
        self.under_way += size + RECORD
        self._records.append((seq, size + RECORD, now, not self.may_send))

    def acknowledge(self, below: int, now: float) -> None:
        """All records before ``below`` were taken; those that were not sent are not counted."""
        taken, full, sent = 0, False, now
        while self._records and self._records[0][0] < below:
            _, size, sent, held_back = self._records.popleft()
            taken += size
            full = full or held_back
        if taken:
            self.under_way -= taken
            self._heard = now
            self._learn(sent, taken, full, now)

    def _learn(self, sent: float, taken: int, full: bool, now: float) -> None:
        took = now - sent
        self._shortest = min(self._shortest, took)  # never forgotten: a standing queue would pass for distance
        if not full:  # it was not the window that decided: this tells nothing about it
            return
        allowed = self._shortest + QUEUED_SECONDS
        if took <= allowed:
            self.window = min(LARGEST, self.window + taken // self._step)
        elif sent >= self._changed:  # it was sent under the window as it is now
            self.window = max(SMALLEST, self.window // 2, int(self.window * allowed / took))
            self._changed, self._step = now, 4
