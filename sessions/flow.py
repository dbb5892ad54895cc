"""Back-pressure between a WebSocket and what stands behind it, as far as the ASGI server lets us.

ASGI has no word for it, and Daphne queues without bound in both directions. Where the server is
Daphne its protocol object is reachable through ``send``, and with it Twisted's own means: the
transport tells its *producer* each time that all it was given has gone out, and can be told not to
read. Under a server that waits inside ``send`` by itself, nothing here does anything.

One thing matters beyond speed: Twisted stops *reading* from a client whose buffer is full as long
as its HTTP channel is the transport's producer. Taking its place is what lets Ctrl-C overtake a flood.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

QUEUED = 64 * 1024
"""Bytes that wait in the server before the next are not given to it."""
UNSENT = 32 * 1024
"""Bytes that wait in the kernel for the network: by itself it takes megabytes. tcp(7), TCP_NOTSENT_LOWAT."""


class Flow:
    """The flow of one WebSocket. ``send`` is what the ASGI server gave the consumer.

    ``gone_out`` is called when all that was sent so far has been handed to the network.
    """

    def __init__(self, send: Any, gone_out: Callable[[], None] = lambda: None) -> None:
        self._gone_out = gone_out
        self._queued = 0
        self._room = asyncio.Event()
        self._room.set()
        self._protocol = _protocol(send)
        self._transport = getattr(self._protocol, "transport", None)
        if self._transport is not None:
            self._transport.unregisterProducer()
            self._transport.registerProducer(self, False)
            _keep_short(self._transport)

    def sending(self, size: int) -> None:
        """The server is about to be given ``size`` bytes."""
        if self._transport is not None:
            self._queued += size
            if self._queued >= QUEUED:
                self._room.clear()

    async def drained(self) -> None:
        """Wait while too much of what was sent has not gone out."""
        if self._transport is None:
            self._gone_out()
        await self._room.wait()

    def pause_reading(self) -> None:
        """Take no more frames from the client for now."""
        if self._transport is not None:
            self._transport.pauseProducing()

    def resume_reading(self) -> None:
        if self._transport is not None and self._transport.connected and not self._transport.disconnecting:
            self._transport.resumeProducing()

    def on_pong(self, answered: Callable[[bytes], None]) -> bool:
        """Have ``answered`` called with each pong of the client, and say whether :meth:`ping` can ask for one."""
        if self._transport is None:
            return False
        self._protocol.onPong = answered
        return True

    def ping(self, payload: bytes) -> None:
        """Ask the client to send ``payload`` back once it has read what was sent before."""
        if self._transport is not None:
            self._protocol.sendPing(payload)

    def release(self) -> None:
        """Let go of the transport, which is about to close."""
        if self._transport is not None:
            self._transport.unregisterProducer()
            self._transport = None
        self._room.set()

    # Twisted's IPullProducer: the transport calls these.

    def resumeProducing(self) -> None:
        self._queued = 0
        self._room.set()
        self._gone_out()

    def stopProducing(self) -> None:
        self._room.set()


def _protocol(send: Any) -> Any:
    """The protocol object behind Daphne's ``send``, which has a Twisted transport; None under another server."""
    while not isinstance(send, partial):
        owner = getattr(send, "__self__", None)
        send = getattr(owner, "real_send", None)  # Django's cookie session wraps it, see channels.sessions
        if send is None:
            return None
    protocol = send.args[0] if send.args else None
    return protocol if hasattr(getattr(protocol, "transport", None), "registerProducer") else None


def _keep_short(transport: Any) -> None:
    """Send what there is at once, and let the kernel queue no more than it needs."""
    handle = getattr(transport, "getHandle", lambda: None)()
    if isinstance(handle, socket.socket) and handle.family in (socket.AF_INET, socket.AF_INET6):
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
