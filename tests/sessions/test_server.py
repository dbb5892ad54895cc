"""The process of the session service: one per state folder, and what its signals mean."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sandbox.drivers import SandboxError
from sessions import client
from sessions.models import Session
from sessions.problems import Problem
from sessions.service.address import socket_path
from sessions.service.server import AlreadyRunning, serve
from tests.sessions.conftest import IMAGE
from tests.sessions.lab import Ground, LabDriver
from tests.until import until


@asynccontextmanager
async def serving(ground: Ground) -> AsyncIterator[asyncio.Task[None]]:
    """The session service in this process; whoever asks for it ends it by a signal."""
    task = asyncio.create_task(serve(LabDriver(ground), ground.state))
    await until(lambda: task.done() or socket_path(ground.state).exists())
    try:
        yield task
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 15)


async def running(alice: Any) -> str:
    made = await client.call("session.create", user=alice.pk, image=IMAGE, wait=True)
    assert made["state"] == "running"
    return str(made["id"])


async def test_who_looks_for_a_session_shares_a_connection_and_survives_a_restart(ground: Ground, alice: Any) -> None:
    async with serving(ground) as task:
        id = await running(alice)
        places = await asyncio.gather(*(client.locate(id) for _ in range(5)))
        assert len(set(places)) == 1
        shared = await client.shared()
        assert await client.shared() is shared
        with pytest.raises(Problem) as refused:
            await client.locate("00000000-0000-0000-0000-000000000000")
        assert refused.value.status == 404
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 10)
    waiting = asyncio.create_task(client.locate(id))
    async with serving(ground):
        assert await asyncio.wait_for(waiting, 15) == places[0]


async def test_sigterm_leaves_sandboxes_and_the_next_start_finds_them(ground: Ground, alice: Any) -> None:
    async with serving(ground) as task:
        id = await running(alice)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 10)
    assert not socket_path(ground.state).exists()
    assert (await Session.objects.aget(pk=id)).state == "running"
    assert ground.boxes[id].exit is None
    async with serving(ground):
        assert (await client.call("session.get", id=id))["state"] == "running"


async def test_sigint_stops_all_sessions(ground: Ground, alice: Any) -> None:
    async with serving(ground) as task:
        ids = [await running(alice) for _ in range(3)]
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(task, 10)
    for id in ids:
        row = await Session.objects.aget(pk=id)
        assert (row.state, row.reason) == ("stopped", "shutdown")
    assert sorted(ground.collected) == sorted(ids)


async def test_there_is_one_for_a_state_folder(ground: Ground, alice: Any) -> None:
    async with serving(ground):
        with pytest.raises(AlreadyRunning):
            await serve(LabDriver(ground), ground.state)
        id = await running(alice)
        assert (await client.call("session.get", id=id))["id"] == id, "the first one is undisturbed"


async def test_its_socket_is_private(ground: Ground, alice: Any) -> None:
    async with serving(ground):
        assert stat.S_IMODE(socket_path(ground.state).stat().st_mode) == 0o600


async def test_a_driver_that_cannot_work_here_says_so(ground: Ground, alice: Any) -> None:
    class Broken(LabDriver):
        async def open(self) -> None:
            raise SandboxError("host", "This host has no namespaces.")

    with pytest.raises(SandboxError, match="no namespaces"):
        await serve(Broken(ground), ground.state)
    async with serving(ground):
        await running(alice)


async def test_a_watcher_that_leaves_is_forgotten(ground: Ground, alice: Any) -> None:
    async with serving(ground):
        id = await running(alice)
        async with await client.connect() as wire:
            stream = await client.watch(wire, id)
            async for _, payload in stream:
                assert b'"running"' in payload
                break
        assert (await client.call("session.get", id=id))["state"] == "running"
        with pytest.raises(Problem) as problem:
            async with await client.connect() as wire:
                await client.watch(wire, "no such session")
        assert problem.value.status == 404


async def test_a_class_is_expected_five_minutes_before_it_begins(ground: Ground, alice: Any, settings: Any) -> None:
    settings.MADANG_CAPACITY_CPU, settings.MADANG_CAPACITY_MEMORY = 40.0, 1 << 40
    now = timezone.now()
    async with serving(ground):
        begin, end = now + timedelta(minutes=20), now + timedelta(minutes=30)
        await client.call("pool.expect", image=IMAGE, count=30, begin=begin.isoformat(), end=end.isoformat())
        ((image, count, ready, over),) = ground.expected
        assert (image, count) == (IMAGE, 30)
        assert over - ready == pytest.approx(15 * 60, abs=1)
        await client.call("pool.expect", image=IMAGE, count=300, begin=begin.isoformat(), end=end.isoformat())
        assert ground.expected[1][1] == 40, "no more than there is room for"
        for wrong in (
            {"image": "cobol:1"},
            {"count": 0},
            {"end": begin.isoformat()},
            {"begin": begin.replace(tzinfo=None).isoformat()},
        ):
            asked = {"image": IMAGE, "count": 3, "begin": begin.isoformat(), "end": end.isoformat()} | wrong
            with pytest.raises(Problem) as problem:
                await client.call("pool.expect", **asked)
            assert problem.value.status == 422
