"""The ASGI application before the site's own: takes the requests to preview hosts, and lets all others pass."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from portal.preview import gate
from portal.preview.hosts import Preview, find_preview
from portal.preview.http import relay_http, say
from portal.preview.websocket import refuse, relay_websocket
from portal.websockets import origin_allowed

OPEN_PATH = "/.madang/open"
COOKIE = "__Host-madang_preview" if settings.SESSION_COOKIE_SECURE else "madang_preview"
NOT_SIGNED_IN, FOREIGN_ORIGIN = 4401, 4403


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
            return await _open(preview, scope, send)
        if not await _may_see(preview, headers):
            return await say(send, 403, "This is a private preview. Open it from its project's page, as its owner.")
        return await relay_http(preview, scope, receive, send, COOKIE)

    async def _websocket(
        self, preview: Preview, host: str, headers: dict[bytes, bytes], scope: dict[str, Any], receive: Any, send: Any
    ) -> None:
        if not origin_allowed(headers.get(b"origin", b"").decode("latin-1"), host):
            return await refuse(receive, send, FOREIGN_ORIGIN)
        if not await _may_see(preview, headers):
            return await refuse(receive, send, NOT_SIGNED_IN)
        return await relay_websocket(preview, scope, receive, send, COOKIE)


async def _open(preview: Preview, scope: dict[str, Any], send: Any) -> None:
    """Exchange the ticket for the cookie, and go where the preview begins."""
    ticket = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
    cookie = await gate.redeem(ticket, preview)
    if cookie is None:
        await say(send, 403, "This link has been used, or is too old. Open the preview from its project's page again.")
        return
    secure = "; Secure" if settings.SESSION_COOKIE_SECURE else ""
    flags = f"Path=/; Max-Age={gate.COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    headers = [(b"location", b"/"), (b"set-cookie", f"{COOKIE}={cookie}; {flags}".encode())]
    await say(send, 302, "", headers)


async def _may_see(preview: Preview, headers: dict[bytes, bytes]) -> bool:
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return False
    shown = cookies.get(COOKIE)
    return shown is not None and await gate.may_see(shown.value, preview)
