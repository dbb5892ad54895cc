"""Bytes between a stream of the wire and a socket, counted where the kernel takes and gives them.

An empty record is the end of its direction, as an end of file is the socket's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from sandbox.egress.account import Account
from sandbox.runner.wire import Stream

CHUNK = 64 * 1024


async def relay(stream: Stream, connection: socket.socket, account: Account) -> None:
    """Relay both ways until both are at their end.

    Raises:
        OSError: one of the ends broke.
        WireError, ValueError, TypeError: what came from inside is no stream.
    """
    both = [asyncio.create_task(work(stream, connection, account)) for work in (_outwards, _inwards)]
    try:
        await asyncio.gather(*both)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def _outwards(stream: Stream, connection: socket.socket, account: Account) -> None:
    async for _, payload in stream:
        if not payload:
            with contextlib.suppress(OSError):  # the other side has closed already
                connection.shutdown(socket.SHUT_WR)
            return
        rest = memoryview(payload)
        while rest:
            try:
                count = connection.send(rest)
            except BlockingIOError:
                loop = asyncio.get_running_loop()
                await _ready(connection, loop.add_writer, loop.remove_writer)
                continue
            account.sent(count)
            rest = rest[count:]
    raise ConnectionError("the sandbox's end is gone")


async def _inwards(stream: Stream, connection: socket.socket, account: Account) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            data = connection.recv(CHUNK)
        except BlockingIOError:
            await _ready(connection, loop.add_reader, loop.remove_reader)
            continue
        account.received(len(data))
        await stream.write(data)
        if not data:
            return


async def _ready(connection: socket.socket, add: Callable[..., Any], remove: Callable[[int], Any]) -> None:
    """Wait for one readiness of ``connection``."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    add(connection.fileno(), _settle, ready)
    try:
        await ready
    finally:
        remove(connection.fileno())


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():  # it is called again and again until it is removed
        ready.set_result(None)
