"""A client that does as our pages do: it says what it has taken, and after each loss asks for what came since."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from sessions.jupyter import framing
from tests.live import Account
from tests.sessions.test_streams import read

_LOST = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, TimeoutError, EOFError)
FINAL = {4401, 4403, 4404, 4410}


class Ended(Exception):
    """The server said that there is no point in trying again."""


class Resuming:
    """A stream at ``path``. ``cuts`` lists the numbers at which it was told of a loss."""

    def __init__(self, url: str, account: Account, path: str) -> None:
        self._url = url.replace("http", "ws", 1) + path + ("&" if "?" in path else "?")
        self._account, self.next = account, 0
        self.connections = 0
        self.cuts: list[int] = []
        self.socket: Any = None

    async def records(self, first: Callable[[], bytes | None] = lambda: None) -> AsyncGenerator[tuple[int, bytes]]:
        """Records in order, each once. ``first`` is what to say on the first connection."""
        while True:
            try:
                async for record in self._once(first if self.connections == 0 else lambda: None):
                    yield record
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in FINAL:
                    raise Ended(closed.rcvd.code) from closed
            except _LOST:
                pass  # as a page does: again, in a moment
            await asyncio.sleep(0.05)

    async def _once(self, first: Callable[[], bytes | None]) -> AsyncIterator[tuple[int, bytes]]:
        options: Any = {"additional_headers": self._account.headers, "max_size": None, "open_timeout": 5}
        if self.protocol:
            options["subprotocols"] = [Subprotocol(self.protocol)]
        async with connect(f"{self._url}since={self.next}", proxy=None, **options) as self.socket:
            self.connections += 1
            await self.socket.send(self.acknowledgement())
            if (said := first()) is not None:
                await self.socket.send(said)
            while True:
                frame = await asyncio.wait_for(self.socket.recv(decode=False), 20)
                if (record := self.take(frame)) is not None and record[0] >= self.next:
                    self.next = record[0] + 1
                    yield record
                    await self.socket.send(self.acknowledgement())

    protocol = ""

    def acknowledgement(self) -> bytes:
        return struct.pack(">BQ", 2, self.next)

    def take(self, frame: bytes) -> tuple[int, bytes] | None:
        """A record, or None when the frame is none."""
        if frame[0] == 2:
            self.cuts.append(struct.unpack_from(">Q", frame, 1)[0])
        return (struct.unpack_from(">Q", frame, 1)[0], frame[9:]) if frame[0] == 0 else None


class ResumingKernel(Resuming):
    """A kernel's channels."""

    protocol = framing.NUMBERED

    def acknowledgement(self) -> bytes:
        return struct.pack(">Q", self.next)

    def take(self, frame: bytes) -> tuple[int, bytes] | None:
        seq, body = framing.unnumber(frame)
        if not body:
            self.cuts.append(seq)
            return None
        return seq, body

    async def messages(self, first: bytes) -> AsyncIterator[dict[str, Any]]:
        async with contextlib.aclosing(self.records(lambda: first)) as records:
            async for _, body in records:
                yield read(body)


class Network:
    """A TCP connection's way through a bad network: a proxy in front of ``port`` that stalls and resets."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._flows: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.port = 0

    async def __aenter__(self) -> Network:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self._open.set()
        self.reset()
        await asyncio.gather(*self._flows, return_exceptions=True)

    def reset(self) -> None:
        """Break every connection, as a router does that has forgotten it."""
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self, stalled: bool) -> None:
        """Let nothing through, or let it through again."""
        (self._open.clear if stalled else self._open.set)()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, forth}
        for source, target in ((reader, forth), (back, writer)):
            task = asyncio.create_task(self._flow(source, target))
            self._flows.add(task)
            task.add_done_callback(self._flows.discard)

    async def _flow(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                await self._open.wait()
                target.write(data)
                await target.drain()
        self._writers.discard(target)
        target.close()
