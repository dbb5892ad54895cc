"""The ASGI application before the site's own: takes the requests to preview hosts, and lets all others pass."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from portal.preview import gate, throttle
from portal.preview.hosts import Preview, find_preview, frame_ancestors, is_local
from portal.preview.http import relay_http, say
from portal.preview.http1 import Headers
from portal.preview.websocket import refuse, relay_websocket
from portal.websockets import origin_allowed

OPEN_PATH = "/.madang/open"
COOKIE = "__Host-madang_preview" if settings.SESSION_COOKIE_SECURE else "madang_preview"
NOT_SIGNED_IN, FOREIGN_ORIGIN, NOT_ALLOWED, TOO_OFTEN = 4401, 4403, 4403, 4429
MOST_COOKIES = 4
"""A preview in a tab of the browser and one in a frame have a cookie each."""

_ANCESTORS = frame_ancestors(settings.MADANG_ORIGINS, settings.ALLOWED_HOSTS, settings.SESSION_COOKIE_SECURE)
_OURS: Headers = [(b"content-security-policy", f"frame-ancestors {_ANCESTORS}".encode())]
_PUBLIC: Headers = [(b"x-robots-tag", b"noindex")]


class Previews:
    """See the module's text."""

    def __init__(self, site: Any) -> None:
        self._site = site

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope.get("headers", ()))
        host = headers.get(b"host", b"").decode("latin-1")
        preview = find_preview(host, settings.MADANG_PREVIEW_HOST)
        if preview is None:
            return await self._site(scope, receive, send)
        if scope["type"] == "websocket":
            return await self._websocket(preview, host, headers, scope, receive, send)
        if scope["path"] == OPEN_PATH:
            return await _open(preview, host, headers, scope, send)
        return await self._http(preview, scope, receive, send)

    async def _http(self, preview: Preview, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user = await _visitor(preview, scope)
        if user is not None:
            relay = relay_http(preview, scope, receive, send, COOKIE, _OURS)
            await gate.while_allowed(user, preview, relay)
        elif not await gate.may_open(None, preview):
            await say(send, 403, "This is a private preview. Open it from its project's page.", _OURS)
        else:
            async with throttle.turn(preview, scope) as wait:
                if wait:
                    await say(send, 429, "Too many requests to this port.", [(b"retry-after", b"%d" % wait)])
                    return
                relay = relay_http(preview, scope, receive, send, COOKIE, [*_OURS, *_PUBLIC])
                await gate.while_allowed(None, preview, relay)

    async def _websocket(
        self, preview: Preview, host: str, headers: dict[bytes, bytes], scope: dict[str, Any], receive: Any, send: Any
    ) -> None:
        if not origin_allowed(headers.get(b"origin", b"").decode("latin-1"), host):
            await refuse(receive, send, FOREIGN_ORIGIN)
            return
        user = await _visitor(preview, scope)
        if user is not None:
            await _watched(user, preview, scope, receive, send)
        elif not await gate.may_open(None, preview):
            await refuse(receive, send, NOT_SIGNED_IN)
        else:
            async with throttle.turn(preview, scope) as wait:
                if wait:
                    await refuse(receive, send, TOO_OFTEN)
                else:
                    await _watched(None, preview, scope, receive, send)


async def _watched(user: Any, preview: Preview, scope: dict[str, Any], receive: Any, send: Any) -> None:
    if not await gate.while_allowed(user, preview, relay_websocket(preview, scope, receive, send, COOKIE)):
        await send({"type": "websocket.close", "code": NOT_ALLOWED})


async def _open(preview: Preview, host: str, asked: dict[bytes, bytes], scope: dict[str, Any], send: Any) -> None:
    """Exchange the ticket for the cookie, and go where the preview begins."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    cookie = await gate.redeem(query.get("ticket", [""])[0], preview)
    if cookie is None:
        await say(send, 403, "This link has been used, or is too old. Open the preview from its project's page again.")
        return
    flags = f"Path=/; Max-Age={gate.COOKIE_SECONDS}; HttpOnly; {_reach(asked, host)}"
    there = local_path(query.get("to", ["/"])[0])
    headers = [(b"location", there.encode()), (b"set-cookie", f"{COOKIE}={cookie}; {flags}".encode())]
    await say(send, 302, "", headers)


def _reach(asked: dict[bytes, bytes], host: str) -> str:
    """Which requests carry the cookie. In a frame of the site it is a third party's: kept apart for that site alone.

    The browser says itself that it asks for a frame: a link could not make a tab's cookie reach that far.
    """
    if asked.get(b"sec-fetch-dest") == b"iframe" and (settings.SESSION_COOKIE_SECURE or is_local(host)):
        return "SameSite=None; Secure; Partitioned"
    return "SameSite=Lax; Secure" if settings.SESSION_COOKIE_SECURE else "SameSite=Lax"


def local_path(text: str) -> str:
    """``text``, a path with its query, as a ``Location`` on the same host; "/" where it would lead elsewhere."""
    if not text.startswith("/") or not url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return "/"
    return iri_to_uri(text) or "/"


async def _visitor(preview: Preview, scope: dict[str, Any]) -> Any:
    """The user whom one of the request's cookies lets in; None where none does."""
    sent = b";".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1").split(";")
    named = (pair.strip().partition("=") for pair in sent)
    shown = [value for name, _, value in named if name == COOKIE]
    for value in dict.fromkeys(shown[:MOST_COOKIES]):
        if (user := await gate.visitor(value, preview)) is not None:
            return user
    return None
