"""News that somebody's rights on a project have changed, told to every web process at once.

Each process has one ear in the channel layer, however many streams are open, and only while some are.
Where the news does not arrive (the layer is away) streams look by themselves from time to time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from sessions import background

log = logging.getLogger(__name__)

GROUP = "madang.rights"
RENEW_SECONDS = 3600.0  # the layer forgets a member of a group after a day
RETRY_SECONDS = 1.0
OVER_SECONDS = 2.0


def tell_changed(project: UUID) -> None:
    """Have everyone who is connected to ``project`` looked at again. What was decided holds even if this fails.

    A session without a project stands for itself.
    """
    try:
        async_to_sync(get_channel_layer().group_send)(GROUP, {"type": "rights", "project": str(project)})
    except Exception:
        log.exception("could not tell that rights on project %s changed; streams see it in a while", project)


@asynccontextmanager
async def changes_of(project: UUID | None) -> AsyncIterator[asyncio.Event]:
    """An event that is set at each change of rights on ``project``; who hears of one clears it."""
    changed = asyncio.Event()
    if project is None:
        yield changed
        return
    ear = _ears.get(asyncio.get_running_loop()) or _Ear()
    ear.listeners[str(project)].add(changed)
    try:
        await ear.ready.wait()
        yield changed
    finally:
        ear.drop(str(project), changed)


class _Ear:
    """Hears for one event loop, until nobody listens any more."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        _ears[self._loop] = self
        self.listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.ready = asyncio.Event()
        self._name, self._over = "", False
        self._task = background.start(self._hear())

    def drop(self, project: str, changed: asyncio.Event) -> None:
        self.listeners[project].discard(changed)
        if not self.listeners[project]:
            del self.listeners[project]
        if not self.listeners and _ears.get(self._loop) is self:
            del _ears[self._loop]
            self._over = True
            background.start(self._stop())

    async def _stop(self) -> None:
        """By a message to itself: a read of Redis that is cancelled may go on waiting (channels_redis 4.3)."""
        if self._name:
            with contextlib.suppress(Exception):  # the layer is away, and nothing is read from it
                await get_channel_layer().send(self._name, {"type": "rights", "project": ""})
                await asyncio.wait({self._task}, timeout=OVER_SECONDS)
        await background.end(self._task)

    async def _hear(self) -> None:
        while not self._over:
            try:
                await self._hear_for_a_while()
            except Exception:
                log.exception("the channel layer is away; streams look at rights by themselves")
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                self.ready.set()

    async def _hear_for_a_while(self) -> None:
        layer = get_channel_layer()
        name = self._name = await layer.new_channel()
        await layer.group_add(GROUP, name)
        if self.ready.is_set():  # something may have been said in between
            for listeners in self.listeners.values():
                _wake(listeners)
        self.ready.set()
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                while not self._over:
                    news = await layer.receive(name)
                    _wake(self.listeners.get(news["project"], ()))
        except TimeoutError:
            return
        finally:
            await layer.group_discard(GROUP, name)


def _wake(listeners: set[asyncio.Event] | tuple[()]) -> None:
    for changed in listeners:
        changed.set()


_ears: dict[asyncio.AbstractEventLoop, _Ear] = {}
