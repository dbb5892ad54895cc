"""Tasks that outlive the request that starts them, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from contextvars import Context
from typing import Any, TypeVar

Result = TypeVar("Result")

AGAIN_SECONDS = 1.0
_under_way: set[asyncio.Task[Any]] = set()


def start(work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """Run ``work`` beside the request, and on when that is over.

    It begins with an empty context: the request's says which thread the request's queries run in, and that thread is
    somebody else's then.
    """
    task = asyncio.create_task(work, context=Context())
    _under_way.add(task)  # the loop itself holds tasks only weakly
    task.add_done_callback(_under_way.discard)
    return task


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel ``tasks`` until they are over; how each ended is not told.

    Once is not enough: ``asyncio.wait_for``, which libraries on the way may use, loses a cancellation on Python 3.11
    that comes as its work is just done (gh-86296), and a task that serves for ever would then do so.
    """
    left: Collection[asyncio.Task[Any]] = tasks
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)  # what they failed with is not logged as unseen
