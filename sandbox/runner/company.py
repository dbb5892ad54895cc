"""Those who are at one terminal: who they are, and whose window decides how large it is. Pure.

A terminal has one size, whoever looks: that of the window of the person who typed last and still has it in
sight, or, while nobody has typed, of the one who came or changed last. A window out of sight says 0 by 0.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count
from typing import Any

MOST_ROWS, MOST_COLUMNS = 1000, 2000
Size = tuple[int, int]
"""Rows and columns."""


@dataclass
class _Seat:
    who: dict[str, Any]
    size: Size | None = None
    typed: int = 0
    moved: int = 0


class Company:
    """The readers of a terminal, each by a key of its own."""

    def __init__(self) -> None:
        self._seats: dict[Hashable, _Seat] = {}
        self._now = count(1)

    def join(self, key: Hashable, who: dict[str, Any] | None) -> None:
        self._seats[key] = _Seat(who or {})

    def leave(self, key: Hashable) -> None:
        self._seats.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._seats

    def wish(self, key: Hashable, rows: int, columns: int) -> None:
        """The window of ``key`` has this size."""
        if seat := self._seats.get(key):
            seat.size = clamped(rows, columns) if rows > 0 and columns > 0 else None
            seat.moved = next(self._now)

    def typed(self, key: Hashable) -> None:
        if seat := self._seats.get(key):
            seat.typed = next(self._now)

    @property
    def size(self) -> Size | None:
        """The size that the terminal should have; None where nobody has it in sight."""
        seats = [seat for seat in self._seats.values() if seat.size]
        return max(seats, key=lambda seat: (seat.typed, seat.moved)).size if seats else None

    @property
    def present(self) -> list[dict[str, Any]]:
        """Who has the terminal in sight, as they were named when they joined; each once."""
        found: list[dict[str, Any]] = []
        for seat in self._seats.values():
            if seat.size and seat.who and seat.who not in found:
                found.append(seat.who)
        return found


def clamped(rows: int, columns: int) -> Size:
    """A size that a terminal can have, nearest to this one."""
    return max(1, min(rows, MOST_ROWS)), max(1, min(columns, MOST_COLUMNS))


class Sizes:
    """Which size each part of a terminal's output was written for: from which record on it is which. Pure."""

    _MOST = 512

    def __init__(self, first: Size) -> None:
        self._changes: list[tuple[int, Size]] = [(0, first)]

    @property
    def now(self) -> Size:
        return self._changes[-1][1]

    def change(self, seq: int, size: Size, oldest: int) -> None:
        """From record ``seq`` on it is ``size``; what was before record ``oldest`` is kept no longer."""
        if self._changes[-1][0] == seq:
            self._changes[-1] = (seq, size)
        else:
            self._changes.append((seq, size))
        while len(self._changes) > 1 and (self._changes[1][0] <= oldest or len(self._changes) > self._MOST):
            del self._changes[0]

    def at(self, seq: int) -> Size:
        """The size for record ``seq``; for one from before what is known, the oldest that is."""
        return next((size for first, size in reversed(self._changes) if first <= seq), self._changes[0][1])
