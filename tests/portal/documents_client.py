"""A browser with a document open, in tests: pycrdt on the other end of the WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from pycrdt import Doc, Text, TransactionEvent

from portal.documents import wire
from portal.documents.routing import websocket_urlpatterns
from portal.keys import create_key
from tests.until import until

application = URLRouter(websocket_urlpatterns)


class Tab:
    """Connects, synchronises, and goes on doing so; ``doc`` survives a lost connection, as in a browser."""

    def __init__(self, user: Any, project: Any, path: str) -> None:
        self.user, self.project, self.path = user, project, path
        self.doc: Doc[Any] = Doc()
        self.source = self.doc.get("source", type=Text)
        self.document = ""
        self.said: deque[dict[str, Any]] = deque()
        self.presences: deque[list[wire.Presence]] = deque()
        self.hello: dict[str, Any] = {}
        self.code: int | None = None
        self.sent = self.taken = self.number = self.saved = 0
        self._unsent: list[bytes] = []
        self._mine = True
        self._subscription = self.doc.observe(self._changed)

    def _changed(self, event: TransactionEvent) -> None:
        if self._mine:
            self._unsent.append(event.update)

    async def connect(self) -> Tab:
        query = f"?document={self.document}" if self.document else ""
        self._it = WebsocketCommunicator(
            application, f"/api/v1/projects/{self.project.pk}/documents/{self.path}{query}"
        )
        key, _text = await database_sync_to_async(create_key)(self.user, "a tab")
        self._it.scope.update(user=self.user, api_key=key)
        self.code, self.sent, self.taken, self._unsent = None, 0, 0, []
        await self._it.connect(timeout=10)
        self._heard = asyncio.create_task(self._hear())
        self.synced = asyncio.Event()
        await self.until(lambda: self.synced.is_set() or self.code)
        return self

    async def close(self) -> None:
        await self._it.disconnect(timeout=30)
        self._heard.cancel()
        await asyncio.gather(self._heard, return_exceptions=True)

    async def cut(self) -> None:
        """As Daphne does with a connection that has not ended some seconds after its browser left."""
        self._heard.cancel()
        self._it.future.cancel()
        await asyncio.gather(self._it.future, self._heard, return_exceptions=True)

    async def __aenter__(self) -> Tab:
        return await self.connect()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def send(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            await self._it.send_to(text_data=frame)
        else:
            await self._it.send_to(bytes_data=frame)

    async def push(self) -> None:
        """Send what was changed here."""
        unsent, self._unsent = self._unsent, []
        for update in unsent:
            self.sent += 1
            await self.send(wire.sync(wire.UPDATE, update))

    async def write(self, text: str, at: int | None = None) -> None:
        self.source.insert(len(self.source) if at is None else at, text)
        await self.push()

    async def all_taken(self) -> None:
        await self.until(lambda: self.taken >= self.sent)

    async def all_saved(self) -> None:
        await self.until(lambda: self.taken >= self.sent and self.saved >= self.number)

    async def closed(self) -> int | None:
        """The close code, once there is one."""
        await self.until(lambda: self.code is not None)
        return self.code

    async def until(self, true: Any, seconds: float = 45.0) -> None:
        await until(true, seconds)

    async def _hear(self) -> None:
        while True:
            event = await self._it.receive_output(timeout=3600)
            if event["type"] == "websocket.close":
                self.code = event["code"]
                return
            if (text := event.get("text")) is not None:
                self._told(json.loads(text))
            else:
                await self._sync(wire.read(event["bytes"]))

    def _told(self, word: dict[str, Any]) -> None:
        self.said.append(word)
        match word["type"]:
            case "hello":
                self.hello, self.document = word, word["document"]
                self.saved = word["saved"]
            case "taken":
                self.taken, self.number = word["frames"], word["number"]
            case "saved":
                self.saved = word["number"]

    async def _sync(self, message: Any) -> None:
        if isinstance(message, list):
            self.presences.append(message)
        elif message.step == wire.STEP1:
            self.sent += 1
            await self.send(wire.sync(wire.STEP2, self.doc.get_update(message.body)))
            await self.send(wire.sync(wire.STEP1, self.doc.get_state()))
        else:
            self._mine = False
            self.doc.apply_update(message.body)
            self._mine = True
            if message.step == wire.STEP2:
                self.synced.set()
