"""Groups of the channel layer: to tell one something, and an ear that hears it, for one event loop, until it stops.

The layer itself waits without limit (``portal/settings.py``): a Redis that stands still would hold up whoever asks it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer

from sessions import background

log = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0
RENEW_SECONDS = 300.0  # the layer forgets a member of a group after a day, and may not notice that Redis has gone
RETRY_SECONDS = 1.0
_OVER = "ear.over"


async def tell(group: str, message: dict[str, Any]) -> None:
    """Say ``message`` to all ears of ``group``.

    Raises:
        TimeoutError: the layer does not answer; or else what it raises itself.
    """
    await _answered(get_channel_layer().group_send(group, message))


async def _answered(asked: Awaitable[None]) -> None:
    """Wait for the layer's answer, as long as we do at most."""
    async with asyncio.timeout(ANSWER_SECONDS):
        await asked


class Ear:
    """``heard`` takes each message that is sent to ``group``; ``missed`` is called when some may not have come.

    Where the layer is away it tries again. ``ready`` is set as soon as it hears, or knows that it cannot yet.
    """

    def __init__(self, group: str, heard: Callable[[dict[str, Any]], None], missed: Callable[[], None]) -> None:
        self.ready = asyncio.Event()
        self._group, self._heard, self._missed = group, heard, missed
        self._name, self._over, self._deaf = "", False, False
        self._task = background.start(self._hear())

    async def stop(self) -> None:
        """By a message to itself: a read of Redis that is cancelled may have taken what was meant for another ear."""
        self._over = True
        if self._name:
            with contextlib.suppress(Exception):  # the layer is away, and nothing is read from it
                await _answered(get_channel_layer().send(self._name, {"type": _OVER}))
                await asyncio.wait({self._task}, timeout=ANSWER_SECONDS)
        await background.end(self._task)

    async def _hear(self) -> None:
        while not self._over:
            try:
                await self._hear_for_a_while()
            except Exception:
                if not self._deaf:
                    log.exception("nothing is heard of %s; it is tried again until something is", self._group)
                self._deaf = True
                self.ready.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _hear_for_a_while(self) -> None:
        layer = get_channel_layer()
        name = self._name = await layer.new_channel()
        await _answered(layer.group_add(self._group, name))
        self._deaf = False
        if self.ready.is_set():  # something may have been said in between
            self._missed()
        self.ready.set()
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                while not self._over:
                    message = await layer.receive(name)
                    if message["type"] != _OVER:
                        self._heard(message)
        except TimeoutError:
            return
        finally:
            with contextlib.suppress(Exception):  # the layer forgets it anyway; a cancellation must not become this
                await _answered(layer.group_discard(self._group, name))
