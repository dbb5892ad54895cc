"""What a policy refused, from the driver to the owner: exact, once, and still there after restarts and the end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.drivers import Refused
from sandbox.policy.rules import REASONS
from sessions import lifecycle as life
from sessions.lifecycle import State
from sessions.refusals import MOST, Refusal, after
from sessions.service.keeper import Keeper
from tests.sessions.conftest import Create, kept, row
from tests.sessions.lab import Ground
from tests.sessions.test_keeper import running
from tests.sessions.test_streams import session_of
from tests.sessions.web import Browser, Socket
from tests.until import until

AT = "2026-01-01T00:00:00Z"
CALLS, WHY = st.sampled_from(["ptrace", "mount", "kill"]), st.sampled_from(["tracing", "mounts", "runner"])


def counts(refusals: list[Refusal]) -> dict[tuple[str, str], int]:
    return {(old["call"], old["reason"]): old["count"] for old in refusals}


@given(st.lists(st.builds(Refused, CALLS, WHY, st.integers(1, 9))))
def test_whatever_is_told_twice_or_late_the_totals_are_the_highest(told: list[Refused]):
    refusals: list[Refusal] = []
    for refused in told:
        before = counts(refusals)
        refusals, news = after(refusals, refused, AT)
        assert (news is not None) == (refused.count > before.get((refused.call, refused.reason), 0))
        assert news is None or refusals[0] == news, "the latest first"
    wanted: dict[tuple[str, str], int] = {}
    for refused in told:
        key = (refused.call, refused.reason)
        wanted[key] = max(refused.count, wanted.get(key, 0))
    assert counts(refusals) == wanted


def test_each_comes_with_its_sentence_and_they_are_bounded():
    refusals: list[Refusal] = []
    for number in range(MOST + 5):
        refusals, _ = after(refusals, Refused(f"call{number}", "tracing", 1), AT)
    assert len(refusals) == MOST
    assert refusals[0] == {"call": "call104", "reason": "tracing", "detail": REASONS["tracing"], "count": 1, "at": AT}
    assert after([], Refused("new", "unheard-of", 1), AT)[0][0]["detail"] == ""


async def test_every_kind_reaches_a_slow_watcher(keeper: Keeper, ground: Ground, create: Create) -> None:
    session = await running(keeper, create)
    watcher, box = session.watch(), ground.boxes[session.id]
    for count in (1, 2, 3):
        box.refuse("ptrace", "tracing", count)
        box.refuse("mount", "mounts", count)
    await until(box.samples.empty)
    await session.apply(life.Stop("owner"))
    await session.gone.wait()
    seen = [event async for event in watcher if event["type"] == "refusal"]
    assert sorted((event["call"], event["count"]) for event in seen) == [("mount", 3), ("ptrace", 3)]


async def test_they_survive_restarts_and_the_end(ground: Ground, create: Create) -> None:
    async with kept(ground) as first:
        session = await running(first, create)
        box = ground.boxes[session.id]
        box.refuse("ptrace", "tracing", 2)
        await until(lambda: session.row.refusals)
    async with kept(ground) as second:  # the first was let go before it wrote them: the driver tells them again
        again = second.sessions[session.id]
        await until(lambda: again.life.state is State.RUNNING)
        box.refuse("ptrace", "tracing", 2)
        box.refuse("mount", "mounts", 1)
        await until(lambda: len(again.row.refusals) == 2)
        box.refuse("ptrace", "tracing", 4)
        box.end()
        await again.gone.wait()
        assert counts((await row(again)).refusals) == {("ptrace", "tracing"): 4, ("mount", "mounts"): 1}


async def test_the_owner_sees_them_by_rest_and_websocket_and_nobody_else_does(
    service: Keeper, ground: Ground, create: Create, alice: Any, bob: Any
) -> None:
    session = await session_of(service, create)
    box, path = ground.boxes[session.id], f"/api/v1/sessions/{session.id}"
    async with Socket(alice, f"{path}/events") as socket:
        assert json.loads(await socket.next())["refusals"] == []
        box.refuse("ptrace", "tracing", 3)
        async with asyncio.timeout(10):
            while (event := json.loads(await socket.next()))["type"] != "refusal":
                continue
    assert (event["call"], event["reason"], event["count"]) == ("ptrace", "tracing", 3)
    async with Socket(alice, f"{path}/events") as socket:  # a page that is opened later
        assert counts(json.loads(await socket.next())["refusals"]) == {("ptrace", "tracing"): 3}
    seen = await Browser(alice)("GET", path, status=200)
    (refusal,) = seen["refusals"]
    assert refusal["at"][:23] == event["at"][:23], "to the millisecond"
    assert {**refusal, "at": event["at"], "type": "refusal"} == event
    await Browser(bob)("GET", path, status=404)
    await session.apply(life.Stop("owner"))
    await session.gone.wait()
    assert (await Browser(alice)("GET", path, status=200))["refusals"] == seen["refusals"], "after the end too"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_has_words_for_every_reason(language: str):
    from tests.settings import ROOT

    source = (ROOT / "frontend" / "src" / "i18n.ts").read_text()
    english, korean = source.split("const ko: Record<Key, string> = {")
    part = english if language == "en" else korean
    assert [reason for reason in REASONS if f'refused_{reason}: "' not in part] == []
