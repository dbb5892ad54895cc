"""The door: the proxy on 127.0.0.1 through which programs inside reach the network. See :mod:`sandbox.egress`.

It decides nothing. Each connection becomes a request that whoever attends outside hears
(``egress.requests``) and then either meets here (``egress.open``) or refuses (``egress.refuse``).
A request that nobody attends to waits a while, so that a restart outside goes unnoticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import struct
from dataclasses import dataclass, field
from typing import Any

from sandbox.runner import proxying
from sandbox.runner.joining import Meeting, join, offer
from sandbox.runner.proxying import BadRequest
from sandbox.runner.wire import CallError, Peer

PORT = 3128
MOST_CONNECTIONS = 256
WAIT_SECONDS = 60.0
"""How long a request waits for its answer: longer than any answer takes while somebody attends."""

_STATUS = {"refused": 403, "unreachable": 502, "busy": 503}


class NotConnected(Exception):
    """Outside could not or would not: ``code`` is ``refused``, ``unreachable`` or ``busy``."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class Waiting:
    """A request without an answer yet."""

    message: bytes
    answer: asyncio.Future[Meeting] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Door:
    """See the module's text. ``methods`` are the runner's part of it."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._waiting: dict[int, Waiting] = {}
        self._attending: set[asyncio.Queue[bytes]] = set()
        self._open = 0
        self.methods = {"egress.requests": self.requests, "egress.open": self.open, "egress.refuse": self.refuse}

    async def listen(self, port: int) -> None:
        """Serve on 127.0.0.1 for as long as the loop runs."""
        await asyncio.start_server(self._accept, "127.0.0.1", port, limit=proxying.MAX_HEAD)

    # What the outside calls

    async def requests(self, peer: Peer, call: int) -> dict[str, Any]:
        """Opens a stream of requests, ``{"id", "host", "port"}``; those that wait come first."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        for waiting in self._waiting.values():
            queue.put_nowait(waiting.message)
        self._attending.add(queue)

        async def pump() -> None:
            try:
                for seq in itertools.count():
                    await peer.send({"stream": call, "seq": seq}, await queue.get())
            finally:
                self._attending.discard(queue)

        peer.spawn(call, pump())
        return {}

    async def open(self, peer: Peer, call: int, id: int) -> dict[str, Any]:
        """Opens a stream that is request ``id``'s connection; an empty record is a direction's end."""
        waiting = self._answered(id)
        waiting.answer.set_result(offer(peer, call))
        return {}

    async def refuse(self, peer: Peer, call: int, id: int, code: str, reason: str) -> dict[str, Any]:
        self._answered(id).answer.set_exception(NotConnected(code, reason))
        return {}

    def _answered(self, id: int) -> Waiting:
        waiting = self._waiting.pop(id, None)
        if waiting is None or waiting.answer.done():
            raise CallError("not_found", "Nobody waits for this.")
        return waiting

    # What programs inside say

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            first = await reader.readexactly(1)
            if first[0] == proxying.SOCKS:
                await self._socks(reader, writer)
            else:
                await self._http(first, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the program has left
        finally:
            self._open -= 1
            writer.close()

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = proxying.parse_request(first + await reader.readuntil(b"\r\n\r\n"))
            meeting = await self._connect(request.host, request.port)
        except (BadRequest, asyncio.LimitOverrunError) as error:
            writer.write(proxying.error_page(400, str(error)))
        except NotConnected as error:
            writer.write(proxying.error_page(_STATUS.get(error.code, 502), f"Madang: {error}"))
        else:
            if request.head is None:
                writer.write(proxying.TUNNEL)
                await join(meeting, reader, writer)
            else:
                await join(meeting, reader, writer, request.head, proxying.LastResponse().feed)
            return
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = (await reader.readexactly(1))[0]
        await reader.readexactly(count)  # ways to sign in: none is needed
        writer.write(bytes((proxying.SOCKS, 0)))
        _, command, _, kind = await reader.readexactly(4)
        if kind not in (1, 3, 4) or command != proxying.SOCKS_CONNECT:
            writer.write(proxying.socks_reply(proxying.NO_COMMAND if kind in (1, 3, 4) else proxying.NO_KIND))
            return
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        host = proxying.socks_host(kind, await reader.readexactly(size))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        try:
            meeting = await self._connect(host, port)
        except NotConnected as error:
            code = proxying.NOT_ALLOWED if error.code == "refused" else proxying.UNREACHABLE
            writer.write(proxying.socks_reply(code))
            return
        writer.write(proxying.socks_reply(proxying.GRANTED))
        await join(meeting, reader, writer)

    async def _connect(self, host: str, port: int) -> Meeting:
        """Ask outside for a connection.

        Raises:
            NotConnected: there is none.
        """
        if self._open > MOST_CONNECTIONS:
            raise NotConnected("busy", "Too many connections are open; close some.")
        id = next(self._ids)
        message = json.dumps({"id": id, "host": host[:1024], "port": port}).encode()
        waiting = self._waiting[id] = Waiting(message)
        for queue in self._attending:
            queue.put_nowait(message)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiting.answer
        except TimeoutError:
            raise NotConnected("unreachable", "The site's proxy does not answer; try again in a moment.") from None
        finally:
            self._waiting.pop(id, None)
