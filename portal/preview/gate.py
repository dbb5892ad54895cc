"""Who may see a preview: its owner, for as long as they are signed in on the site.

A ticket is a random word that the cache holds for a minute and gives up once. It becomes a row of the
site's cookie sessions, whose key is the preview's cookie; the row remembers the sign-in that it came from,
and is worth nothing once that has ended. With more than one web process the cache has to be shared
(``REDIS_URL``), as for the rest of the site.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.cache import cache

from portal.preview.hosts import Preview
from sessions.access import still_signed_in
from sessions.models import Session

TICKET_SECONDS = 60
COOKIE_SECONDS = 12 * 3600
RECHECK_SECONDS = 10
"""How long a look at the sign-in counts: a page of a preview is many requests."""

_KEY = "madang_preview"


def issue(session_key: str, preview: Preview) -> str:
    """A ticket to ``preview`` for the sign-in ``session_key``. Whether its user owns it was checked before."""
    ticket = secrets.token_urlsafe(24)
    cache.set(_named(ticket), _row(session_key, preview), TICKET_SECONDS)
    return ticket


@database_sync_to_async
def redeem(ticket: str, preview: Preview) -> str | None:
    """The cookie's value for a good ticket, which is good no longer; None for any other."""
    name = _named(ticket)
    row = cache.get(name)
    if row is None or not cache.delete(name) or row != _row(row["sign_in"], preview):
        return None
    store = _store()
    store[_KEY] = row
    store.set_expiry(COOKIE_SECONDS)
    store.save()
    return str(store.session_key)


async def may_see(cookie: str, preview: Preview) -> bool:
    """Whether ``cookie`` opens ``preview`` now."""
    if not (cookie.isascii() and cookie.isalnum() and len(cookie) <= 64):
        return False
    seen = _named(f"{cookie} {preview.session} {preview.port}")
    if await cache.aget(seen):
        return True
    good = await _look(cookie, preview)
    if good:
        await cache.aset(seen, True, RECHECK_SECONDS)
    return good


async def _look(cookie: str, preview: Preview) -> bool:
    row = await database_sync_to_async(lambda: _store(cookie).get(_KEY))()
    if not row or row != _row(row["sign_in"], preview):
        return False
    sign_in = _store(row["sign_in"])
    user = await get_user({"session": sign_in})
    scope = {"api_key": None, "session": sign_in, "user": user}
    if not user.is_authenticated or not await still_signed_in(scope):
        return False
    return await Session.objects.of(user).live().filter(pk=preview.session).aexists()


def _row(session_key: str, preview: Preview) -> dict[str, Any]:
    return {"sign_in": session_key, "session": str(preview.session), "port": preview.port}


def _store(key: str | None = None) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def _named(secret: str) -> str:
    return f"preview:{sha256(secret.encode()).hexdigest()}"
