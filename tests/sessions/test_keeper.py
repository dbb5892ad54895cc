"""The session service's heart: starting, metering, idling, ending, and finding all of it again."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import OperationalError

from sandbox.drivers import Sample, SandboxError
from sandbox.runner.wire import CallError
from sessions import lifecycle as life
from sessions.ledger import COUNTED
from sessions.lifecycle import Life, State
from sessions.models import Session, Transition, UsageLine
from sessions.prices import Prices
from sessions.service import live, store
from sessions.service.keeper import Keeper
from tests.sessions.conftest import Create, kept, row
from tests.sessions.lab import Ground
from tests.until import until


async def running(keeper: Keeper, create: Create, **how: Any) -> live.LiveSession:
    session = await create(keeper, **how)
    await until(lambda: session.life.state is State.RUNNING)
    return session


async def story(session: live.LiveSession) -> list[str]:
    found = Transition.objects.filter(session_id=session.row.pk)
    return [transition.after async for transition in found]


async def lines(session: live.LiveSession) -> list[UsageLine]:
    return [line async for line in UsageLine.objects.filter(session_id=session.row.pk)]


async def test_a_whole_life_is_written_down(keeper: Keeper, ground: Ground, create: Create) -> None:
    session = await running(keeper, create)
    ground.boxes[session.id].use(cpu_ms=120, bytes_written=5, bytes_received=7, bytes_sent=3, memory_peak_kib=900)
    await session.apply(life.Stop("owner"))
    await session.gone.wait()
    ended = await row(session)
    assert (ended.state, ended.reason) == ("stopped", "owner")
    assert ended.started is not None
    assert ended.ended is not None
    assert ended.usage["cpu_ms"] == 120
    assert await story(session) == ["pending", "preparing", "running", "stopping", "stopped"]
    (line,) = await lines(session)
    assert (line.bytes_received, line.bytes_sent) == (7, 3)
    assert (line.cpu_ms, line.bytes_written, line.memory_peak_kib, line.final) == (120, 5, 900, True)
    assert ground.collected == [session.id]
    assert keeper.sessions == {}


async def test_lines_add_up_exactly(keeper: Keeper, ground: Ground, create: Create, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "LEDGER_SECONDS", 0.0)
    session = await running(keeper, create)
    box = ground.boxes[session.id]
    for _ in range(5):
        box.use(cpu_ms=10, wall_ms=1000, memory_kib_s=7, bytes_read=3)
        await until(box.samples.empty)
        await keeper.journal.flush(5)
    box.use(cpu_ms=1)
    box.end("out_of_memory", "It needed more memory than it has.")
    await session.gone.wait()
    written = await lines(session)
    assert len(written) > 3
    assert [line.final for line in written] == [False] * (len(written) - 1) + [True]
    for name in COUNTED:
        assert sum(getattr(line, name) for line in written) == getattr(box.usage, name)
    assert (await row(session)).detail == "It needed more memory than it has."


async def test_what_was_used_costs_the_price_of_its_time(
    ground: Ground, create: Create, monkeypatch: Any, settings: Any
) -> None:
    monkeypatch.setattr(live, "LEDGER_SECONDS", 0.0)
    settings.MADANG_PRICES = Prices.parse("USD cpu=3600")  # a thousand micro-units for a millisecond
    async with kept(ground) as first:
        session = await running(first, create)
        box = ground.boxes[session.id]
        box.use(cpu_ms=100)
        await until(lambda: session.account.cpu_ms == 100)
        assert session.row.cost == 100_000
    settings.MADANG_PRICES = Prices.parse("USD cpu=7200")
    async with kept(ground) as second:
        again = second.sessions[session.id]
        assert (again.account.cost, again.describe()["cost"]) == (100_000, {"currency": "USD", "micros": 100_000})
        box.use(cpu_ms=10)
        box.end()
        await again.gone.wait()
        await second.journal.flush(5)
    assert sum(line.cost for line in await lines(session)) == 120_000
    assert (await Session.objects.aget(pk=session.row.pk)).cost == 120_000


async def test_a_restart_finds_everything_again(ground: Ground, create: Create, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "LEDGER_SECONDS", 0.0)
    async with kept(ground) as first:
        session = await running(first, create)
        paused = await running(first, create)
        await paused.apply(life.Pause())
        ground.boxes[session.id].use(cpu_ms=100)
        await until(lambda: session.account.cpu_ms == 100)
    box = ground.boxes[session.id]
    box.use(cpu_ms=50)
    async with kept(ground) as second:
        again = second.sessions[session.id]
        assert again.life.state is State.RUNNING
        assert again.account.cpu_ms == 100
        assert second.sessions[paused.id].life.state is State.PAUSED
        assert ground.boxes[paused.id].paused
        box.end()
        await again.gone.wait()
        await second.journal.flush(5)
        written = await lines(session)
        assert sum(line.cpu_ms for line in written) == 150
        assert [line.sequence for line in written] == list(range(len(written)))
        assert sum(line.final for line in written) == 1
        assert (await row(again)).reason == "stopped"


async def test_what_vanished_is_admitted(ground: Ground, create: Create) -> None:
    async with kept(ground) as first:
        session = await running(first, create)
    del ground.boxes[session.id]
    async with kept(ground) as second:
        await until(lambda: not second.sessions)
        await second.journal.flush(5)
    gone = await Session.objects.aget(pk=session.row.pk)
    assert (gone.state, gone.reason) == ("failed", "jail_lost")
    assert gone.detail
    assert [line.final for line in await lines(session)] == [True]


async def test_a_sandbox_without_a_row_is_cleared(ground: Ground, create: Create) -> None:
    async with kept(ground) as first:
        session = await running(first, create)
    stranger = str(uuid.uuid4())
    ground.boxes[stranger] = type(ground.boxes[session.id])(ground.boxes[session.id].spec)
    async with kept(ground) as second:
        await until(lambda: stranger in ground.collected)
        assert list(second.sessions) == [session.id]


async def test_a_death_between_the_ledger_and_the_collection(ground: Ground, create: Create, monkeypatch: Any) -> None:
    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    async with kept(ground) as first:
        session = await running(first, create)
        monkeypatch.setattr(first.driver, "collect", never)
        ground.boxes[session.id].use(cpu_ms=9)
        ground.boxes[session.id].end()
        await until(lambda: session.life.over)
        await first.journal.flush(5)
    async with kept(ground):
        await until(lambda: ground.collected == [session.id])
    assert [(line.cpu_ms, line.final) for line in await lines(session)] == [(9, True)]


async def test_a_start_that_fails_says_why(keeper: Keeper, ground: Ground, create: Create) -> None:
    ground.fail.append(SandboxError("broken", "The image is not set up."))
    session = await create(keeper)
    await session.gone.wait()
    failed = await row(session)
    assert (failed.state, failed.reason, failed.detail) == ("failed", "start_failed", "The image is not set up.")
    assert [line.cpu_ms for line in await lines(session)] == [0]


async def test_no_room_at_the_driver_is_tried_again(
    keeper: Keeper, ground: Ground, create: Create, monkeypatch: Any
) -> None:
    monkeypatch.setattr(live, "NO_ROOM_SECONDS", 0.05)
    ground.fail.append(SandboxError("capacity", "No memory left."))
    session = await running(keeper, create)
    await keeper.journal.flush(5)
    assert (await story(session))[:4] == ["pending", "preparing", "pending", "preparing"]


async def test_those_who_wait_know_their_place(keeper: Keeper, ground: Ground, create: Create, bob: Any) -> None:
    large = {"cpu": 4.0}
    first = await running(keeper, create, slots=large)
    second = await create(keeper, slots=large)
    third = await create(keeper, slots=large)
    other = await create(keeper, user=bob, slots=large)
    assert (second.row.reason, second.row.detail) == ("queued", "Waiting for room: number 1 in the queue.")
    assert "number 2" in other.row.detail, "Bob's first comes before Alice's third"
    assert "number 3" in third.row.detail
    await first.apply(life.Stop("owner"))
    await until(lambda: second.life.state is State.RUNNING)
    assert "number 1" in other.row.detail
    await other.apply(life.Stop("owner"))
    await other.gone.wait()
    assert "number 1" in third.row.detail
    assert (await row(third)).reason == "queued"


async def test_those_who_waited_wait_again_after_a_restart(ground: Ground, create: Create) -> None:
    async with kept(ground) as first:
        holder = await running(first, create, slots={"cpu": 4.0})
        waiter = await create(first, slots={"cpu": 1.0})
        assert waiter.life.state is State.PENDING
    async with kept(ground) as second:
        assert second.sessions[waiter.id].row.reason == "queued"
        await second.sessions[holder.id].apply(life.Stop("owner"))
        await until(lambda: second.sessions[waiter.id].life.state is State.RUNNING)


async def test_idle_ends_it_and_work_or_an_extension_does_not(keeper: Keeper, ground: Ground, create: Create) -> None:
    session = await running(keeper, create, idle_timeout=10)
    box = ground.boxes[session.id]
    box.use(idle_ms=0, busy=True)
    await until(box.samples.empty)
    session._idle = session._idle.__class__(10, session._idle.active - 9)
    await session.extend()
    deadline = session.row.idle_deadline
    assert deadline is not None
    assert (await row(session)).idle_deadline == deadline
    box.use(idle_ms=60_000)
    await until(box.samples.empty)
    assert session.life.state is State.RUNNING, "an extension outweighs the silence before it"
    session._idle = session._idle.__class__(10, session._idle.active - 11)
    box.use(idle_ms=60_000)
    await session.gone.wait()
    assert (await row(session)).reason == "idle"


async def test_a_paused_session_does_not_idle_out(keeper: Keeper, ground: Ground, create: Create) -> None:
    session = await running(keeper, create, idle_timeout=10)
    await session.apply(life.Pause())
    assert ground.boxes[session.id].paused
    assert session.row.idle_deadline is None
    session._idle = session._idle.__class__(10, session._idle.active - 100)
    ground.boxes[session.id].use(idle_ms=100_000)
    await until(ground.boxes[session.id].samples.empty)
    assert session.life.state is State.PAUSED
    with pytest.raises(life.IllegalOperation):
        await session.extend()
    await session.apply(life.Resume())
    ground.boxes[session.id].use(idle_ms=100_000)
    await until(ground.boxes[session.id].samples.empty)
    assert session.life == Life(State.RUNNING, "owner"), "resuming begins the countdown anew"


async def test_a_pause_that_fails_leaves_it_running(
    keeper: Keeper, ground: Ground, create: Create, monkeypatch: Any
) -> None:
    async def refuse(id: str) -> None:
        raise SandboxError("no_freezer", "This host cannot freeze.")

    session = await running(keeper, create)
    monkeypatch.setattr(keeper.driver, "pause", refuse)
    with pytest.raises(SandboxError, match="cannot freeze"):
        await session.apply(life.Pause())
    assert session.life.state is State.RUNNING


async def test_two_tabs_get_one_session(keeper: Keeper, create: Create) -> None:
    project = str(uuid.uuid4())
    found = await asyncio.gather(*(create(keeper, project) for _ in range(8)))
    assert len({session.id for session in found}) == 1
    assert await Session.objects.acount() == 1


async def test_a_project_has_one_session_whoever_asks(keeper: Keeper, create: Create, bob: Any) -> None:
    project = str(uuid.uuid4())
    mine, theirs = await create(keeper, project), await create(keeper, project, user=bob)
    assert mine.id == theirs.id


async def test_a_project_whose_session_is_ending_gets_a_new_one(keeper: Keeper, ground: Ground, create: Create) -> None:
    project = str(uuid.uuid4())
    first = await running(keeper, create, project=project)
    await first.apply(life.Stop("owner"))
    second = await running(keeper, create, project=project)
    assert second.id != first.id
    assert first.gone.is_set()


async def test_refusals(keeper: Keeper, create: Create, settings: Any) -> None:
    project = str(uuid.uuid4())
    await create(keeper, project)
    refused: list[tuple[str, dict[str, Any]]] = [
        ("bad_request", {"image": "cobol:60"}),
        ("bad_request", {"slots": {"cpu": -1}}),
        ("bad_request", {"slots": {"wheels": 4}}),
        ("too_large", {"slots": {"cpu": 100}}),
        ("conflict", {"project": project, "slots": {"cpu": 0.5}}),
    ]
    for code, how in refused:
        with pytest.raises(CallError) as error:
            await create(keeper, **how)
        assert error.value.code == code
    settings.MADANG_MAX_SESSIONS = 1
    with pytest.raises(CallError) as error:
        await create(keeper)
    assert error.value.code == "too_many"
    assert await Session.objects.acount() == 1


async def test_runs_are_counted_for_themselves(keeper: Keeper, create: Create, settings: Any) -> None:
    settings.MADANG_MAX_SESSIONS = settings.MADANG_MAX_RUNS = 1
    await create(keeper, hostname="run")
    await create(keeper)
    for hostname, what in (("run", "runs"), ("madang", "sessions")):
        with pytest.raises(CallError, match=f"At most 1 {what}") as error:
            await create(keeper, hostname=hostname)
        assert error.value.code == "too_many"
    settings.MADANG_MAX_SESSIONS = 2
    session = await create(keeper, str(uuid.uuid4()), hostname="run")
    assert not session.row.is_run, "a project may be called like that"


async def test_locate_waits_for_the_start(keeper: Keeper, ground: Ground, create: Create) -> None:
    ground.gate.clear()
    session = await create(keeper)
    where = asyncio.create_task(keeper.locate(session.id))
    await until(lambda: session.life.state is State.PREPARING)
    assert not where.done()
    ground.gate.set()
    assert (await where).name == "runner.sock"
    await session.apply(life.Stop("owner"))
    await session.gone.wait()
    with pytest.raises(CallError) as error:
        await keeper.locate(session.id)
    assert error.value.code == "not_found"


async def test_stopped_while_starting(keeper: Keeper, ground: Ground, create: Create) -> None:
    ground.gate.clear()
    session = await create(keeper)
    await until(lambda: session.life.state is State.PREPARING)
    await session.apply(life.Stop("owner"))
    ground.gate.set()
    await session.gone.wait()
    assert await story(session) == ["pending", "preparing", "stopping", "stopped"]
    assert ground.collected == [session.id]


async def test_a_database_that_is_away_disturbs_no_session(
    keeper: Keeper, ground: Ground, create: Create, monkeypatch: Any
) -> None:
    session = await running(keeper, create)
    real, refused, told = store.finish, 0, list[str]()

    def away(*arguments: Any) -> None:
        nonlocal refused
        refused += 1
        told.append(session.describe()["state"])
        if refused < 4:
            raise OperationalError("the database is away")
        real(*arguments)

    monkeypatch.setattr(store, "finish", away)
    ground.boxes[session.id].use(cpu_ms=42)
    ground.boxes[session.id].end("runner_lost", "It crashed.")
    await session.gone.wait()
    assert refused == 4
    assert told == ["running"] * 4, "nobody is told of the end before the ledger has it"
    assert session.describe()["state"] == "failed"
    assert [(line.cpu_ms, line.final) for line in await lines(session)] == [(42, True)]


async def test_a_write_that_was_taken_but_not_confirmed_counts_once(
    keeper: Keeper, ground: Ground, create: Create, monkeypatch: Any
) -> None:
    session = await running(keeper, create)
    real, calls = store.finish, 0

    def unsure(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        real(*arguments)
        if calls == 1:
            raise OperationalError("the connection broke after the commit")

    monkeypatch.setattr(store, "finish", unsure)
    ground.boxes[session.id].use(cpu_ms=42)
    ground.boxes[session.id].end()
    await session.gone.wait()
    assert [(line.cpu_ms, line.final) for line in await lines(session)] == [(42, True)]
    assert (await story(session)).count("stopped") == 1


async def test_watchers_see_changes_and_never_hold_anything_up(keeper: Keeper, ground: Ground, create: Create) -> None:
    session = await running(keeper, create)
    slow, quick = session.watch(), session.watch()
    seen: list[dict[str, Any]] = []

    async def look() -> None:
        seen.extend([event async for event in quick])

    looking = asyncio.create_task(look())
    for _ in range(50):
        ground.boxes[session.id].use(cpu_ms=1)
        await until(ground.boxes[session.id].samples.empty)
    await session.apply(life.Stop("owner"))
    await session.gone.wait()
    await looking
    assert next(event["state"] for event in seen if event["type"] == "session") == "running"
    assert seen[-1]["state"] == "stopped"
    assert max(event["cpu_ms"] for event in seen if event["type"] == "usage") == 50
    left = [event async for event in slow]
    assert sorted(event["type"] for event in left) == ["session", "usage"], "only the latest of each waited"


async def test_stopping_all(keeper: Keeper, ground: Ground, create: Create) -> None:
    sessions = [await running(keeper, create) for _ in range(3)]
    assert await keeper.stop_all("shutdown", "The site was shut down.", 5)
    for session in sessions:
        assert (await row(session)).reason == "shutdown"
    with pytest.raises(CallError, match="shutting down"):
        await create(keeper)


@pytest.mark.parametrize("reason", ["out_of_memory", "runner_lost", "jail_lost"])
async def test_an_end_nobody_asked_for(keeper: Keeper, ground: Ground, create: Create, reason: str) -> None:
    session = await running(keeper, create)
    ground.boxes[session.id].end(reason, "Sentence.")
    await session.gone.wait()
    assert (await row(session)).state == "failed"
    assert await database_sync_to_async(store.unfinished)() == []


async def test_a_limit_that_is_reached_is_the_reason_while_it_lasts(ground: Ground, create: Create) -> None:
    async with kept(ground) as first:
        session = await running(first, create)
        box = ground.boxes[session.id]
        box.samples.put_nowait(Sample(box.usage, False, 0, "disk_full", "The files take 3 of 2 MiB."))
        await until(lambda: session.describe()["reason"] == "disk_full")
        assert session.describe()["detail"] == "The files take 3 of 2 MiB."
        await first.journal.flush(5)
        assert (await row(session)).reason == "disk_full"
        assert await story(session) == ["pending", "preparing", "running"]
    async with kept(ground) as second:  # the new service read the reason back
        session = second.sessions[session.id]
        box.samples.put_nowait(Sample(box.usage, False, 0))
        await until(lambda: session.describe()["reason"] == "")
        await second.journal.flush(5)
        assert ((await row(session)).reason, (await row(session)).detail) == ("", "")


async def test_the_reason_of_a_pause_outweighs_a_limit(keeper: Keeper, ground: Ground, create: Create) -> None:
    session = await running(keeper, create)
    await session.apply(life.Pause())
    box = ground.boxes[session.id]
    box.samples.put_nowait(Sample(box.usage, False, 0, "memory_full", "Full."))
    await until(box.samples.empty)
    assert session.describe()["reason"] == "owner"
