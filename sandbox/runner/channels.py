"""The channels between the runner and a kernel: four socket pairs, made before the fork.

``shell``, ``control`` and ``stdin`` lead into the kernel, ``iopub`` carries all that it says, on
whichever channel, so that its words keep their order. A frame is a u32 (big-endian) length and one
message in Jupyter's binary layout (:mod:`sandbox.runner.messages`), which is also what the log keeps
and what clients get: messages are relayed, not translated.

Each is a stream socket: who does not read stops who writes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

from sandbox.runner import messages

INWARD = ("shell", "control", "stdin")
OUTWARD = "iopub"
NAMES = (*INWARD, OUTWARD)
_LARGEST = messages.MAX_MESSAGE + 64 * 1024  # a kernel of ours sends nothing larger, see pressure.py
_UNDER_WAY = 64 * 1024  # bytes on their way from a kernel: what an answer to Ctrl-C comes behind
_WAITING = 32 * 1024 * 1024  # bytes that may wait for a busy kernel before their sender has to
_LENGTH = struct.Struct(">I")

Pairs = dict[str, socket.socket]


def pairs() -> tuple[Pairs, Pairs]:
    """The runner's ends and the kernel's ends, by name."""
    both = {name: socket.socketpair() for name in NAMES}
    both[OUTWARD][1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNDER_WAY)
    return {name: pair[0] for name, pair in both.items()}, {name: pair[1] for name, pair in both.items()}


def frame(message: bytes) -> bytes:
    return _LENGTH.pack(len(message)) + message


def read_frame(end: socket.socket) -> bytes:
    """The next message of a socket that nobody else reads, and not a byte more.

    Raises:
        ConnectionError: the other end is gone.
    """
    (length,) = _LENGTH.unpack(_exactly(end, _LENGTH.size))
    return _exactly(end, length)


def _exactly(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = end.recv(size - len(data))
        if not more:
            raise ConnectionError("the other end is gone")
        data += more
    return data


class Parser:
    """Bytes as they come, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """All messages that are whole with ``data``."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            yield bytes(self._buffer[start + _LENGTH.size : end])
            start = end
        del self._buffer[:start]


class Channels:
    """The runner's ends. What comes from the kernel is bounded and checked: it runs a user's code."""

    def __init__(self, ends: Pairs) -> None:
        self._ends = ends
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._length: int | None = None  # of the message that is being read,
        self._skipped = 0  # and how much of it has been passed over

    async def open(self) -> None:
        for name in INWARD:
            _, self._writers[name] = await asyncio.open_connection(sock=self._ends[name])
        self._reader, self._writers[OUTWARD] = await asyncio.open_connection(sock=self._ends[OUTWARD], limit=_UNDER_WAY)

    async def write(self, channel: str, message: bytes) -> None:
        """Pass ``message`` on. A busy kernel takes it later; with much waiting already its sender waits too."""
        writer = self._writers[channel]
        writer.write(frame(message))
        if writer.transport.get_write_buffer_size() > _WAITING:
            await writer.drain()

    async def read(self) -> bytes | None:
        """The next message; ``None`` when the kernel is gone. One that is cancelled has taken nothing."""
        try:
            if self._length is None:
                (self._length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            size = self._length
            message = await self._reader.readexactly(size) if size <= _LARGEST else await self._too_large(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self._length, self._skipped = None, 0
        return message

    async def _too_large(self, size: int) -> bytes:
        """Pass a message over, and say so in its place."""
        while self._skipped < size:
            self._skipped += len(await self._reader.readexactly(min(size - self._skipped, _UNDER_WAY)))
        note = messages.build("stream", messages.cut("stream", {"name": "stderr"}, size))
        return messages.pack(OUTWARD, note)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        for end in self._ends.values():
            end.close()
