"""What every WebSocket of ours has in common: it lets go of what it holds, however it ends."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from sessions import background
from sessions.flow import Flow


class WebSocket(AsyncWebsocketConsumer):
    """One browser's connection, and the tasks that serve it.

    A consumer that is still busy with what its browser sent, some seconds after that has left, is cancelled by
    Daphne (``--application-close-timeout``), and Channels never calls its ``disconnect``: :meth:`leave` stands in for
    that.
    """

    channel_layer_alias = "none"  # nobody is sent to by its name: the layer would be polled for each connection
    flow: Flow

    def __init__(self) -> None:
        super().__init__()
        self._over = False
        self._ready = asyncio.Event()
        """What the browser sends is taken from then on, or dropped where it is over."""
        self._tasks: list[asyncio.Task[Any]] = []

    async def _end(self, code: int) -> None:
        """Close it, unless it is closed."""
        if self._over:
            return
        self._over = True
        self._ready.set()
        self.flow.release()
        await self.close(code)

    async def leave(self) -> None:
        """Let go of everything. Called once, at the very end, with or without :meth:`connect` before it."""
        self._over = True
        if hasattr(self, "flow"):
            self.flow.release()
        await background.end(*self._tasks)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(background.start(self.leave()))
