"""How often, and how many at once, anybody may ask for a port that is public. Its project's people are not counted.

Rates are counted in the cache, which all web processes share where ``REDIS_URL`` is set; connections in each process.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings
from django.core.cache import cache

from portal.preview.hosts import Preview

WINDOW_SECONDS = 60
ALL_TOGETHER = 10
"""All visitors of a port together may ask so many times as often as one of them."""
MOST_AT_ONCE = 64
"""Requests and WebSockets to one port, in one process: each holds a connection to the session."""
BUSY_SECONDS = 5

_open: Counter[Preview] = Counter()


@asynccontextmanager
async def turn(preview: Preview, scope: dict[str, Any]) -> AsyncIterator[int]:
    """Holds a place at ``preview``: yields 0, or after how many seconds the visitor may ask again."""
    if _open[preview] >= MOST_AT_ONCE:
        yield BUSY_SECONDS
        return
    _open[preview] += 1
    try:
        yield await _wait(preview, address_of(scope))
    finally:
        _open[preview] -= 1
        if not _open[preview]:
            del _open[preview]


async def _wait(preview: Preview, address: str) -> int:
    window, into = divmod(int(time.time()), WINDOW_SECONDS)
    key = f"preview-rate:{preview.session}:{preview.port}:{window}"
    rate = settings.MADANG_PUBLIC_PORT_RATE
    if await _count(f"{key}:{address}") > rate or await _count(key) > rate * ALL_TOGETHER:
        return WINDOW_SECONDS - into
    return 0


async def _count(key: str) -> int:
    await cache.aadd(key, 0, 2 * WINDOW_SECONDS)
    try:
        return int(await cache.aincr(key))
    except ValueError:
        return 1  # the cache was full, and dropped it in between


def address_of(scope: dict[str, Any]) -> str:
    """The visitor's address: what trusted proxies say, without them who has connected. Nobody else is believed."""
    connected = str((scope.get("client") or ("",))[0])
    told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    steps = [step.strip() for step in b",".join(told).decode("latin-1").split(",") if step.strip()]
    trusted = settings.MADANG_PROXIES
    address = steps[-trusted] if trusted and len(steps) >= trusted else connected
    return "".join(char for char in address[:45] if char in "0123456789abcdefABCDEF.:")
