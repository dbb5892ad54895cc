"""Tasks that outlive the request that starts them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

Result = TypeVar("Result")

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
