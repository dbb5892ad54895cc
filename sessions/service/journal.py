"""Writes to the database: in order, and retried until it takes them.

A database that is away for a minute must not disturb running sessions: they go on, and what is to
be written waits here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)
LATER_SECONDS = 0.05
Write = Callable[[], Any]


class Journal:
    """One writer. Every write must be such that doing it twice is doing it once."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[Write, asyncio.Future[Any], float]] = asyncio.Queue()
        self._hurry = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def put(self, write: Write, later: bool = False) -> asyncio.Future[Any]:
        """Queue ``write``; the future is its result. An error that no retry can mend is logged and raised there.

        ``later``: nobody waits for it, so whoever waits for a session to start has the processor first.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        done.add_done_callback(_noted)
        self._queue.put_nowait((write, done, loop.time() + LATER_SECONDS))
        if not later:
            self._hurry.set()
        return done

    async def flush(self, seconds: float) -> bool:
        """Wait until all that is queued now is written, at most ``seconds``; whether it was."""
        try:
            async with asyncio.timeout(seconds):
                await self.put(_nothing)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop writing; what is still queued is lost, and found again in the sandboxes' own accounts."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._queue.qsize():
            log.error("%d writes are lost: the database did not take them", self._queue.qsize())

    async def _run(self) -> None:
        while True:
            write, done, due = await self._queue.get()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._hurry.wait()
            if self._queue.empty():
                self._hurry.clear()
            try:
                result = await _until_taken(write)
            except Exception as error:  # whatever it is, the next write must have its turn
                log.exception("a write failed for good")
                _settle(done, error=error)
            else:
                _settle(done, result)


async def _until_taken(write: Write) -> Any:
    attempt = 0
    while True:
        try:
            return await database_sync_to_async(write)()
        except (OperationalError, InterfaceError) as error:
            pause = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
            attempt += 1
            log.warning("the database did not take a write (%s); trying again in %s s", error, pause)
            await asyncio.sleep(pause)


def _settle(done: asyncio.Future[Any], result: Any = None, error: Exception | None = None) -> None:
    if done.done():  # whoever waited has left
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def _noted(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()  # logged where it happened; nobody has to look


def _nothing() -> None:
    return None
