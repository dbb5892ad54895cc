"""What every WebSocket of ours has in common: its close codes, who may keep it open, and that it holds nothing at its
end, however that comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer

from sessions import background
from sessions.access import still_signed_in
from sessions.changes import changes_of
from sessions.flow import Flow

log = logging.getLogger(__name__)

BAD_MESSAGE, NOT_SIGNED_IN, NOT_YOURS, NO_SUCH_THING, ENDED, AWAY = 4400, 4401, 4403, 4404, 4410, 4503
NORMAL, BROKEN = 1000, 4500
GUARD_SECONDS = 20.0


class Closed(Exception):
    """The WebSocket has to be closed with ``code``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WebSocket(AsyncWebsocketConsumer):
    """One browser's connection, and the tasks that serve it.

    A consumer that is still busy with what its browser sent, some seconds after that has left, is cancelled by
    Daphne (``--application-close-timeout``), and Channels never calls its ``disconnect``: :meth:`leave` stands in for
    that.
    """

    channel_layer_alias = "none"  # nobody is sent to by its name: the layer would be polled for each connection
    flow: Flow

    def __init__(self) -> None:
        super().__init__()
        self._over = False
        self._ready = asyncio.Event()
        """What the browser sends is taken from then on, or dropped where it is over."""
        self._tasks: list[asyncio.Task[Any]] = []

    async def check_right(self) -> None:
        """Raise :class:`Closed` where the user may no longer see what this shows."""
        raise NotImplementedError

    async def _guard(self, project: UUID | None) -> None:
        """A key that is revoked, a person who signs out or one who loses their rights keeps nothing open."""
        async with changes_of(project) as changed:
            await self._look(self.check_right)  # it may have gone before we heard of changes
            while not self._over:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GUARD_SECONDS):
                        await changed.wait()
                changed.clear()
                await self._look(self._check_sign_in)
                await self._look(self.check_right)

    async def _look(self, check: Callable[[], Awaitable[None]]) -> None:
        try:
            await check()
        except Closed as closed:
            await self._end(closed.code)
        except Exception:
            log.exception("could not look up a right; the next round tries again")

    async def _check_sign_in(self) -> None:
        if not await still_signed_in(self.scope):
            raise Closed(NOT_SIGNED_IN)

    async def _end(self, code: int) -> None:
        """Close it, unless it is closed."""
        if self._over:
            return
        self._over = True
        self._ready.set()
        self.flow.release()
        await self.close(code)

    async def leave(self) -> None:
        """Let go of everything. Called once, at the very end, with or without :meth:`connect` before it."""
        self._over = True
        if hasattr(self, "flow"):
            self.flow.release()
        while self._tasks:  # one that is being ended may have begun another
            tasks, self._tasks = self._tasks, []
            await background.end(*tasks)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(background.start(self.leave()))
