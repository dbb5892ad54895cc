"""Back-pressure between a WebSocket and what stands behind it, as far as the ASGI server lets us.

ASGI has no word for it, and Daphne queues without bound in both directions. Where the server is
Daphne its protocol object is reachable through ``send``, and with it Twisted's own means: the
transport tells a *producer* when its buffer is full and when it is empty, and can be told not to
read. Under a server that waits inside ``send`` by itself, nothing here does anything.

One thing matters beyond speed: Twisted stops *reading* from a client whose buffer is full as long
as its HTTP channel is the transport's producer. Taking its place is what lets Ctrl-C overtake a flood.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any


class Flow:
    """The flow of one WebSocket. ``send`` is what the ASGI server gave the consumer."""

    def __init__(self, send: Any) -> None:
        self._transport = _transport(send)
        self._writable = asyncio.Event()
        self._writable.set()
        if self._transport is not None:
            self._transport.unregisterProducer()
            self._transport.registerProducer(self, True)

    async def drained(self) -> None:
        """Wait while what was sent last has not gone out."""
        await self._writable.wait()

    def pause_reading(self) -> None:
        """Take no more frames from the client for now."""
        if self._transport is not None:
            self._transport.pauseProducing()

    def resume_reading(self) -> None:
        if self._transport is not None and self._transport.connected and not self._transport.disconnecting:
            self._transport.resumeProducing()

    def release(self) -> None:
        """Let go of the transport, which is about to close."""
        if self._transport is not None:
            self._transport.unregisterProducer()
            self._transport = None
        self._writable.set()

    # Twisted's IPushProducer: the transport calls these.

    def pauseProducing(self) -> None:
        self._writable.clear()

    def resumeProducing(self) -> None:
        self._writable.set()

    def stopProducing(self) -> None:
        self._writable.set()


def _transport(send: Any) -> Any:
    """The Twisted transport behind Daphne's ``send``, or None under another server."""
    while not isinstance(send, partial):
        owner = getattr(send, "__self__", None)
        send = getattr(owner, "real_send", None)  # Django's cookie session wraps it, see channels.sessions
        if send is None:
            return None
    protocol = send.args[0] if send.args else None
    transport = getattr(protocol, "transport", None)
    return transport if hasattr(transport, "registerProducer") else None
