"""Django's handler, with as few changes of thread as there can be, on threads that stay.

As it comes, Django sends each synchronous half of each middleware to a thread and waits for it: eighteen times for a
request here, which takes more time than all they do. And that thread is made for the request and ends with it, so the
request also opens a connection to the database and closes it: a connection belongs to its thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

MOST_IDLE = 8


class Threads:
    """Threads that are lent to one request at a time; at most ``MOST_IDLE`` wait for the next."""

    def __init__(self) -> None:
        self._idle: list[ThreadPoolExecutor] = []

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """What is synchronous within runs in one thread, where there is one in one that has served others before."""
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                yield
        finally:
            # A visitor who leaves in the middle leaves work behind: it is lent again once that is done.
            thread.submit(int).add_done_callback(lambda _: self._take_back(thread))

    def _take_back(self, thread: ThreadPoolExecutor) -> None:
        if len(self._idle) < MOST_IDLE:
            self._idle.append(thread)
        else:
            thread.shutdown(wait=False)


class Handler(ASGIHandler):
    """Runs the whole chain of middleware in the request's thread; an asynchronous view runs in the loop, as ever."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = Threads()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with self._threads.lent():
            await super().__call__(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)


def get_application() -> Handler:
    """As :func:`django.core.asgi.get_asgi_application`."""
    django.setup(set_prefix=False)
    return Handler()
