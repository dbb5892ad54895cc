"""Requests run in threads that stay, each in one of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path

from portal.handler import Handler, Threads
from sessions import background

now = sync_to_async(threading.get_ident)


async def idle(threads: Threads) -> None:
    """Wait until a thread can be lent again."""
    async with asyncio.timeout(10):
        while not threads._idle:
            await asyncio.sleep(0.001)


async def test_who_comes_next_gets_the_same_thread() -> None:
    threads, seen = Threads(), []
    for _ in range(3):
        async with threads.lent():
            seen.append(await now())
        await idle(threads)
    assert len(set(seen)) == 1
    assert seen[0] != threading.get_ident()


async def test_two_at_once_have_two() -> None:
    threads = Threads()

    async def request() -> int:
        async with threads.lent():
            first = await now()
            await asyncio.sleep(0.01)
            assert await now() == first
            return first

    assert len({*await asyncio.gather(request(), request())}) == 2


async def test_a_thread_with_work_left_is_not_lent() -> None:
    threads, gate = Threads(), threading.Event()
    async with threads.lent():
        busy = await now()
        left = asyncio.create_task(sync_to_async(gate.wait)())
        await asyncio.sleep(0.01)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
    async with threads.lent():
        assert await now() != busy
    gate.set()


outliving: list[asyncio.Task[int]] = []


async def read(request: HttpRequest) -> HttpResponse:
    """Tell in which thread the view runs, and in which its queries would."""
    return JsonResponse({"thread": await now(), "loop": threading.get_ident()})


async def later(request: HttpRequest) -> HttpResponse:
    outliving.append(background.start(_later()))
    return HttpResponse()


async def _later() -> int:
    await asyncio.sleep(0.05)
    return await now()


urlpatterns = [path("read", read), path("later", later)]


async def asked(handler: Handler, path: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = []
    asked_once = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not asked_once.is_set():
            asked_once.set()
            return {"type": "http.request", "body": b""}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        answer.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")], "query_string": b""}
    await handler(scope, receive, send)
    await idle(handler._threads)
    return answer


@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[])
async def test_a_view_runs_in_the_loop_and_its_queries_in_the_requests_thread() -> None:
    handler = Handler()
    handler.load_middleware()
    told = [json.loads((await asked(handler, "/read"))[1]["body"]) for _ in range(2)]
    assert {answer["loop"] for answer in told} == {threading.get_ident()}
    (thread,) = {answer["thread"] for answer in told}
    assert thread != threading.get_ident()


@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[])
async def test_what_outlives_a_request_does_not_run_in_its_thread() -> None:
    handler = Handler()
    handler.load_middleware()
    thread = json.loads((await asked(handler, "/read"))[1]["body"])["thread"]
    await asked(handler, "/later")
    assert await outliving.pop() != thread
