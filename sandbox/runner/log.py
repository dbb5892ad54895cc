"""The numbered log of a stream: what a client that comes back reads from where it left off.

Records live in files without a name, so that memory holds only their offsets and code inside
the sandbox finds no file to tamper with. The log keeps about ``limit`` bytes: it is a row of
segments, and the oldest is dropped whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from array import array
from collections import deque
from time import monotonic
from typing import Protocol, Self

from sandbox.runner.pace import Pace

KEPT = 32 * 1024 * 1024
"""Bytes of a log that are kept."""
_SEGMENTS = 4
_TAIL = 64 * 1024
_RECORDS = 1 << 16  # a segment's records: bounds the index when records are tiny


class Trace(Protocol):
    """What is remembered of records that are dropped; see :mod:`sandbox.runner.modes`."""

    def after(self, data: bytes) -> Self: ...


class _Segment:
    def __init__(self, directory: int, first: int, before: Trace | None) -> None:
        self.first, self.before = first, before
        self.file = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=directory)
        self.ends = array("Q")

    @property
    def size(self) -> int:
        return self.ends[-1] if self.ends else 0

    def append(self, payload: bytes) -> None:
        start, view = self.size, memoryview(payload)
        while view:
            view = view[os.pwrite(self.file, view, start + len(payload) - len(view)) :]
        self.ends.append(start + len(payload))

    def read(self, seq: int) -> bytes:
        index = seq - self.first
        start = self.ends[index - 1] if index else 0
        return os.pread(self.file, self.ends[index] - start, start)

    def empty(self, first: int) -> None:
        """Forget all records; the next is ``first``."""
        os.ftruncate(self.file, 0)
        self.first, self.ends = first, array("Q")


class Cursor:
    """Where one reader of a log is: what it was sent, and what of it it has acknowledged."""

    def __init__(self, log: Log, seq: int, behind: bool) -> None:
        self._log, self.seq = log, seq
        self.acknowledged = seq
        self.cut = False
        self._behind = behind
        self._pace = Pace(monotonic())
        self._may_send = asyncio.Event()
        self._may_send.set()

    @property
    def lag(self) -> int:
        """Bytes that are appended and not acknowledged."""
        return self._log.total - self._log.position(self.seq) + self._pace.under_way

    @property
    def holds(self) -> bool:
        """Whether it is so far behind that the producer should wait for it."""
        return self.lag > self._pace.window and not self._pace.away(monotonic())

    async def next(self) -> tuple[int, bytes] | None:
        """The next record as ``(seq, payload)``, once it is there and may be sent; ``None`` when the log has ended.

        ``cut`` then says whether records before it were dropped that this reader has not had.
        """
        log = self._log
        while True:
            if not self._pace.may_send:
                self._may_send.clear()
                await self._may_send.wait()
            elif self.seq < log.next:
                break
            elif log.ended is not None:
                return None
            else:
                await log.appended()
        self.cut, self._behind = self._behind or self.seq < log.first, False
        seq = max(self.seq, log.first)
        self.seq = seq + 1
        return seq, log.read(seq)

    def sent(self, seq: int, size: int) -> None:
        """Record ``seq`` is on its way, as ``size`` bytes. One that is for others is not sent."""
        self._pace.send(seq, size, monotonic())

    def acknowledge(self, below: int) -> None:
        """The reader has taken all records before ``below``."""
        self.acknowledged = max(self.acknowledged, min(below, self.seq))
        self._pace.acknowledge(below, monotonic())
        self._may_send.set()
        self._log.moved()


class Log:
    """See the module's text. ``directory`` is a descriptor of the folder that holds the files.

    ``trace`` is the state before the first record, where one is kept.
    """

    def __init__(self, directory: int, limit: int = KEPT, trace: Trace | None = None) -> None:
        self._directory, self._limit = directory, limit
        self._segments: deque[_Segment] = deque([_Segment(directory, 0, trace)])
        self._cursors: set[Cursor] = set()
        self._appended = asyncio.Event()
        self._room = asyncio.Event()
        self._dropped = 0
        self._closing = False
        self.total = 0
        self.ended: str | None = None

    @property
    def first(self) -> int:
        """Number of the oldest record that is kept."""
        return self._segments[0].first

    @property
    def next(self) -> int:
        """Number that the next record will get."""
        last = self._segments[-1]
        return last.first + len(last.ends)

    @property
    def tail(self) -> int:
        """Number of a record at which a segment begins, and after which there is a screenful or all there is."""
        for segment in reversed(self._segments):
            if self.total - self.position(segment.first) >= _TAIL:
                return segment.first
        return self.first

    def trace_before(self, seq: int) -> Trace | None:
        """The state before record ``seq`` where a segment begins with it."""
        return next((segment.before for segment in self._segments if segment.first == seq), None)

    def append(self, payload: bytes) -> int:
        """Keep ``payload`` and return its number. On a full disk all that is kept is given up for it."""
        last = self._segments[-1]
        if (last.size + len(payload) > self._limit // _SEGMENTS and last.ends) or len(last.ends) >= _RECORDS:
            last = self._rotate()
        try:
            last.append(payload)
        except OSError:  # the host's disk is full
            self._lose(self.next)
            try:
                self._segments[-1].append(payload)
            except OSError:
                self._lose(self.next + 1)
                self._dropped += len(payload)
        self.total += len(payload)
        self._appended.set()
        return self.next - 1

    def read(self, seq: int) -> bytes:
        """The payload of record ``seq``.

        Raises:
            IndexError: it was dropped, or is yet to come.
        """
        for segment in self._segments:
            if segment.first <= seq < segment.first + len(segment.ends):
                return segment.read(seq)
        raise IndexError(seq)

    def position(self, seq: int) -> int:
        """Bytes appended before record ``seq`` (for a dropped one: before the oldest that is kept)."""
        before = self._dropped
        for segment in self._segments:
            index = seq - segment.first
            if index < len(segment.ends):
                return before + (segment.ends[index - 1] if index > 0 else 0)
            before += segment.size
        return before

    def end(self, reason: str) -> None:
        """No record will follow."""
        self.ended = reason
        self._appended.set()
        self._room.set()

    def cursor(self, since: int, afresh: bool = False) -> Cursor:
        """A reader that begins at record ``since``, or at the oldest kept. Give it back with :meth:`release`.

        ``afresh``: it knows nothing of what was before, which counts as a cut.
        """
        since = max(since, 0)
        seq = min(max(since, self.first), self.next)
        cursor = Cursor(self, seq, behind=since < seq or afresh)
        self._cursors.add(cursor)
        return cursor

    def release(self, cursor: Cursor) -> None:
        self._cursors.discard(cursor)
        self.moved()
        if self._closing:
            self.close()

    def full(self) -> bool:
        """Whether a reader is so far behind that the producer should wait."""
        return self.ended is None and any(cursor.holds for cursor in self._cursors)

    async def room(self) -> None:
        """Wait until every reader is near enough, or away. Without readers there is always room."""
        while self.full():
            self._room.clear()
            with contextlib.suppress(TimeoutError):  # nobody says when a reader has been silent for too long
                async with asyncio.timeout(1.0):
                    await self._room.wait()

    async def appended(self) -> None:
        self._appended.clear()
        await self._appended.wait()

    def moved(self) -> None:
        if not self._room.is_set() and not self.full():
            self._room.set()

    def close(self) -> None:
        """Let the files go, once those who still read have read to the end or left."""
        self._closing = True
        if not self._cursors:
            for segment in self._segments:
                os.close(segment.file)
            self._segments.clear()
            self._closing = False

    def _rotate(self) -> _Segment:
        last = self._segments[-1]
        before = last.before and last.before.after(os.pread(last.file, last.size, 0))
        try:
            segment = _Segment(self._directory, self.next, before)
        except OSError:  # the host's disk has no room for one more file
            self._lose(self.next)
            return self._segments[-1]
        self._segments.append(segment)
        while self.total - self._dropped > self._limit * (_SEGMENTS - 1) // _SEGMENTS and len(self._segments) > 1:
            self._drop()
        while len(self._segments) > _SEGMENTS:
            self._drop()
        return segment

    def _drop(self) -> None:
        old = self._segments.popleft()
        self._dropped += old.size
        os.close(old.file)

    def _lose(self, first: int) -> None:
        """Give up all that is kept: ``first`` is the number of the next record. Readers are told, as of any cut."""
        while len(self._segments) > 1:
            self._drop()
        last = self._segments[0]
        self._dropped = self.total
        last.before = last.before and type(last.before)()
        last.empty(first)
