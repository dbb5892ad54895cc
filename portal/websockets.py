"""Who is asking over a WebSocket, and what answers when no route knows its path.

By API key as over HTTP; by cookie only from a page of this site (``Origin``), since a browser
sends cookies along with any page's WebSocket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.urls import re_path

from portal.authentication import shown_key
from portal.keys import find_key

NOT_SIGNED_IN, FOREIGN_ORIGIN, NO_SUCH_THING = 4401, 4403, 4404

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class WebSocketAuthentication:
    """ASGI middleware: sets who asks in the scope, or closes with a code that says why.

    ``scope["user"]``, and ``scope["api_key"]``, which is None when a cookie signed in.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._by_cookie = AuthMiddlewareStack(inner)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        headers = {name.lower(): value.decode("latin1") for name, value in scope.get("headers", [])}
        query = scope.get("query_string", b"").decode("latin1")
        text = shown_key(scope["path"], headers.get(b"authorization", ""), query)
        if text is None:
            if not origin_allowed(headers.get(b"origin", ""), headers.get(b"host", "")):
                return await _refuse(receive, send, FOREIGN_ORIGIN, "foreign origin")
            return await self._by_cookie(dict(scope, api_key=None), receive, send)
        key = await database_sync_to_async(find_key)(text)
        if key is None:
            return await _refuse(receive, send, NOT_SIGNED_IN, "the key is not valid")
        return await self._inner(dict(scope, user=key.user, api_key=key), receive, send)


def origin_allowed(origin: str, host: str) -> bool:
    """Whether a page from ``origin`` may open a WebSocket to ``host`` with this site's cookie."""
    if origin in settings.MADANG_ORIGINS:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and bool(host) and parts.netloc.lower() == host.lower()


async def _refuse(receive: Receive, send: Send, code: int, reason: str) -> None:
    """Accept, then close: only an open WebSocket can tell its client a close code."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code, "reason": reason})


class NoSuchStream(AsyncWebsocketConsumer):
    """Says so with a close code, where an exception would only break the connection."""

    channel_layer_alias = "none"  # it listens to nobody

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NO_SUCH_THING)

    @classmethod
    def route(cls) -> Any:
        return re_path(r"", cls.as_asgi())
