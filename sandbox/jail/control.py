"""The jail's socket: the serving end of :mod:`sandbox.runner.wire` on the jail's own loop.

Who connects is the site itself, so there is no more to it than calls and streams of records: what a
client writes to a stream or acknowledges is passed over, and a record that it has no room for is left out.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.jail.loop import Loop
from sandbox.runner.wire import CallError, Header, WireError, decode, encode

_MAX_FRAME = 1 << 20
_UNREAD = 64 * 1024  # bytes that wait for a client before records are left out
_FLUSH_SECONDS = 1.0

Method = Callable[..., None]
"""Called with the :class:`Call` and its params as keywords; answers it, then or later, or raises CallError."""


class Call:
    """A call to be answered. One that opens a stream then sends its records."""

    def __init__(self, connection: _Connection, id: int) -> None:
        self._connection, self._id = connection, id
        self._seq = 0

    @property
    def left(self) -> bool:
        """Whether the caller does not listen any more."""
        return self._connection.closed or self._id in self._connection.left

    def answer(self, result: Mapping[str, Any]) -> None:
        self._connection.send({"id": self._id, "result": result})

    def refuse(self, error: CallError) -> None:
        self._connection.send({"id": self._id, "error": {"code": error.code, "message": error.message}})

    def record(self, payload: bytes) -> bool:
        """Send a record; False where there is no room for it."""
        if self._connection.waiting > _UNREAD:
            return False
        self._connection.send({"stream": self._id, "seq": self._seq}, payload)
        self._seq += 1
        return True

    def end(self, reason: str) -> None:
        """No record will follow."""
        self._connection.send({"stream": self._id, "end": reason})


class Control:
    """Accepts on ``listener`` and hands calls to ``methods``, by name."""

    def __init__(self, loop: Loop, listener: socket.socket, methods: Mapping[str, Method]) -> None:
        self._loop, self._listener, self._methods = loop, listener, methods
        self._connections: set[_Connection] = set()
        loop.on_readable(listener.fileno(), self._accept)

    def finish(self) -> None:
        """Hear nobody any more, and stop the loop once what was said is sent."""
        self._loop.forget(self._listener.fileno())
        self._listener.close()
        self._loop.after(_FLUSH_SECONDS, self._loop.stop)
        self._stop_when_sent()

    def _stop_when_sent(self) -> None:
        if any(connection.waiting for connection in self._connections):
            self._loop.after(0.005, self._stop_when_sent)
        else:
            self._loop.stop()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it has left already
            connected, _ = self._listener.accept()
            connected.setblocking(False)
            self._connections.add(_Connection(self._loop, connected, self._methods, self._connections.discard))


class _Connection:
    def __init__(
        self,
        loop: Loop,
        connected: socket.socket,
        methods: Mapping[str, Method],
        on_close: Callable[[_Connection], None],
    ) -> None:
        self._loop, self._socket, self._methods, self._on_close = loop, connected, methods, on_close
        self._received, self._unsent = bytearray(), bytearray()
        self.left: set[int] = set()
        self.closed = False
        loop.on_readable(connected.fileno(), self._read)

    @property
    def waiting(self) -> int:
        """Bytes that are not sent yet."""
        return len(self._unsent)

    def send(self, header: Header, payload: bytes = b"") -> None:
        if not self.closed:
            self._unsent += encode(header, payload)
            if not self._flush():
                self._loop.on_writable(self._socket.fileno(), self._write)

    def _write(self) -> None:
        if self._flush() and not self.closed:
            self._loop.on_readable(self._socket.fileno(), self._read)

    def _flush(self) -> bool:
        """Send what can be sent; whether all is."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return False
        except OSError:
            self._close()
        return True

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        self._received += data
        try:
            while not self.closed and (frame := self._take_frame()):
                self._dispatch(frame)
        except WireError:
            self._close()

    def _take_frame(self) -> Header | None:
        if len(self._received) < 4:
            return None
        length = int.from_bytes(self._received[:4], "big")
        if length > _MAX_FRAME:
            raise WireError(f"frame of {length} bytes is over the limit")
        if len(self._received) < 4 + length:
            return None
        header, _ = decode(bytes(self._received[4 : 4 + length]))
        del self._received[: 4 + length]
        return header

    def _dispatch(self, header: Header) -> None:
        if "stream" in header:
            if "end" in header and isinstance(header["stream"], int):
                self.left.add(header["stream"])
            return
        id, params = header.get("id"), header.get("params", {})
        if not isinstance(id, int):
            raise WireError("a call without an id")
        call = Call(self, id)
        method = self._methods.get(str(header.get("call")))
        try:
            if method is None or not isinstance(params, dict):
                raise CallError("bad_request", "no such method, or its parameters are not an object")
            method(call, **params)
        except CallError as error:
            call.refuse(error)
        except TypeError as error:
            call.refuse(CallError("bad_request", str(error)))
        except Exception:
            call.refuse(CallError("failed", "That went wrong where it was asked for; its log says how."))
            raise

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            self._unsent.clear()
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._on_close(self)
