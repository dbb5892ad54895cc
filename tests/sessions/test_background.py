"""Tasks that outlive the request that starts them, and their end."""

from __future__ import annotations

import asyncio

import pytest

from sessions import background


async def _serve(lost: int, begun: asyncio.Event) -> None:
    """For ever; the first ``lost`` cancellations do not arrive."""
    begun.set()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not lost:
                raise
            lost -= 1


async def _fail() -> None:
    raise RuntimeError("it failed before")


@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_a_task_ends_though_cancellations_are_lost(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.01)
    begun = asyncio.Event()
    task = background.start(_serve(lost, begun))
    await begun.wait()
    await background.end(task)
    assert task.cancelled()
    await asyncio.sleep(0)
    assert task not in background._under_way


async def test_what_failed_or_never_began_ends_too() -> None:
    failed = asyncio.create_task(_fail())
    await asyncio.wait({failed})
    never = asyncio.create_task(asyncio.sleep(3600))
    await background.end(failed, never)
    assert never.cancelled()
    await background.end()
