"""Who may see a preview: those whom sessions/port_shares.py names, as long as they are signed in on the site.

A ticket is a random word that the cache holds for a minute and gives up once. It becomes a row of the
site's cookie sessions, whose key is the preview's cookie; the row remembers the sign-in that it came from,
and is worth nothing once that has ended. With more than one web process the cache has to be shared
(``REDIS_URL``), as for the rest of the site.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from hashlib import sha256
from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache

from portal.preview.hosts import Preview
from sessions import background
from sessions.access import still_signed_in
from sessions.changes import changes_of
from sessions.models import Session
from sessions.port_shares import allowed_for, subject

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


async def visitor(cookie: str, preview: Preview) -> Any:
    """The user whom ``cookie`` lets into ``preview`` now, with nothing but their key; None where it does not."""
    if not (cookie.isascii() and cookie.isalnum() and len(cookie) <= 64):
        return None
    seen = _named(f"{cookie} {preview.session} {preview.port}")
    pk = await cache.aget(seen)
    if pk is None and (pk := await _signed_in(cookie, preview)) is not None:
        await cache.aset(seen, pk, RECHECK_SECONDS)
    user = get_user_model()(pk=pk)
    return user if pk is not None and await may_open(user, preview) else None


async def may_open(user: Any, preview: Preview) -> float:
    """For how many seconds ``user`` (None: anybody) may see ``preview`` at least, if nothing changes; 0: they may not.

    Asked each time: rights end at once.
    """
    return await database_sync_to_async(allowed_for)(user, preview.session, preview.port)


async def while_allowed(user: Any, preview: Preview, relay: Coroutine[Any, Any, None]) -> bool:
    """Let ``relay`` run until it is over, or until ``user`` may no longer see it; whether it ended by itself."""
    session = await Session.objects.aget(pk=preview.session)
    running = asyncio.create_task(relay)
    try:
        async with changes_of(subject(session)) as changed:
            while not running.done() and (left := await may_open(user, preview)):
                news = asyncio.create_task(changed.wait())
                await asyncio.wait({running, news}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                changed.clear()
    finally:
        ended = running.done()
        await background.end(running)
    if ended:
        running.result()
    return ended


async def _signed_in(cookie: str, preview: Preview) -> Any:
    """The key of the user whose sign-in ``cookie`` came from, if it still holds; else None."""
    row = await database_sync_to_async(lambda: _store(cookie).get(_KEY))()
    if not row or row != _row(row["sign_in"], preview):
        return None
    sign_in = _store(row["sign_in"])
    user = await get_user({"session": sign_in})
    scope = {"api_key": None, "session": sign_in, "user": user}
    return user.pk if user.is_authenticated and await still_signed_in(scope) else None


def _row(session_key: str, preview: Preview) -> dict[str, Any]:
    return {"sign_in": session_key, "session": str(preview.session), "port": preview.port}


def _store(key: str | None = None) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def _named(secret: str) -> str:
    return f"preview:{sha256(secret.encode()).hexdigest()}"
