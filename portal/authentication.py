"""Who is asking: by the session cookie or by an API key, over HTTP and WebSocket alike.

A request that shows a key is that key's user or nobody: a wrong key is refused even when
a cookie would do. A request by cookie proves where it comes from: unsafe methods by
``X-CSRFToken``, WebSockets by their ``Origin``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from portal.keys import find_key
from portal.models import ApiKey
from portal.problems import problem_response
from sessions.problems import Problem

PROGRAM_PATHS = ("/api/", "/jupyter/")
FOREIGN_ORIGIN, NOT_SIGNED_IN = 4403, 4401

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def shown_key(path: str, authorization: str, query: str) -> str | None:
    """The key that a request shows, or None when it shows none; "" when it shows something else.

    Bearer keys are read everywhere under /api/ and /jupyter/; Jupyter's own forms under /jupyter/ alone.
    """
    if not path.startswith(PROGRAM_PATHS):
        return None
    jupyter = path.startswith("/jupyter/")
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer" or (jupyter and scheme.lower() == "token"):
        return value.strip()
    if authorization:
        return ""
    if jupyter:
        return next(iter(parse_qs(query).get("token", [])), None)
    return None


class ApiKeyMiddleware(MiddlewareMixin):
    """Sets ``request.api_key`` and, for a good key, ``request.user``; refuses a wrong key with 401."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        request.api_key = None  # type: ignore[attr-defined]
        if not request.path_info.startswith(PROGRAM_PATHS):
            return None
        text = shown_key(
            request.path_info, request.headers.get("Authorization", ""), request.META.get("QUERY_STRING", "")
        )
        if text is None:
            _load_user(request)
            return None
        key = find_key(text)
        if key is None:
            return problem_response(request, bad_key())
        _sign_in(request, key)
        return None


def _load_user(request: HttpRequest) -> None:
    """Fetch the user now: asynchronous views may not touch the database by surprise."""
    user = request.user
    if isinstance(user, SimpleLazyObject):
        bool(user.is_authenticated)


def _sign_in(request: HttpRequest, key: ApiKey) -> None:
    async def auser() -> Any:
        return key.user

    request.api_key = key  # type: ignore[attr-defined]
    request.user = key.user
    request.auser = auser  # type: ignore[assignment, method-assign]


def bad_key() -> Problem:
    return Problem(
        401,
        "bad_key",
        _("The key is not valid"),
        _("This API key is not known here, or it was revoked or has expired."),
        _("Make a new key on the page “API keys” and send it as “Authorization: Bearer KEY”."),
    )


class CsrfMiddleware(CsrfViewMiddleware):
    """Django's protection, from which requests by API key are free: no browser sends a key by itself."""

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseBase | None:
        if getattr(request, "api_key", None) is not None:
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class WebSocketAuthentication:
    """ASGI middleware: sets ``scope["user"]`` and ``scope["api_key"]``, or closes with a code that says why."""

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
