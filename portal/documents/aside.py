"""What may take long is done in a thread of its own, beside the one that Django's asynchronous code shares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


def aside(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """``function`` as a coroutine function; it leaves no database connection behind in its thread."""

    @wraps(function)
    def work(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return function(*arguments, **named)
        finally:
            connections.close_all()

    return sync_to_async(work, thread_sensitive=False)
