"""WebSocket frames as a client sends and reads them (RFC 6455). Pure; what answers is hostile."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAX_MESSAGE = 16 * 1024 * 1024
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class BadFrame(Exception):
    """What came is no frame, or too much; ``code`` is what to close with."""

    def __init__(self, code: int = 1002) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Message:
    """A whole message, or a control frame."""

    kind: int
    data: bytes


def new_key() -> bytes:
    return base64.b64encode(os.urandom(16))


def accept_of(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def encode(kind: int, data: bytes) -> bytes:
    """One final frame, masked as a client must."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b""
    if not length:
        length = struct.pack("!BH", 0xFE, size) if size < 1 << 16 else struct.pack("!BQ", 0xFF, size)
    mask = os.urandom(4)
    return bytes([0x80 | kind]) + length + mask + _masked(data, mask)


def _masked(data: bytes, mask: bytes) -> bytes:
    key = int.from_bytes((mask * (len(data) // 4 + 1))[: len(data)], "big")
    return (int.from_bytes(data, "big") ^ key).to_bytes(len(data), "big")


class Reader:
    """Puts messages together from what comes, piece by piece."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._kind: int | None = None
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes.

        Raises:
            BadFrame: it is malformed, or a message is too large.
        """
        self._buffer += data
        messages = []
        while (frame := self._next()) is not None:
            final, kind, body = frame
            if kind >= CLOSE:
                messages.append(Message(kind, body))
            elif (message := self._gather(final, kind, body)) is not None:
                messages.append(message)
        return messages

    def _next(self) -> tuple[bool, int, bytes] | None:
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[:2]
        final, kind, size, start = bool(first & 0x80), first & 0x0F, second & 0x7F, 2
        if first & 0x70 or second & 0x80 or kind not in (0, 1, 2, 8, 9, 10):
            raise BadFrame
        if kind >= CLOSE and (size > 125 or not final):
            raise BadFrame
        if size > 125:
            start = 4 if size == 126 else 10
            if len(self._buffer) < start:
                return None
            size = int.from_bytes(self._buffer[2:start], "big")
        if size + sum(map(len, self._parts)) > MAX_MESSAGE:
            raise BadFrame(1009)
        if len(self._buffer) < start + size:
            return None
        body = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return final, kind, body

    def _gather(self, final: bool, kind: int, body: bytes) -> Message | None:
        if (kind == CONTINUATION) == (self._kind is None):
            raise BadFrame
        self._kind = self._kind or kind
        self._parts.append(body)
        if not final:
            return None
        message = Message(self._kind, b"".join(self._parts))
        self._kind, self._parts = None, []
        return message
