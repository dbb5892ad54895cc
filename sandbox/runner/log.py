"""The numbered log of a stream: what a client that comes back reads from where it left off.

Records live in files without a name, so that memory holds only their offsets and code inside
the sandbox finds no file to tamper with. The log keeps about ``limit`` bytes: it is a row of
segments, and the oldest is dropped whole.
"""

from __future__ import annotations

import asyncio
import os
from array import array
from collections import deque

KEPT = 32 * 1024 * 1024
"""Bytes of a log that are kept."""
_SEGMENTS = 4
_RECORDS = 1 << 16  # a segment's records: bounds the index when records are tiny


class _Segment:
    def __init__(self, directory: int, first: int) -> None:
        self.first = first
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


class Cursor:
    """Where one reader of a log is. Its lag is what back-pressure looks at."""

    def __init__(self, log: Log, seq: int) -> None:
        self._log, self.seq = log, seq
        self._position = log.position(seq)

    @property
    def lag(self) -> int:
        """Bytes appended and not read yet."""
        return self._log.total - self._position

    async def next(self) -> tuple[int, bytes] | None:
        """The next record as ``(seq, payload)``, waiting for it; ``None`` when the log has ended."""
        log = self._log
        while self.seq >= log.next:
            if log.ended is not None:
                return None
            await log.appended()
        if self.seq < log.first:
            self.seq = log.first
        seq, payload = self.seq, log.read(self.seq)
        self.seq += 1
        self._position = log.position(self.seq)
        log.moved()
        return seq, payload


class Log:
    """See the module's text. ``directory`` is a descriptor of the folder that holds the files."""

    def __init__(self, directory: int, limit: int = KEPT, window: int = 1024 * 1024) -> None:
        self._directory, self._limit, self._window = directory, limit, window
        self._segments: deque[_Segment] = deque([_Segment(directory, 0)])
        self._cursors: set[Cursor] = set()
        self._appended = asyncio.Event()
        self._room = asyncio.Event()
        self._dropped = 0
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

    def append(self, payload: bytes) -> int:
        """Keep ``payload`` and return its number."""
        last = self._segments[-1]
        if (last.size + len(payload) > self._limit // _SEGMENTS and last.ends) or len(last.ends) >= _RECORDS:
            last = self._rotate()
        last.append(payload)
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

    def cursor(self, since: int) -> Cursor:
        """A reader that begins at record ``since``, or at the oldest kept. Give it back with :meth:`release`."""
        cursor = Cursor(self, min(max(since, self.first), self.next))
        self._cursors.add(cursor)
        return cursor

    def release(self, cursor: Cursor) -> None:
        self._cursors.discard(cursor)
        self.moved()

    def full(self) -> bool:
        """Whether a reader is so far behind that the producer should wait."""
        return self.ended is None and any(cursor.lag > self._window for cursor in self._cursors)

    async def room(self) -> None:
        """Wait until the slowest reader is near enough. Without readers there is always room."""
        while self.full():
            self._room.clear()
            await self._room.wait()

    async def appended(self) -> None:
        self._appended.clear()
        await self._appended.wait()

    def moved(self) -> None:
        if not self._room.is_set() and not self.full():
            self._room.set()

    def close(self) -> None:
        for segment in self._segments:
            os.close(segment.file)

    def _rotate(self) -> _Segment:
        segment = _Segment(self._directory, self.next)
        self._segments.append(segment)
        while len(self._segments) > _SEGMENTS:
            old = self._segments.popleft()
            self._dropped += old.size
            os.close(old.file)
        return segment
