"""What each web process does without being asked: it takes over the notebooks of processes that are gone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from portal.documents.executor import adopt_forever
from portal.documents.processes import sweep


class Adopting:
    """ASGI middleware that begins with the server: at once where it is Daphne, else with the first request.

    Daphne has no lifespan events; what it has is Twisted's reactor, which runs on the event loop.
    """

    def __init__(self, inner: Callable[..., Awaitable[Any]]) -> None:
        self._inner = inner
        self._task: asyncio.Task[None] | None = None
        reactor = sys.modules.get("twisted.internet.reactor")
        if reactor is not None:
            reactor.callWhenRunning(self._begin)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        self._begin()
        return await self._inner(scope, receive, send)

    def _begin(self) -> None:
        if self._task is None:
            sweep()
            self._task = asyncio.ensure_future(adopt_forever())
