"""Alice (owner), Bob (stranger), a host to run on, and a session service in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connections

from sessions import background
from sessions.models import Session
from sessions.service.address import socket_path
from sessions.service.keeper import Keeper
from sessions.service.live import LiveSession
from sessions.service.server import listen_for
from tests.sessions.lab import Ground, LabDriver
from tests.sessions.web import Projects
from tests.until import until

Create = Callable[..., Awaitable[LiveSession]]


@pytest.fixture
def alice(transactional_db: None) -> Any:
    return get_user_model().objects.create_user("alice@example.org", "correct horse battery")


@pytest.fixture
def bob(transactional_db: None) -> Any:
    return get_user_model().objects.create_user("bob@example.org", "correct horse battery")


@pytest.fixture
async def ground(tmp_path: Path, settings: Any, transactional_db: None) -> AsyncIterator[Ground]:
    settings.MADANG_STATE = tmp_path
    settings.MADANG_CAPACITY_CPU, settings.MADANG_CAPACITY_MEMORY = 4.0, 8 << 30
    ground = Ground(tmp_path)
    yield ground
    ground.close()
    await sync_to_async(connections.close_all)()


async def until_alone() -> None:
    """Wait until nothing is under way any more that outlives requests of this test's loop."""
    loop = asyncio.get_running_loop()
    await until(lambda: all(task.get_loop() is not loop for task in background._under_way))


@contextlib.asynccontextmanager
async def kept(ground: Ground) -> AsyncIterator[Keeper]:
    """A keeper on ``ground``, as after a start of the session service; let go at the end, as by SIGTERM."""
    keeper = Keeper(LabDriver(ground))
    try:
        await keeper.open()
        yield keeper
    finally:
        await keeper.close()


@pytest.fixture
async def keeper(ground: Ground, alice: Any) -> AsyncIterator[Keeper]:
    async with kept(ground) as keeper:
        yield keeper


@pytest.fixture
async def service(ground: Ground, keeper: Keeper) -> AsyncIterator[Keeper]:
    """The session service on its socket, where web finds it; its sandboxes have real runners."""
    ground.runners = True
    path = socket_path(ground.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    server = await listen_for(keeper, path)
    yield keeper
    server.close()


@pytest.fixture
def projects(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Projects:
    made = Projects(ground.state / "projects", IMAGE)
    monkeypatch.setattr("sessions.projects._directory", made)
    return made


@pytest.fixture
def create(alice: Any) -> Create:
    """Make a session of Alice's, or of ``user``; what is not said is ordinary."""

    async def make(keeper: Keeper, project: str | None = None, user: Any = None, **how: Any) -> LiveSession:
        wanted, image = how.pop("slots", None), how.pop("image", IMAGE)
        arguments = {"idle_timeout": 60, "hostname": "lab", **how}
        owner = (user or alice).pk
        session, _ = await keeper.create(owner, project, None, image, wanted, **arguments)
        return session

    return make


def image_name() -> str:
    from sandbox.images import images

    return next(iter(images()))


IMAGE = image_name()


async def row(session: LiveSession) -> Session:
    """The database's row, once everything is written."""
    assert await session.house.journal.flush(5)
    return await Session.objects.aget(pk=session.row.pk)
