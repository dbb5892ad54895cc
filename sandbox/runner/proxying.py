"""What programs say to the door: HTTP's proxy requests (RFC 9112, RFC 9110) and SOCKS5 (RFC 1928). Pure.

Whoever speaks is a program of the session's user; what it asks for is judged outside.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import urlsplit

MAX_HEAD = 64 * 1024
_HOP_BY_HOP = {"connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade"}
_REASON = 300  # what fits on a line: pip and curl show the status line, not the page


class BadRequest(Exception):
    """It is no request to a proxy; the message says what it is instead."""


@dataclass(frozen=True)
class Request:
    """Where to; ``head`` is what to send there first, None for a tunnel (CONNECT)."""

    host: str
    port: int
    head: bytes | None = None


def parse_request(head: bytes) -> Request:
    """Read a request's head, its last empty line included.

    Raises:
        BadRequest: see there.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    match first.split(" "):
        case ["CONNECT", target, _]:
            return Request(*_authority(target, None))
        case [method, target, _] if target.lower().startswith("http://"):
            return _forwarded(method, target, lines)
        case [_, target, _] if target.startswith("/"):
            raise BadRequest("This is the session's proxy; it serves no pages of its own.")
        case _:
            raise BadRequest("This is no request that an HTTP proxy takes; https goes through CONNECT.")


def _forwarded(method: str, target: str, lines: list[str]) -> Request:
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise BadRequest("It names no host.") from error
    host, port = _authority(parts.netloc.rpartition("@")[2], 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [line for line in lines if line and line.partition(":")[0].strip().lower() not in {*_HOP_BY_HOP, "host"}]
    # One request for each connection: the next may be for another host.
    head = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", *kept, "Connection: close", "", ""]
    return Request(host, port, "\r\n".join(head).encode("latin-1"))


def _authority(text: str, default: int | None) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text, "" if default is None else str(default)
    if not host or not port.isascii() or not port.isdigit() or len(port) > 5:
        raise BadRequest("It names no host, or no port.")
    return host, int(port)


class LastResponse:
    """Marks a response as the last of its connection, piece by piece: ``feed`` gives what to pass on."""

    def __init__(self) -> None:
        self._head: bytearray | None = bytearray()

    def feed(self, data: bytes) -> bytes:
        if self._head is None:
            return data
        self._head += data
        passed = b""
        while self._head is not None:
            end = self._head.find(b"\r\n\r\n")
            if end < 0 and len(self._head) < MAX_HEAD and data:
                return passed
            if end < 0:  # no head of HTTP's: as it is
                rest, self._head = bytes(self._head), None
                return passed + rest
            head, rest = bytes(self._head[: end + 2]), bytes(self._head[end + 4 :])
            passed += _closing(head) + b"\r\n"
            interim = head[8:10] == b" 1"  # 100 Continue: the response proper is still to come
            self._head = bytearray(rest) if interim else None
            if not interim:
                return passed + rest
        return passed


def _closing(head: bytes) -> bytes:
    lines = head.split(b"\r\n")[:-1]
    kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in (b"connection", b"keep-alive")]
    return b"\r\n".join([*kept, b"Connection: close", b""])


def error_page(status: int, reason: str) -> bytes:
    """A response that says ``reason`` on its first line, which is what tools show, and as its text."""
    line = " ".join(reason.split())[:_REASON].encode("ascii", "replace")
    body = f"{reason}\n".encode()
    fields = b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close" % len(body)
    return b"HTTP/1.1 %d %s\r\n%s\r\n\r\n%s" % (status, line, fields, body)


TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"

# SOCKS5. Replies: granted, not allowed, unreachable, no such command, no such kind of address.
SOCKS, SOCKS_CONNECT = 5, 1
GRANTED, NOT_ALLOWED, UNREACHABLE, NO_COMMAND, NO_KIND = 0, 2, 4, 7, 8


def socks_reply(code: int) -> bytes:
    return struct.pack("!BBBBIH", SOCKS, code, 0, 1, 0, 0)


def socks_host(kind: int, raw: bytes) -> str:
    """The host in an address of SOCKS5: 1 IPv4, 3 a name, 4 IPv6."""
    if kind == 1:
        return ".".join(map(str, raw))
    return str(IPv6Address(raw)) if kind == 4 else raw.decode("latin-1")
