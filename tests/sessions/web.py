"""Web's side in tests: projects without the portal, clients who are signed in, WebSockets."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from sessions.projects import Equipment, NoSuchProject, ProjectRef, Right
from sessions.routing import websocket_urlpatterns

application = URLRouter(websocket_urlpatterns)


@dataclass
class Projects:
    """A ProjectDirectory of folders under ``root``; everyone has their own."""

    root: Path
    image: str
    known: dict[tuple[int, str], ProjectRef] = field(default_factory=dict)
    equipped: dict[uuid.UUID, Equipment] = field(default_factory=dict)

    def add(self, user: Any, slug: str, image: str = "") -> ProjectRef:
        id = uuid.uuid4()
        directory = self.root / str(id)
        directory.mkdir(parents=True)
        ref = ProjectRef(id, slug, slug.title(), directory, image or self.image, user.pk)
        self.known[user.pk, slug] = ref
        return ref

    def by_path(self, user: Any, path: str) -> tuple[ProjectRef, str]:
        slug, _, rest = path.strip("/").partition("/")
        if not slug and (user.pk, "scratch") not in self.known:
            self.add(user, "scratch")
        try:
            return self.known[user.pk, slug or "scratch"], rest
        except KeyError as error:
            raise NoSuchProject(slug) from error

    def equipment(self, id: uuid.UUID) -> Equipment:
        return self.equipped.get(id, Equipment())

    def open_to(self, user: Any, right: Right) -> list[uuid.UUID]:
        return [ref.id for (person, _), ref in self.known.items() if person == user.pk and right in ref.rights]

    def share(self, ref: ProjectRef, user: Any, *rights: Right) -> None:
        """Let ``user`` in with ``rights``; without any they are out."""
        self.known.pop((user.pk, f"{ref.slug}~"), None)
        if rights:
            self.known[user.pk, f"{ref.slug}~"] = replace(ref, slug=f"{ref.slug}~", rights=frozenset(rights))

    def by_id(self, user: Any, id: uuid.UUID) -> ProjectRef:
        for (owner, _), ref in self.known.items():
            if owner == user.pk and ref.id == id:
                return ref
        raise NoSuchProject(str(id))


class Browser:
    """An HTTP client signed in as ``user`` (or nobody) that speaks JSON."""

    def __init__(self, user: Any | None) -> None:
        self.user = user
        self._client = AsyncClient()

    async def __call__(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """The answer's JSON (None when empty); with ``status``, also checks it."""
        response = await self.raw(method, path, body)
        if status is not None:
            assert response.status_code == status, (response.status_code, response.content)
        return response.json() if response.content else None

    async def raw(self, method: str, path: str, body: Any = None) -> Any:
        if self.user is not None and not self._client.cookies:
            await self._client.aforce_login(self.user)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return await self._client.generic(method, path, data, content_type="application/json")


class Socket:
    """A WebSocket to ``path`` as ``user``."""

    def __init__(self, user: Any, path: str, subprotocols: list[str] | None = None, **scope: Any) -> None:
        self._it = WebsocketCommunicator(application, path, subprotocols=subprotocols or [])
        self._it.scope.update(user=user, api_key=None, **scope)
        self.subprotocol: str | None = None

    async def connect(self) -> Socket:
        connected, self.subprotocol = await self._it.connect(timeout=10)
        assert connected
        return self

    async def __aenter__(self) -> Socket:
        return await self.connect()

    async def __aexit__(self, *exc: object) -> None:
        await self._it.disconnect()

    async def cut(self) -> None:
        """As Daphne does with a connection that has not ended some seconds after its browser left."""
        self._it.future.cancel()
        await asyncio.gather(self._it.future, return_exceptions=True)

    async def send(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            await self._it.send_to(text_data=frame)
        else:
            await self._it.send_to(bytes_data=frame)

    async def next(self, seconds: float = 20.0) -> Any:
        """The next frame, or the close code as a number."""
        event = await self._it.receive_output(timeout=seconds)
        if event["type"] == "websocket.close":
            return event["code"]
        text = event.get("text")
        return event["bytes"] if text is None else text

    async def code(self, seconds: float = 20.0) -> int:
        """The close code, whatever came before it."""
        async with asyncio.timeout(seconds):
            while not isinstance(frame := await self.next(seconds), int):
                continue
            return frame

    async def silent(self) -> bool:
        return await self._it.receive_nothing(timeout=0.2)
