"""Sessions, images and usage over REST."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from sandbox.runner.wire import CallError
from sessions import client, lifecycle
from sessions.models import Session
from sessions.prices import Prices
from sessions.service.keeper import Keeper
from tests.sessions.conftest import IMAGE
from tests.sessions.lab import Ground
from tests.sessions.web import Browser, Projects
from tests.until import until

HERE = "/api/v1/sessions"


async def test_a_session_by_rest(service: Keeper, ground: Ground, projects: Projects, alice: Any) -> None:
    browser, project = Browser(alice), projects.add(alice, "demo")
    response = await browser.raw("POST", HERE, {"project": str(project.id), "slots": {"cpu": 0.5}, "idle_timeout": 60})
    made = response.json()
    assert response.status_code == 201, made
    assert response["Location"] == f"{HERE}/{made['id']}"
    assert (made["image"], made["project"], made["slots"]["cpu"]) == (IMAGE, str(project.id), 0.5)
    await until(lambda: service.sessions[made["id"]].life.state == "running")
    assert ground.boxes[made["id"]].spec.project == project.directory
    assert ground.boxes[made["id"]].spec.hostname == "demo"
    again = await browser("POST", HERE, {"project": str(project.id)}, status=200)
    assert again["id"] == made["id"]
    box = ground.boxes[made["id"]]
    box.use(cpu_ms=77, memory_kib=10)
    await until(box.samples.empty)
    seen = await browser("GET", f"{HERE}/{made['id']}", status=200)
    assert (seen["state"], seen["usage"]["cpu_ms"]) == ("running", 77)
    assert (await browser("POST", f"{HERE}/{made['id']}/pause", status=200))["state"] == "paused"
    await browser("POST", f"{HERE}/{made['id']}/pause", status=409)
    assert (await browser("POST", f"{HERE}/{made['id']}/resume", status=200))["state"] == "running"
    assert (await browser("POST", f"{HERE}/{made['id']}/extend", status=200))["idle_deadline"]
    assert (await browser("DELETE", f"{HERE}/{made['id']}", status=200))["state"] in ("stopping", "stopped")
    await until(lambda: made["id"] not in service.sessions)
    gone = await browser("DELETE", f"{HERE}/{made['id']}", status=200)
    assert (gone["state"], gone["reason"], gone["usage"]["cpu_ms"]) == ("stopped", "owner", 77)
    ended = await browser("POST", f"{HERE}/{made['id']}/resume", status=409)
    assert ended["code"] == "ended"
    usage = await browser("GET", "/api/v1/usage", status=200)
    assert usage["total"]["cpu_ms"] == 77
    assert [(item["session"], item["cpu_ms"]) for item in usage["items"]] == [(made["id"], 77)]


async def test_what_a_session_costs_is_told_and_kept(
    service: Keeper, ground: Ground, alice: Any, settings: Any
) -> None:
    settings.MADANG_PRICES = Prices.parse("USD cpu=3600")
    browser = Browser(alice)
    prices = {"currency": "USD", "prices": [{"what": "cpu", "unit": "core-hour", "micros": 3_600_000_000}]}
    assert await browser("GET", "/api/v1/prices", status=200) == prices
    made = await browser("POST", HERE, {"image": IMAGE}, status=201)
    assert made["cost"] == {"currency": "USD", "micros": 0}
    await until(lambda: made["id"] in ground.boxes)
    box = ground.boxes[made["id"]]
    box.use(cpu_ms=77)
    await until(box.samples.empty)
    seen = await browser("GET", f"{HERE}/{made['id']}", status=200)
    assert seen["cost"] == {"currency": "USD", "micros": 77_000}
    await browser("DELETE", f"{HERE}/{made['id']}", status=200)
    await until(lambda: made["id"] not in service.sessions)
    usage = await browser("GET", "/api/v1/usage", status=200)
    assert usage["total"]["cost"] == usage["items"][0]["cost"] == {"currency": "USD", "micros": 77_000}
    settings.MADANG_PRICES = Prices.parse("USD cpu=7200")
    assert (await browser("GET", f"{HERE}/{made['id']}", status=200))["cost"]["micros"] == 77_000
    settings.MADANG_PRICES = Prices()
    assert (await browser("GET", f"{HERE}/{made['id']}", status=200))["cost"] is None
    assert await browser("GET", "/api/v1/prices", status=200) == {"currency": "", "prices": []}


async def test_a_stricter_policy_may_be_asked_for_and_a_wider_one_not(
    service: Keeper, ground: Ground, projects: Projects, alice: Any
) -> None:
    browser, project = Browser(alice), projects.add(alice, "exam")
    for wider in ("build", "nonsense", ""):
        refused = await browser("POST", HERE, {"image": IMAGE, "policy": wider}, status=422)
        assert refused["hint"] == "Choose from: default, strict.", wider
    made = await browser("POST", HERE, {"project": str(project.id), "policy": "strict"}, status=201)
    await until(lambda: made["id"] in ground.boxes)
    assert (made["policy"], ground.boxes[made["id"]].spec.policy) == ("strict", "strict")
    assert made["slots"]["processes"] == 64, "what is granted is what holds"
    again = await browser("POST", HERE, {"project": str(project.id)}, status=200)
    assert again["policy"] == "strict", "whoever does not ask joins what there is"
    await browser("POST", HERE, {"project": str(project.id), "policy": "default"}, status=409)
    with pytest.raises(CallError, match="cannot be given the policy 'build'"):
        await service.create(alice.pk, None, None, IMAGE, None, idle_timeout=60, hostname="lab", policy="build")
    usual = await browser("POST", HERE, {"image": IMAGE}, status=201)
    assert usual["policy"] == "default"


async def test_lists_are_ones_own_and_paged(service: Keeper, alice: Any, bob: Any) -> None:
    browser = Browser(alice)
    made = [(await browser("POST", HERE, {"image": IMAGE}, status=201))["id"] for _ in range(3)]
    await browser("DELETE", f"{HERE}/{made[0]}", status=200)
    await until(lambda: made[0] not in service.sessions)
    page = await browser("GET", f"{HERE}?limit=2", status=200)
    assert page["count"] == 3
    assert [item["id"] for item in page["items"]] == made[:0:-1]
    assert [item["id"] for item in (await browser("GET", f"{HERE}?offset=2", status=200))["items"]] == made[:1]
    assert {item["id"] for item in (await browser("GET", f"{HERE}?state=live", status=200))["items"]} == set(made[1:])
    assert (await browser("GET", f"{HERE}?state=stopped", status=200))["count"] == 1
    await browser("GET", f"{HERE}?state=sleeping", status=422)
    await browser("GET", f"{HERE}?limit=0", status=422)
    assert (await Browser(bob)("GET", HERE, status=200))["count"] == 0
    assert (await Browser(bob)("GET", "/api/v1/usage", status=200))["count"] == 0


async def test_anothers_session_does_not_exist(service: Keeper, projects: Projects, alice: Any, bob: Any) -> None:
    id = (await Browser(alice)("POST", HERE, {"image": IMAGE}, status=201))["id"]
    project = projects.add(alice, "demo")
    for user, status in ((bob, 404), (None, 401)):
        browser = Browser(user)
        for method, path in [
            ("GET", id), ("DELETE", id), ("POST", f"{id}/pause"), ("POST", f"{id}/resume"), ("POST", f"{id}/extend"),
        ]:  # fmt: skip
            problem = await browser(method, f"{HERE}/{path}", status=status)
            assert problem["detail"]
        await browser("POST", HERE, {"image": IMAGE, "project": str(project.id)}, status=status)
    assert service.sessions[id].life.state in lifecycle.LIVE
    assert len(service.sessions) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "image or a project"),
        ({"image": "cobol:60"}, "no image called"),
        ({"image": IMAGE, "budget": 5}, "budget"),
        ({"image": IMAGE, "slots": {"wheels": 4}}, "wheels"),
        ({"image": IMAGE, "slots": {"cpu": 1000}}, "At most"),
        ({"image": IMAGE, "slots": {"memory": 1}}, "32 MiB"),
        ({"image": IMAGE, "slots": {"memory": 1 << 43}}, "At most"),
        ({"image": IMAGE, "slots": {"gpu": 2}}, "At most 1 of gpu"),
        ({"image": IMAGE, "slots": {"gpu": 0.505}}, "hundredths"),
        ({"image": IMAGE, "idle_timeout": 1}, "idle_timeout"),
        ({"image": IMAGE, "project": "mine"}, "project"),
        ({"image": "x" * 10_000}, "image"),
    ],
)
async def test_bad_requests_say_what_is_wrong(service: Keeper, alice: Any, body: dict[str, Any], says: str) -> None:
    problem = await Browser(alice)("POST", HERE, body, status=422)
    assert says in problem["detail"]
    assert service.sessions == {}


async def test_images(alice: Any) -> None:
    found = await Browser(alice)("GET", "/api/v1/images", status=200)
    assert IMAGE in [image["name"] for image in found]
    await Browser(None)("GET", "/api/v1/images", status=401)


async def test_while_the_service_is_away(ground: Ground, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "AWAY_SECONDS", 0.3)
    row = await Session.objects.acreate(user=alice, image=IMAGE, slots=slots(), state="running", idle_timeout=60)
    browser = Browser(alice)
    problem = await browser("POST", HERE, {"image": IMAGE}, status=503)
    assert problem["code"] == "service_away"
    assert (await browser("GET", f"{HERE}/{row.pk}", status=200))["state"] == "running", "what the database knows"
    await browser("DELETE", f"{HERE}/{row.pk}", status=503)
    await browser("GET", f"{HERE}/{uuid.uuid4()}", status=404)


async def test_a_call_waits_while_the_service_restarts(ground: Ground, keeper: Keeper, alice: Any) -> None:
    from sessions.service.address import socket_path
    from sessions.service.server import listen_for

    asking = asyncio.create_task(Browser(alice)("POST", HERE, {"image": IMAGE}, status=201))
    await asyncio.wait({asking}, timeout=0.3)
    assert not asking.done()
    path = socket_path(ground.state)
    path.parent.mkdir(parents=True)
    server = await listen_for(keeper, path)
    assert (await asking)["id"] in keeper.sessions
    server.close()


async def test_the_service_answers_every_nonsense(service: Keeper) -> None:
    async with await client.connect() as wire:
        nonsense: list[tuple[str, dict[str, Any]]] = [
            ("session.nothing", {}),
            ("session.create", {"user": 1}),
            ("session.create", {"user": 10**9, "image": IMAGE}),
            ("session.create", {"user": "x", "image": IMAGE, "project": "no uuid"}),
            ("session.stop", {"id": None}),
            ("session.watch", {"id": "x", "surprise": 1}),
        ]
        for method, params in nonsense:
            with pytest.raises(CallError) as error:
                await asyncio.wait_for(wire.call(method, **params), 5)
            assert error.value.message
    assert service.sessions == {}


def slots() -> dict[str, Any]:
    return {"cpu": 1.0, "memory": 1 << 30, "disk": 1 << 30, "gpu": 0.0, "processes": 64}
