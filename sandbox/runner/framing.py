"""The framing of language servers: a message is a header, an empty line and JSON.

The Language Server Protocol 3.17, "Base protocol". What a program writes is hostile until proved otherwise: lengths
are bounded before anything is kept.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_HEADER = 4096
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message: a large project's symbols are a few million."""

Message = dict[str, Any]
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*(\d{1,12})[ \t]*")


class FramingError(Exception):
    """What came is not a message of this protocol."""


def frame(message: Message) -> bytes:
    """``message`` as it goes over a pipe."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def parse(body: bytes) -> Message:
    """The message whose JSON is ``body``.

    Raises:
        FramingError: it is none.
    """
    if len(body) > MAX_MESSAGE:
        raise FramingError(f"a message of {len(body)} bytes is over the limit")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FramingError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise FramingError("a message is not an object")
    return message


class Unframer:
    """Takes what a program writes, in whatever pieces it comes, and gives messages."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes.

        Raises:
            FramingError: there can be no more.
        """
        self._data += data
        messages = []
        while (body := self._body()) is not None:
            messages.append(parse(body))
        return messages

    def _body(self) -> bytes | None:
        if self._length is None:
            self._length = self._header()
        if self._length is None or len(self._data) < self._length:
            return None
        body = bytes(self._data[: self._length])
        del self._data[: self._length]
        self._length = None
        return body

    def _header(self) -> int | None:
        end = self._data.find(b"\r\n\r\n", 0, MAX_HEADER)
        if end < 0:
            if len(self._data) >= MAX_HEADER:
                raise FramingError("a header does not end")
            return None
        lines = bytes(self._data[:end]).split(b"\r\n")
        lengths = [int(found[1]) for line in lines if (found := _LENGTH.fullmatch(line))]
        if len(lengths) != 1:
            raise FramingError("a header does not say how long its message is")
        if lengths[0] > MAX_MESSAGE:
            raise FramingError(f"a message of {lengths[0]} bytes is over the limit")
        del self._data[: end + 4]
        return lengths[0]
