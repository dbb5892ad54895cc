"""Watchers of a session: each sees the latest of what it has not seen, and no slow one holds anything up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

Event = dict[str, Any]


class Watcher:
    """Keeps the newest event of each key until it is read: at most one of each waits."""

    def __init__(self) -> None:
        self._waiting: dict[str, Event] = {}
        self._woken = asyncio.Event()
        self._over = False

    def tell(self, event: Event, key: str = "") -> None:
        """``key`` says what an event replaces; by default its type."""
        key = key or event["type"]
        self._waiting.pop(key, None)
        self._waiting[key] = event
        self._woken.set()

    def end(self) -> None:
        """Nothing will follow what waits."""
        self._over = True
        self._woken.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            await self._woken.wait()
            self._woken.clear()
            waiting, self._waiting = self._waiting, {}
            for event in waiting.values():
                yield event
            if self._over and not self._waiting:
                return
