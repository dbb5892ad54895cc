"""What a client has that acknowledges nothing itself: every WebSocket answers pings, in the order of what it reads.

A ping behind a record comes back once the client's machine has read that far (RFC 6455, 5.5.3), so its pong
acknowledges the record, and what lies in the buffers of the way there counts as under way. Pure.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable

ASKED = 16 * 1024
"""Bytes behind which another ping follows while one is under way."""
RECORD = 64
"""What a record counts besides its bytes, as for :mod:`sandbox.runner.pace`."""
_NUMBER = struct.Struct(">Q")


class Receipts:
    """``ping`` sends a ping; ``taken`` is told the number below which all records have been taken."""

    def __init__(self, ping: Callable[[bytes], None], taken: Callable[[int], None]) -> None:
        self._ping, self._taken = ping, taken
        self._asked: deque[int] = deque()
        self._shown = 0
        self._unasked = 0

    def shown(self, below: int, size: int) -> None:
        """The records before ``below`` are sent; the last one is of ``size`` bytes."""
        self._shown = below
        self._unasked += size + RECORD
        if not self._asked or self._unasked >= ASKED:
            self._ask()

    def answered(self, pong: bytes) -> None:
        """A pong has come. One that answers no ping of ours is passed by, and one may answer several."""
        if len(pong) != _NUMBER.size or (below := _NUMBER.unpack(pong)[0]) not in self._asked:
            return
        while self._asked and self._asked[0] <= below:
            self._asked.popleft()
        self._taken(below)
        if self._unasked and not self._asked:
            self._ask()

    def _ask(self) -> None:
        self._asked.append(self._shown)
        self._unasked = 0
        self._ping(_NUMBER.pack(self._shown))
