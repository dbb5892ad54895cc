"""What answers a WebSocket that no route knows."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import re_path

NO_SUCH_THING = 4404


class NoSuchStream(AsyncWebsocketConsumer):
    """Says so with a close code, where an exception would only break the connection."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NO_SUCH_THING)

    @classmethod
    def route(cls) -> Any:
        return re_path(r"", cls.as_asgi())
