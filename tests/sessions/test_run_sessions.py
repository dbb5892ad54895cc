"""The sessions of runs: who takes whose place, what is accounted for, and what a restart leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.runner.wire import CallError
from sessions import client as web
from sessions.lifecycle import State
from sessions.models import Run, Session, UsageLine
from sessions.prices import Prices
from sessions.service import runs
from sessions.service.address import socket_path
from sessions.service.keeper import Keeper
from sessions.service.server import listen_for
from tests.sessions.conftest import IMAGE, Create, kept
from tests.sessions.lab import Box, Ground
from tests.sessions.web import Browser
from tests.until import until as until_within

HERE = "/api/v1/runs"
TRUE = {"image": IMAGE, "command": "true"}
SLEEP = {"image": IMAGE, "command": "sleep 1000"}
TERMS = {"build": "", "program": [], "time_s": 60, "cpu_s": 60, "output": 1000}


async def until(condition: Callable[[], Any]) -> None:
    await until_within(condition, 60.0)  # a sandbox here is a process of Python's, which a busy machine starts slowly


async def done(user: Any, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await Browser(user)("POST", HERE, TRUE | asked, status=200)
    assert answer["status"] == "done"
    return answer


def only_box(ground: Ground) -> Box:
    (box,) = ground.boxes.values()
    return box


async def test_the_next_run_that_asks_for_the_same_takes_the_last_ones_session(
    service: Keeper, alice: Any, bob: Any
) -> None:
    first = await done(alice, files={"left.txt": "x"})
    second = await done(alice, command="ls; test ! -e left.txt")
    assert (second["session"], second["verdict"]) == (first["session"], "ok")
    assert (await done(bob))["session"] != first["session"], "never another's"
    other = await done(alice, limits={"memory_mib": 300})
    assert other["session"] != first["session"]
    assert (await done(alice))["session"] == first["session"]


async def test_no_run_is_done_before_its_answer_is_there(
    service: Keeper, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(alice)
    begun = await browser("POST", f"{HERE}?wait=0", TRUE | {"command": "sleep 0.5"}, status=202)
    execution, written = service.runs.find(begun["id"]), asyncio.Event()
    write = execution._write

    async def write_late(cleared: Any) -> None:
        await written.wait()
        await write(cleared)

    monkeypatch.setattr(execution, "_write", write_late)
    await until(lambda: execution.run.answer)
    looked = await browser("GET", f"{HERE}/{begun['id']}", status=200)
    assert (looked["status"], looked["verdict"]) == ("running", None)
    written.set()
    await until(lambda: begun["id"] not in service.runs.under_way)
    looked = await browser("GET", f"{HERE}/{begun['id']}", status=200)
    assert (looked["status"], looked["verdict"]) == ("done", "ok")


async def test_runs_at_the_same_time_have_sessions_of_their_own(service: Keeper, alice: Any) -> None:
    told = await asyncio.gather(*(done(alice, command="sleep 0.5") for _ in range(3)))
    assert len({run["session"] for run in told}) == 3


@pytest.mark.parametrize("ending", ["false", "true"])
async def test_a_sandbox_that_is_not_clean_is_given_up(
    service: Keeper, ground: Ground, alice: Any, ending: str
) -> None:
    first = await done(alice)
    only_box(ground).clean = False
    assert (await done(alice, command=ending))["session"] == first["session"]
    assert (await done(alice))["session"] != first["session"]
    row = await Session.objects.aget(pk=first["session"])
    assert (row.state, row.reason) == ("stopped", "run_over")


async def test_a_run_that_a_limit_ended_gives_its_session_up(service: Keeper, alice: Any) -> None:
    late = await done(alice, command="sleep 1000", limits={"time_s": 0.2})
    assert late["verdict"] == "time_limit"
    await until(lambda: not service.sessions)


async def test_each_run_is_told_what_it_used_itself(service: Keeper, ground: Ground, alice: Any, settings: Any) -> None:
    settings.MADANG_PRICES = Prices.parse("USD cpu=3600")  # a thousand micro-units for a millisecond
    first = await done(alice)
    box = only_box(ground)
    box.use(cpu_ms=500)  # while nobody runs anything
    asking = asyncio.create_task(done(alice, command="sleep 0.5"))
    await until(lambda: box.marked == 2)
    box.use(cpu_ms=70)
    second = await asking
    assert (first["usage"]["cpu_ms"], second["usage"]["cpu_ms"]) == (0, 70)
    assert second["cost"] == {"currency": "USD", "micros": 70_000}
    lines = [line async for line in UsageLine.objects.filter(session=first["session"])]
    assert sum(line.cpu_ms for line in lines) == 570, "and the ledger has all of it"
    assert sum(line.cost for line in lines) == 570_000


async def test_who_waits_for_room_gets_it_from_a_session_that_waits_for_a_run(
    service: Keeper, alice: Any, create: Create, settings: Any
) -> None:
    first = await done(alice)
    slots = {"cpu": 4.0, "memory": 8 << 30}
    session = await create(service, slots=slots)
    await asyncio.wait_for(session.settled.wait(), 60)
    assert session.life.state is State.RUNNING
    assert await service.journal.flush(5)
    assert (await Session.objects.aget(pk=first["session"])).state == "stopped"


async def test_a_run_over_finds_somebody_waiting_for_room(service: Keeper, alice: Any, create: Create) -> None:
    running = await Browser(alice)("POST", f"{HERE}?wait=0", TRUE | {"command": "sleep 0.5"}, status=202)
    session = await create(service, slots={"cpu": 4.0, "memory": 8 << 30})
    assert session.life.state is State.PENDING
    await asyncio.wait_for(session.settled.wait(), 60)
    assert (await Run.objects.aget(pk=running["id"])).status == "done"


async def test_few_sessions_wait_and_they_count_for_their_user(
    service: Keeper, alice: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST_WAITING", 1)
    await asyncio.gather(*(done(alice, command="sleep 0.5") for _ in range(2)))
    await until(lambda: len(service.sessions) == 1)
    settings.MADANG_MAX_RUNS = 5
    await done(alice, limits={"memory_mib": 200})
    other = await done(alice, limits={"memory_mib": 250})
    await until(lambda: list(service.sessions) == [other["session"]])  # the one that has waited longest goes first
    settings.MADANG_MAX_RUNS = 1
    other = await done(alice, limits={"memory_mib": 300})
    await until(lambda: list(service.sessions) == [other["session"]])
    browser = Browser(alice)
    run = await browser("POST", f"{HERE}?wait=0", SLEEP, status=202)
    assert (await browser("POST", HERE, SLEEP, status=429))["code"] == "too_many"
    await browser("DELETE", f"{HERE}/{run['id']}", status=200)
    settings.MADANG_SPARES = 0
    await done(alice)
    await until(lambda: not service.sessions)


async def test_a_run_goes_on_without_whoever_asked_for_it(service: Keeper, alice: Any) -> None:
    client = await web.connect()
    how = {"user": alice.pk, "image": IMAGE, "language": "", "slots": None}
    stream = await client.open("run.start", **how, terms=TERMS | {"command": "read x; echo $x"}, live=True)
    await stream.write(b"g")
    await client.close()
    id = stream.result["id"]
    run = service.runs.find(id)
    run.give(b"iheard\n")
    await asyncio.wait_for(run.done.wait(), 60)
    told = await Browser(alice)("GET", f"{HERE}/{id}", status=200)
    assert (told["verdict"], told["steps"][0]["stdout"]) == ("ok", "heard\n")


async def test_a_run_whose_files_will_never_come_is_ended(service: Keeper, alice: Any) -> None:
    client = await web.connect()
    how = {"user": alice.pk, "image": IMAGE, "language": "", "slots": None}
    stream = await client.open("run.start", **how, terms=TERMS | {"command": "true"}, record=True)
    await client.close()
    await until(lambda: not service.sessions)
    assert (await Browser(alice)("GET", f"{HERE}/{stream.result['id']}", status=200))["verdict"] == "cancelled"


async def test_a_restart_of_the_service_goes_on_with_what_runs(ground: Ground, alice: Any) -> None:
    ground.runners = True
    path = socket_path(ground.state)
    path.parent.mkdir(parents=True)
    program = "echo begun; while ! test -e /proc/self/cwd/../go; do sleep 0.05; done; echo ended"
    async with kept(ground) as first:
        server = await listen_for(first, path)
        run = await Browser(alice)("POST", f"{HERE}?wait=0", {"image": IMAGE, "command": program}, status=202)
        waits = await done(alice)
        await until(lambda: first.runs.find(run["id"]).run.status == "running")
        server.close()
    assert len(ground.boxes) == 2
    async with kept(ground) as second:
        server = await listen_for(second, path)
        await until(lambda: waits["session"] not in second.sessions)
        assert (await Browser(alice)("GET", f"{HERE}/{run['id']}", status=200))["status"] == "running"
        (ground.state / "sandboxes" / run["session"] / "go").touch()
        await until(lambda: run["id"] not in second.runs.under_way)
        told = await Browser(alice)("GET", f"{HERE}/{run['id']}", status=200)
        assert (told["verdict"], told["steps"][0]["stdout"]) == ("ok", "begun\nended\n"), json.dumps(told)
        server.close()


async def test_nobody_asks_for_a_run_that_is_not_there(service: Keeper, alice: Any) -> None:
    for method in ("run.get", "run.cancel"):
        with pytest.raises(CallError, match="no such run"):
            async with await web.connect() as client:
                await client.call(method, id="nonsense")
