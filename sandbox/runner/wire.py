"""The wire: one framing and one call convention for every private socket of a site.

The runner (inside a sandbox), the jail (outside it) and the session service all
speak it, so there is one codec to read and to attack.

A frame is::

    u32 big-endian  length of everything that follows
    u16 big-endian  length of the header
    header          a JSON object, UTF-8
    payload         bytes, as they are (kernel messages, terminal output)

Headers are of four kinds:

``{"call": method, "id": n, "params": {...}}``
    a request; the answer is ``{"id": n, "result": ...}`` or
    ``{"id": n, "error": {"code": str, "message": str}}``.
``{"stream": n, "seq": k}`` with a payload
    record *k* of the stream that call *n* opened (server to client), with ``"cut": m`` if
    records before it are lost and all below *m* are old. From client to server
    ``{"stream": n}`` with a payload writes to it.
``{"stream": n, "ack": k}``
    the client has taken all records below *k*: what a server may have under way is its affair.
``{"stream": n, "end": reason}``
    the stream is over (server to client), or the client leaves it.

The peer of a runner is hostile until proved otherwise: sizes are bounded before
anything is allocated, and anything malformed raises :class:`WireError`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from sandbox.runner.sockets import open_unix_connection

MAX_FRAME = 64 * 1024 * 1024
MAX_HEADER = 64 * 1024 - 1
WAITING = 1024 * 1024
ACKNOWLEDGE = 16 * 1024

_MAX_MESSAGE = 4096

log = logging.getLogger(__name__)
_UNREAD = 256 * 1024  # bytes of headers that may wait for a peer that does not read

Header = dict[str, Any]
_PREFIX = struct.Struct(">IH")


class WireError(Exception):
    """The peer sent something that is not a frame of this protocol."""


class CallError(Exception):
    """The peer answered a call with an error: a stable ``code`` and a sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def encode(header: Header, payload: bytes = b"") -> bytes:
    """Return one frame.

    Raises:
        WireError: header or frame is larger than the protocol allows.
    """
    head = json.dumps(header, separators=(",", ":")).encode()
    length = 2 + len(head) + len(payload)
    if len(head) > MAX_HEADER or length > MAX_FRAME:
        raise WireError(f"frame of {length} bytes (header {len(head)}) is over the limit")
    return b"".join((_PREFIX.pack(length, len(head)), head, payload))


def decode(body: bytes) -> tuple[Header, bytes]:
    """Return header and payload of a frame's body (all that follows its first length).

    Raises:
        WireError: the body is not a header and a payload.
    """
    if len(body) < 2:
        raise WireError("frame without a header")
    size = int.from_bytes(body[:2], "big")
    if 2 + size > len(body):
        raise WireError("header runs past its frame")
    try:
        header = json.loads(body[2 : 2 + size])
    except (ValueError, RecursionError) as error:
        raise WireError("header is not JSON") from error
    if not isinstance(header, dict):
        raise WireError("header is not an object")
    return header, body[2 + size :]


async def read_frame(reader: asyncio.StreamReader, limit: int = MAX_FRAME) -> tuple[Header, bytes] | None:
    """Read one frame of at most ``limit`` bytes; ``None`` at a clean end of the connection.

    Raises:
        WireError: malformed, oversized or truncated frame.
    """
    try:
        prefix = await reader.readexactly(4)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("connection ended inside a frame") from error
        return None
    except ConnectionError:
        return None
    length = int.from_bytes(prefix, "big")
    if length > limit:
        raise WireError(f"frame of {length} bytes is over the limit")
    try:
        return decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise WireError("connection ended inside a frame") from error


class Stream:
    """A stream that a call opened: iterate over ``(seq, payload)``; ``write`` sends to the other end.

    Of a record that is being looked at, ``cut`` tells whether the one before it was lost: it is ``None``, or
    the number below which all records are old. ``size`` is how many rows and columns it and those that follow are
    for, where that has changed. Whoever iterates acknowledges a record by asking for the next,
    or, with ``by_hand``, by :meth:`acknowledge`. A server that does not heed that is stopped by not reading
    its connection while ``most`` bytes wait here.
    """

    def __init__(self, client: Client, id: int, result: Any, most: int = WAITING) -> None:
        self._client, self.id, self.result, self._most = client, id, result, most
        self._records: deque[tuple[Header, bytes]] = deque()
        self._waiting = self._taken = self._below = self._asked = self._acknowledged = 0
        self._came, self._room = asyncio.Event(), asyncio.Event()
        self.by_hand = False
        self.cut: int | None = None
        self.size: tuple[int, int] | None = None
        self.end: Any = None

    def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            self._asked = self._below
            if not self.by_hand and (not self._records or self._taken >= ACKNOWLEDGE):
                self.acknowledge(self._asked)
            header, payload = await self._next()
            if "end" in header:
                self.end = header["end"]
                return
            self.cut, seq = _number(header.get("cut")), _number(header.get("seq")) or 0
            self.size = _size(header.get("size"))
            self._below, self._taken = seq + 1, self._taken + len(payload) + 1
            yield seq, payload

    def acknowledge(self, below: int) -> None:
        """Say that all records before ``below`` were taken."""
        if below > self._acknowledged:
            self._taken, self._acknowledged = 0, below
            self._client.post({"stream": self.id, "ack": below})

    async def write(self, *payloads: bytes) -> None:
        await self._client.send({"stream": self.id}, *payloads)

    async def close(self) -> None:
        """Leave it. What is still under way is passed over; what was taken is acknowledged."""
        if not self.by_hand:
            self.acknowledge(self._asked)
        self._client.forget(self)
        await self._client.send({"stream": self.id, "end": None})

    async def _put(self, header: Header, payload: bytes) -> None:
        while self._waiting >= self._most:
            self._room.clear()
            await self._room.wait()
        self._force(header, payload)

    def _force(self, header: Header, payload: bytes = b"") -> None:
        self._records.append((header, payload))
        self._waiting += len(payload) + 64
        self._came.set()

    async def _next(self) -> tuple[Header, bytes]:
        while not self._records:
            self._came.clear()
            await self._came.wait()
        header, payload = self._records.popleft()
        self._waiting -= len(payload) + 64
        self._room.set()
        return header, payload


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _size(value: Any) -> tuple[int, int] | None:
    match value:
        case [int(rows), int(columns)] if 0 < rows < 1 << 16 and 0 < columns < 1 << 16:
            return rows, columns
    return None


class Client:
    """The calling end of a connection: ``call`` for an answer, ``open`` for a stream.

    >>> async with await Client.connect(path) as client:
    ...     await client.call("kernel.list")
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        max_frame: int = MAX_FRAME,
        waiting: int = WAITING,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._max_frame, self._waiting = max_frame, waiting
        self._ids = itertools.count(1)
        self._sending = 0  # bytes whose sender waits until they are gone
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._streams: dict[int, Stream] = {}
        self._pump = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: Path | str, max_frame: int = MAX_FRAME, waiting: int = WAITING) -> Client:
        """Connect to the socket at ``path``. Who has many connections takes smaller frames and lets fewer bytes wait.

        Raises:
            OSError: nobody listens there.
        """
        reader, writer = await open_unix_connection(path, min(max_frame, 1 << 20))
        return cls(reader, writer, max_frame, waiting)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def call(self, method: str, **params: Any) -> Any:
        """Call ``method`` and return its result.

        Raises:
            CallError: the peer refused or failed.
            ConnectionError: the connection ended first.
        """
        return await self._call(next(self._ids), method, params)

    async def open(self, method: str, **params: Any) -> Stream:
        """Call ``method``, which opens a stream, and return the stream; errors as for ``call``."""
        id = next(self._ids)
        self._streams[id] = stream = Stream(self, id, None, self._waiting)
        try:
            stream.result = await self._call(id, method, params)
        except BaseException:
            self._streams.pop(id, None)
            raise
        return stream

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""
        return self._pump.done()

    def forget(self, stream: Stream) -> None:
        self._streams.pop(stream.id, None)

    async def send(self, header: Header, *payloads: bytes) -> None:
        """Send a frame for each of ``payloads``; one without any where there are none."""
        frame = b"".join(encode(header, payload) for payload in payloads or (b"",))
        self._sending += len(frame)
        try:
            self._writer.write(frame)
            await self._writer.drain()
        finally:
            self._sending -= len(frame)

    def post(self, header: Header) -> None:
        """Send a header without waiting. Where the connection is gone its end says so.

        A peer that never reads is left: what waits for it must not grow without bound. What a sender waits
        for is bounded by its waiting: a paste into a program that reads slowly is no reason to leave.
        """
        if self._writer.transport.get_write_buffer_size() - self._sending > _UNREAD:
            self._writer.transport.abort()
        if not self._writer.is_closing():
            self._writer.write(encode(header))

    async def close(self) -> None:
        self._pump.cancel()
        self._writer.close()
        await asyncio.gather(self._pump, return_exceptions=True)

    async def _call(self, id: int, method: str, params: dict[str, Any]) -> Any:
        if self._pump.done():
            raise ConnectionError("the connection is closed")
        answer = self._answers[id] = asyncio.get_running_loop().create_future()
        try:
            await self.send({"call": method, "id": id, "params": params})
            return await answer
        finally:
            self._answers.pop(id, None)

    async def _read(self) -> None:
        reason = "the connection ended"
        try:
            while (frame := await read_frame(self._reader, self._max_frame)) is not None:
                await self._dispatch(*frame)
        except WireError as error:
            reason = str(error)
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionError(reason))
            for stream in self._streams.values():
                stream._force({"end": {"lost": reason}})

    async def _dispatch(self, header: Header, payload: bytes) -> None:
        if "stream" in header:
            stream = self._streams.get(header["stream"])
            if stream is not None:
                await stream._put(header, payload)
                if "end" in header:
                    self._streams.pop(stream.id, None)
            return
        answer = self._answers.get(header.get("id", 0))
        if answer is None or answer.done():
            return
        if isinstance(error := header.get("error"), dict):
            answer.set_exception(CallError(str(error.get("code")), str(error.get("message"))))
        else:
            answer.set_result(header.get("result"))


def _error(id: Any, code: str, message: str) -> bytes:
    return encode({"id": id, "error": {"code": code, "message": message[:_MAX_MESSAGE]}})


Method = Callable[..., Awaitable[Any]]


class Peer:
    """One accepted connection on the serving side.

    ``methods`` maps a name to a coroutine function called with the peer, the call's id and its params
    as keywords. A method that opens a stream registers a writer with :meth:`on_write`, a listener for
    acknowledgements with :meth:`on_acknowledge`, and gives the stream's work to :meth:`spawn`: it begins once
    the call is answered, and ends when the connection does.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, methods: dict[str, Method]) -> None:
        self._reader, self._writer, self._methods = reader, writer, methods
        self._writers: dict[int, Callable[[bytes], Awaitable[None]]] = {}
        self._listeners: dict[int, Callable[[int], None]] = {}
        self._tasks: dict[int, set[asyncio.Task[Any]]] = {}
        self._opened: dict[int, Coroutine[Any, Any, None]] = {}

    def on_write(self, id: int, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._writers[id] = write

    def on_acknowledge(self, id: int, listen: Callable[[int], None]) -> None:
        self._listeners[id] = listen

    def spawn(self, id: int, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work``, the sending side of stream ``id``, after the answer: no record may overtake it."""
        self._opened[id] = work

    def _start(self, id: int, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        tasks = self._tasks.setdefault(id, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def keep_nothing_back(self) -> None:
        """From now on what was sent is with the system once a send returns: it arrives though we are killed."""
        self._writer.transport.set_write_buffer_limits(high=0)

    async def send(self, header: Header, payload: bytes = b"") -> None:
        self._writer.write(encode(header, payload))
        await self._writer.drain()

    async def send_all(self, frames: Iterable[tuple[Header, bytes]]) -> None:
        """Send what is there already, in one go."""
        self._writer.write(b"".join(encode(*frame) for frame in frames))
        await self._writer.drain()

    async def serve(self) -> None:
        """Answer until the peer leaves. A peer that breaks the protocol is disconnected."""
        try:
            while (frame := await read_frame(self._reader)) is not None:
                await self._dispatch(*frame)
        except (WireError, ConnectionError):
            pass  # the peer's fault or the peer's leaving: nothing of ours to save
        finally:
            for tasks in self._tasks.values():
                for task in list(tasks):
                    task.cancel()
            self._writer.close()

    async def _dispatch(self, header: Header, payload: bytes) -> None:
        id = header.get("stream")
        if isinstance(id, int):
            if "end" in header:
                self._writers.pop(id, None)
                self._listeners.pop(id, None)
                for task in list(self._tasks.get(id, ())):
                    task.cancel()
            elif "ack" in header:
                if id in self._listeners and isinstance(header["ack"], int):
                    self._listeners[id](header["ack"])
            elif id in self._writers:
                await self._writers[id](payload)
            return
        self._start(0, self._answer(header))
        await asyncio.sleep(0)  # it begins before the next frame is read: a size before what is typed into it

    async def _answer(self, header: Header) -> None:
        id, params = header.get("id"), header.get("params", {})
        method = self._methods.get(str(header.get("call")))
        try:
            if method is None or not isinstance(params, dict) or not isinstance(id, int):
                raise CallError("bad_request", "no such method, or its parameters are not an object")
            frame = encode({"id": id, "result": await method(self, id, **params)})
        except CallError as error:
            frame = _error(id, error.code, error.message)
        except TypeError as error:
            frame = _error(id, "bad_request", str(error))
        except Exception:  # whoever calls must not wait for ever; what went wrong is for our log alone
            log.exception("%s failed", header.get("call"))
            frame = _error(id, "failed", "That went wrong where it was asked for; its log says how.")
        try:
            self._writer.write(frame)
            await self._writer.drain()
        except ConnectionError:
            return  # the caller left before its answer
        finally:
            if isinstance(id, int) and id in self._opened:
                self._start(id, self._opened.pop(id))
