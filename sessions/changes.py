"""News that somebody's rights on a project have changed, told to every web process at once.

Each process has one ear in the channel layer, however many streams are open, and only while some are.
Where the news does not arrive (the layer is away) streams look by themselves from time to time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from asgiref.sync import async_to_sync

from sessions import background
from sessions.ear import Ear, tell

log = logging.getLogger(__name__)

GROUP = "madang.rights"


def tell_changed(project: UUID) -> None:
    """Have everyone who is connected to ``project`` looked at again. What was decided holds even if this fails.

    A session without a project stands for itself.
    """
    try:
        async_to_sync(tell)(GROUP, {"type": "rights", "project": str(project)})
    except Exception:
        log.exception("could not tell that rights on project %s changed; streams see it in a while", project)


@asynccontextmanager
async def changes_of(project: UUID | None) -> AsyncIterator[asyncio.Event]:
    """An event that is set at each change of rights on ``project``; who hears of one clears it."""
    changed = asyncio.Event()
    if project is None:
        yield changed
        return
    audience = _audiences.get(asyncio.get_running_loop()) or _Audience()
    audience.listeners[str(project)].add(changed)
    try:
        await audience.ear.ready.wait()
        yield changed
    finally:
        audience.drop(str(project), changed)


class _Audience:
    """Who listens in one event loop; it is gone when nobody does any more."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        _audiences[self._loop] = self
        self.listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.ear = Ear(GROUP, lambda news: self._wake(news["project"]), lambda: self._wake(*self.listeners))

    def drop(self, project: str, changed: asyncio.Event) -> None:
        self.listeners[project].discard(changed)
        if not self.listeners[project]:
            del self.listeners[project]
        if not self.listeners and _audiences.get(self._loop) is self:
            del _audiences[self._loop]
            background.start(self.ear.stop())

    def _wake(self, *projects: str) -> None:
        for project in projects:
            for changed in self.listeners.get(project, ()):
                changed.set()


_audiences: dict[asyncio.AbstractEventLoop, _Audience] = {}
