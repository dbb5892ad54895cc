"""An ear in the channel layer hears, through the layer's failures, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer

from sessions import background, ear
from sessions.ear import Ear
from tests.sessions.conftest import until_alone
from tests.until import until

GROUP = "test-ear"


class Heard:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.missed = 0

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def miss(self) -> None:
        self.missed += 1


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    yield Heard()
    await until_alone()


async def say(number: int) -> None:
    await get_channel_layer().group_send(GROUP, {"type": "test", "number": number})


async def test_what_is_said_is_heard_until_it_stops(heard: Heard) -> None:
    one = Ear(GROUP, heard.take, heard.miss)
    await one.ready.wait()
    await say(1)
    await say(2)
    await until(lambda: len(heard.messages) == 2)
    await one.stop()
    await say(3)
    assert [message["number"] for message in heard.messages] == [1, 2]
    assert heard.missed == 0


async def test_it_stops_before_it_has_begun(heard: Heard) -> None:
    await Ear(GROUP, heard.take, heard.miss).stop()


async def test_a_layer_that_was_away_is_heard_again(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear, "RETRY_SECONDS", 0.01)
    layer = get_channel_layer()
    add, tries = layer.group_add, 0

    async def away_at_first(group: str, channel: str) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError("nobody answers")
        await add(group, channel)

    monkeypatch.setattr(layer, "group_add", away_at_first)
    one = Ear(GROUP, heard.take, heard.miss)
    await one.ready.wait()  # who waits for it is not held up
    assert tries == 1
    await until(lambda: heard.missed)
    await say(1)
    await until(lambda: heard.messages)
    await one.stop()


async def test_a_layer_that_does_not_answer_holds_nobody_up(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ear, "ANSWER_SECONDS", 0.05)
    one = Ear(GROUP, heard.take, heard.miss)
    await one.ready.wait()
    layer = get_channel_layer()
    for method in ("group_send", "group_add", "group_discard", "send"):
        monkeypatch.setattr(layer, method, silent)
    with pytest.raises(TimeoutError):
        await ear.tell(GROUP, {"type": "test"})
    other = Ear(GROUP, heard.take, heard.miss)
    await other.ready.wait()
    await other.stop()
    await one.stop()


async def test_it_ends_once_it_is_cancelled_though_the_layer_has_gone(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise ConnectionError("nobody answers")

    one = Ear(GROUP, heard.take, heard.miss)
    await one.ready.wait()
    monkeypatch.setattr(get_channel_layer(), "group_discard", gone)
    one._task.cancel()
    await asyncio.wait({one._task}, timeout=10)
    assert one._task.cancelled()


async def test_its_place_in_the_group_is_renewed(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear, "RENEW_SECONDS", 0.05)
    one = Ear(GROUP, heard.take, heard.miss)
    await until(lambda: heard.missed >= 2)
    monkeypatch.setattr(ear, "RENEW_SECONDS", 3600.0)
    renewed = heard.missed
    await until(lambda: heard.missed > renewed)
    await say(1)
    await until(lambda: heard.messages)
    await one.stop()


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_it_ends_whenever_the_loop_does(heard: Heard, steps: int) -> None:
    """As a loop that ends has it: each task is cancelled, once."""
    one = Ear(GROUP, heard.take, heard.miss)
    for _ in range(steps):
        await asyncio.sleep(0)
    one._task.cancel()
    ended, _ = await asyncio.wait({one._task}, timeout=3)
    await background.end(one._task)
    assert ended, "the cancellation was lost"
