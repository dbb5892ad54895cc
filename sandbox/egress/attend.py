"""One sandbox's way out: hears what its door asks for, and relays. Everything that comes from it is hostile."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from sandbox.egress.account import Account, NoAccount
from sandbox.egress.reach import Unreachable, reach
from sandbox.egress.record import Record
from sandbox.egress.relay import relay
from sandbox.egress.rules import Allowance, Refused
from sandbox.runner.wire import CallError, Client, WireError

MOST_CONNECTIONS = 128
"""Open or being opened, for one sandbox."""
MAX_FRAME = 128 * 1024
WAITING = 1024
"""Bytes that wait beside the frame that comes, for each connection to a runner."""
RETRY_SECONDS = (0.1, 0.5, 1.0)
LOGGED_REFUSALS = 20
"""Refusals of a sandbox that are logged in a minute; what is refused more often is only counted."""

# What a connection to a runner that ends, lies or leaves can raise here.
_BROKEN = (OSError, WireError, CallError, ValueError, TypeError, KeyError, RecursionError)

log = logging.getLogger(__name__)


class Attendant:
    """Serves the sandbox that ``record`` describes, until :meth:`leave` or :meth:`close`."""

    def __init__(self, directory: Path, record: Record, allowances: Sequence[Allowance]) -> None:
        """Take a slot of its account.

        Raises:
            NoAccount: the sandbox has just gone.
        """
        self._id, self._record, self._allowances = directory.name, record, allowances
        self._account = Account(directory)
        self._connections: set[asyncio.Task[None]] = set()
        self._refusals = 0
        self._listening = asyncio.create_task(self._listen())
        self._forgiving = asyncio.create_task(self._forgive())

    async def leave(self) -> None:
        """Take no new requests; returns once the connections that are open have ended by themselves."""
        self._listening.cancel()
        while self._connections:
            await asyncio.wait(self._connections)
        await self.close()

    async def close(self) -> None:
        """End everything at once: the sandbox is gone."""
        tasks = [self._listening, self._forgiving, *self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._account.close()

    async def _listen(self) -> None:
        attempt = 0
        while True:
            try:
                async with await Client.connect(self._record.runner, MAX_FRAME, WAITING) as client:
                    requests = await client.open("egress.requests")
                    requests.by_hand = True  # who never reads cannot fill our memory with acknowledgements
                    attempt = 0
                    async for _, payload in requests:
                        self._take(client, payload)
            except _BROKEN as error:
                log.debug("%s: its runner is away: %r", self._id, error)
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    def _take(self, client: Client, payload: bytes) -> None:
        """Begin to serve one request. Never waits: behind it in the same connection may be what it would wait for.

        Raises:
            ValueError, TypeError, KeyError: it is none, or there is no end of them.
        """
        request = json.loads(payload)
        id, host, port = request["id"], request["host"], request["port"]
        if not (isinstance(id, int) and isinstance(host, str) and isinstance(port, int) and len(host) <= 1024):
            raise ValueError("not a request")
        if len(self._connections) < MOST_CONNECTIONS:
            self._spawn(self._serve(client, id, host, port))
        elif len(self._connections) < 2 * MOST_CONNECTIONS:
            self._spawn(_answer(client, id, "busy", "Too many connections are open; close some."))
        else:
            raise ValueError("a flood of requests")

    async def _serve(self, client: Client, id: int, host: str, port: int) -> None:
        try:
            connection = await reach(self._record.network, self._allowances, host, port)
        except Refused as refused:
            self._log_refusal(host, port, refused)
            await _answer(client, id, "refused", str(refused))
        except Unreachable as unreachable:
            await _answer(client, id, "unreachable", str(unreachable))
        else:
            with connection:
                await self._meet(id, connection)

    async def _meet(self, id: int, connection: socket.socket) -> None:
        try:
            async with await Client.connect(self._record.runner, MAX_FRAME, WAITING) as inside:
                stream = await inside.open("egress.open", id=id)
                stream.by_hand = True
                await relay(stream, connection, self._account)
        except _BROKEN as error:
            log.debug("%s: a connection broke: %r", self._id, error)

    def _log_refusal(self, host: str, port: int, refused: Refused) -> None:
        self._refusals += 1
        if self._refusals <= LOGGED_REFUSALS:
            log.info("%s: refused %.100r port %d: %s", self._id, host, port, refused)

    async def _forgive(self) -> None:
        while True:
            await asyncio.sleep(60)
            if self._refusals > LOGGED_REFUSALS:
                log.info("%s: refused %d more", self._id, self._refusals - LOGGED_REFUSALS)
            self._refusals = 0

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._connections.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: a connection failed: %r", self._id, error, exc_info=error)


async def _answer(client: Client, id: int, code: str, reason: str) -> None:
    try:
        await client.call("egress.refuse", id=id, code=code, reason=reason)
    except _BROKEN:
        return  # who asked has left


__all__ = ["Attendant", "NoAccount"]
