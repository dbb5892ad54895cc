"""The frames of ``y-protocols``: read strictly, since whoever is connected may send anything. Pure.

Source: github.com/yjs/y-protocols, PROTOCOL.md; numbers and strings are those of lib0's encoding.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SYNC, AWARENESS, QUERY_AWARENESS = 0, 1, 3
STEP1, STEP2, UPDATE = 0, 1, 2
NOTHING = b"\0\0"
"""The update that changes nothing."""
MAX_FRAME = 4 * 1024 * 1024
MAX_AWARENESS = 4096
_MAX_CLIENTS = 64
_MAX_NUMBER = (1 << 53) - 1


class FrameError(ValueError):
    """The bytes are no frame of this protocol."""


@dataclass(frozen=True)
class Sync:
    """Step 1 (``body`` is a state vector), step 2 or an update."""

    step: int
    body: bytes


@dataclass(frozen=True)
class Presence:
    """What one client says of itself; ``state`` is None when it has left."""

    client: int
    clock: int
    state: dict[str, Any] | None


@dataclass(frozen=True)
class Query:
    """Asks for everybody's presence."""


class Reader:
    """Numbers and strings out of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self) -> int:
        value = shift = 0
        while self._at < len(self._data) and shift < 56:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                if value > _MAX_NUMBER:
                    break
                return value
            shift += 7
        raise FrameError("a number is cut or too large")

    def bytes(self) -> bytes:
        size = self.number()
        if size > len(self._data) - self._at:
            raise FrameError("it is cut")
        self._at += size
        return self._data[self._at - size : self._at]

    def end(self) -> None:
        if self._at != len(self._data):
            raise FrameError("something follows its end")


def number(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(128 | value & 127)
        value >>= 7
    found.append(value)
    return bytes(found)


def sized(data: bytes) -> bytes:
    return number(len(data)) + data


def read(frame: bytes) -> Sync | Query | list[Presence]:
    """What a frame says.

    Raises:
        FrameError: nothing that this protocol knows.
    """
    if len(frame) > MAX_FRAME:
        raise FrameError("it is too large")
    reader = Reader(frame)
    found: Sync | Query | list[Presence]
    match reader.number():
        case 0:
            step, body = reader.number(), reader.bytes()
            if step not in (STEP1, STEP2, UPDATE):
                raise FrameError("there is no such step")
            found = Sync(step, body)
        case 1:
            found = read_presences(reader.bytes())
        case 3:
            found = Query()
        case _:
            raise FrameError("there is no such message")
    reader.end()
    return found


def read_presences(data: bytes) -> list[Presence]:
    """The body of an awareness message.

    Raises:
        FrameError: it is none, or too large.
    """
    if len(data) > MAX_AWARENESS:
        raise FrameError("it is too large")
    reader = Reader(data)
    count = reader.number()
    if count > _MAX_CLIENTS:
        raise FrameError("it speaks of too many")
    found = [Presence(reader.number(), reader.number(), _state(reader.bytes())) for _ in range(count)]
    reader.end()
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"browsers know no {word}")


def _state(text: bytes) -> dict[str, Any] | None:
    try:
        state = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FrameError("a state is not JSON") from error
    if state is not None and not isinstance(state, dict):
        raise FrameError("a state is not an object")
    return state


def sync(step: int, body: bytes) -> bytes:
    return bytes([SYNC, step]) + sized(body)


def presences(known: list[Presence]) -> bytes:
    """An awareness message."""
    body = number(len(known)) + b"".join(
        number(one.client) + number(one.clock) + sized(json.dumps(one.state, separators=(",", ":")).encode())
        for one in known
    )
    return bytes([AWARENESS]) + sized(body)
