"""The way out for what web fetches on somebody's behalf: an HTTP proxy of this process that judges addresses.

It speaks ``CONNECT`` alone, and connects by :func:`sandbox.egress.reach.reach`: the name is resolved once and
the address that was judged is the one connected to, at each redirect as well. So no fetched address leads into
the site's own networks.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Sequence

from sandbox.egress.reach import Unreachable, reach
from sandbox.egress.rules import Allowance, Network, Refused

HEAD = 16 * 1024
CHUNK = 64 * 1024
_CONNECT = re.compile(rb"CONNECT (\[[0-9a-fA-F:.]+\]|[^\s/\[\]]+):(\d{1,5}) HTTP/1\.[01]\r\n")


class Door:
    """A context manager; ``address`` is where the proxy listens, ``refusal`` why it last said no ("": never)."""

    def __init__(self, network: Network, allowances: Sequence[Allowance]) -> None:
        self._network, self._allowances = network, allowances
        self.address = self.refusal = ""
        self._ready, self._leave = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def __enter__(self) -> Door:
        self._thread.start()
        self._ready.wait()
        if not self.address:
            raise OSError("the door could not be opened")
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._listen())
        finally:
            self._ready.set()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD)
        self.address = "http://{}:{}".format(*server.sockets[0].getsockname())
        self._ready.set()
        await self._leave.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._relay(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # who asked has left, or the other side has
        finally:
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = _CONNECT.match(await reader.readuntil(b"\r\n\r\n"))
        if not asked:
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        host, port = asked[1].decode("latin-1"), int(asked[2])
        try:
            connection = await reach(self._network, self._allowances, host, port)
        except (Refused, Unreachable) as error:
            self.refusal = str(error)
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        there, back = await asyncio.open_connection(sock=connection)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            back.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(CHUNK):
        target.write(block)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
