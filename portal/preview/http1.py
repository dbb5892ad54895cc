"""HTTP/1.1 as a client, for one request on a connection (RFC 9112). Pure; what answers is hostile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_HEAD = 64 * 1024
_HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
    b"transfer-encoding", b"upgrade",
}  # fmt: skip
_NO_BODY = (204, 304)

Headers = list[tuple[bytes, bytes]]


class BadResponse(Exception):
    """What came is no response."""


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """``headers`` (names in lower case) without those that are meant for one connection only."""
    headers = list(headers)
    named = b",".join(value for name, value in headers if name == b"connection").lower()
    dropped = _HOP_BY_HOP | {word.strip() for word in named.split(b",")}
    return [(name, value) for name, value in headers if name not in dropped]


def request_head(method: str, target: bytes, headers: Headers) -> bytes:
    lines = [method.encode() + b" " + target + b" HTTP/1.1", *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"", b""])


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body; the empty one is its end."""
    return b"%x\r\n%s\r\n" % (len(data), data)


@dataclass(frozen=True)
class Head:
    """A response's status and headers, names in lower case."""

    status: int
    headers: Headers

    def get(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key == name), b"")


class Response:
    """Reads a response: ``feed`` what comes (``b""`` at the end); ``head``, then ``body`` pieces, then ``done``."""

    def __init__(self, method: str) -> None:
        self.head: Head | None = None
        self.done = False
        self._method = method
        self._buffer = b""
        self._left: int | None = None  # bytes of the body, or of its chunk; None: until the end
        self._chunked = False

    @property
    def rest(self) -> bytes:
        """What came after the head of a response that changes the protocol."""
        return self._buffer

    def feed(self, data: bytes) -> bytes:
        """Take ``data`` and return the body's bytes in it.

        Raises:
            BadResponse: it is malformed, or ended too early.
        """
        self._buffer += data
        if self.head is None and not self._read_head():
            if not data or len(self._buffer) > MAX_HEAD:
                raise BadResponse("no head")
            return b""
        if self.done or (self.head and self.head.status == 101):
            return b""
        body = self._read_chunks() if self._chunked else self._read_plain()
        if not data and not self.done:
            if self._chunked or self._left is not None:
                raise BadResponse("ended too early")
            self.done = True
        return body

    def _read_head(self) -> bool:
        while b"\r\n\r\n" in self._buffer:
            text, _, rest = self._buffer.partition(b"\r\n\r\n")
            head = _parse_head(text)
            self._buffer = rest
            if 100 <= head.status < 200 and head.status != 101:
                continue  # interim: the response proper follows
            self.head = head
            self._frame(head)
            return True
        return False

    def _frame(self, head: Head) -> None:
        length = {value for name, value in head.headers if name == b"content-length"}
        if self._method == "HEAD" or head.status in _NO_BODY:
            self.done = True
        elif head.get(b"transfer-encoding"):
            if head.get(b"transfer-encoding").lower() != b"chunked" or length:
                raise BadResponse("unknown transfer encoding")
            self._chunked, self._left = True, 0
        elif length:
            text = length.pop()
            if length or not text.isdigit() or len(text) > 18:
                raise BadResponse("no length")
            self._left = int(text)
            self.done = self._left == 0

    def _read_plain(self) -> bytes:
        if self._left is None:
            body, self._buffer = self._buffer, b""
            return body
        body, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        self._left -= len(body)
        self.done = self._left == 0
        return body

    def _read_chunks(self) -> bytes:
        body = []
        while not self.done:
            if self._left:  # of a chunk, its end of line included
                piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
                body.append(piece if self._left - len(piece) >= 2 else piece[: max(0, self._left - 2)])
                self._left -= len(piece)
                if self._left:
                    break
            size, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                if len(size) > 1024:
                    raise BadResponse("no chunk")
                break
            self._left, self._buffer = _chunk_size(size) + 2, rest
            if self._left == 2:  # the last one; trailers are dropped
                self.done, self._buffer = True, b""
        return b"".join(body)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 12 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadResponse("no chunk")
    return int(digits, 16)


def _parse_head(text: bytes) -> Head:
    first, *lines = text.split(b"\r\n")
    words = first.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or len(words[1]) != 3 or not words[1].isdigit():
        raise BadResponse("no status")
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name.strip() != name or not name.isascii() or any(byte < 33 for byte in name):
            raise BadResponse("no header")
        if any(byte < 32 and byte != 9 for byte in value):
            raise BadResponse("no header")
        headers.append((name.lower(), value.strip()))
    status = int(words[1])
    if not 100 <= status < 600:
        raise BadResponse("no status")
    return Head(status, headers)
