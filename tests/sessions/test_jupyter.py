"""Jupyter Server's HTTP API on real kernels: shapes, statuses, owners."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from sessions import client, runner
from sessions.models import Kernel
from sessions.service.keeper import Keeper
from tests.sessions.conftest import IMAGE
from tests.sessions.lab import Ground
from tests.sessions.web import Browser, Projects
from tests.until import until

API = "/jupyter/api"
UNKNOWN = uuid.UUID(int=1)
KERNEL_KEYS = {"id", "name", "last_activity", "execution_state", "connections"}


async def test_what_a_client_asks_first(ground: Ground, alice: Any) -> None:
    browser = Browser(alice)
    assert (await browser("GET", API, status=200))["version"]
    specs = await browser("GET", f"{API}/kernelspecs", status=200)
    assert specs["default"] == "python3"
    spec = specs["kernelspecs"]["python3"]
    assert spec["name"] == "python3"
    assert {"argv", "display_name", "language", "env", "interrupt_mode", "metadata"} <= set(spec["spec"])
    assert await browser("GET", f"{API}/kernelspecs/python3", status=200) == spec
    await browser("GET", f"{API}/kernelspecs/cobol", status=404)
    await browser("GET", "/jupyter/kernelspecs/python3/image.toml", status=404)
    status = await browser("GET", f"{API}/status", status=200)
    assert set(status) == {"started", "last_activity", "connections", "kernels"}
    me = await browser("GET", f"{API}/me", status=200)
    assert me["identity"]["username"] == "alice@example.org"


async def test_the_life_of_a_kernel(service: Keeper, projects: Projects, alice: Any) -> None:
    browser = Browser(alice)
    response = await browser.raw("POST", f"{API}/kernels", {"name": "python3"})
    kernel = response.json()
    assert response.status_code == 201, kernel
    assert response["Location"] == f"{API}/kernels/{kernel['id']}"
    assert set(kernel) == KERNEL_KEYS
    assert len(service.sessions) == 1
    assert (alice.pk, "scratch") in projects.known
    other = await browser("POST", f"{API}/kernels", status=201)
    assert other["name"] == "python3", "the image's own, where none is named"
    assert len(service.sessions) == 1, "in the session that runs"
    assert {found["id"] for found in await browser("GET", f"{API}/kernels", status=200)} == {kernel["id"], other["id"]}
    assert (await browser("GET", f"{API}/status", status=200))["kernels"] == 2
    await browser("POST", f"{API}/kernels/{kernel['id']}/interrupt", status=204)
    assert (await browser("POST", f"{API}/kernels/{kernel['id']}/restart", status=200))["id"] == kernel["id"]
    for one in (kernel, other):
        await browser("DELETE", f"{API}/kernels/{one['id']}", status=204)
        gone = await browser("GET", f"{API}/kernels/{one['id']}", status=404)
        assert gone["message"]
        assert gone["code"] == "not_found"
    (session,) = service.sessions.values()
    assert session.life.state == "running", "its last kernel's end is not its end"


async def test_a_kernel_goes_with_its_session(service: Keeper, ground: Ground, projects: Projects, alice: Any) -> None:
    browser = Browser(alice)
    kernel = await browser("POST", f"{API}/kernels", {"name": "python3"}, status=201)
    (session,) = service.sessions.values()
    ground.boxes[session.id].end()
    await session.gone.wait()
    assert await browser("GET", f"{API}/kernels", status=200) == []
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/restart"), ("POST", "/interrupt")]:
        await browser(method, f"{API}/kernels/{kernel['id']}{path}", status=404)


async def test_a_kernel_that_ended_by_itself_is_forgotten(service: Keeper, projects: Projects, alice: Any) -> None:
    browser = Browser(alice)
    kernel = await browser("POST", f"{API}/kernels", {"name": "python3"}, status=201)
    (session,) = service.sessions
    await runner.call(session, "kernel.stop", id=kernel["id"])
    await browser("GET", f"{API}/kernels/{kernel['id']}", status=404)
    assert await Kernel.objects.acount() == 0


async def test_documents(service: Keeper, projects: Projects, alice: Any) -> None:
    projects.add(alice, "demo")
    browser = Browser(alice)
    wanted = {"path": "demo/a.ipynb", "name": "a.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    response = await browser.raw("POST", f"{API}/sessions", wanted)
    made = response.json()
    assert response.status_code == 201, made
    assert response["Location"] == f"{API}/sessions/{made['id']}"
    assert (made["path"], made["name"], made["type"]) == ("demo/a.ipynb", "a.ipynb", "notebook")
    assert made["notebook"] == {"path": "demo/a.ipynb", "name": "a.ipynb"}
    assert set(made["kernel"]) == KERNEL_KEYS
    assert (await browser("POST", f"{API}/sessions", wanted, status=201))["id"] == made["id"], "opened again"
    here = f"{API}/sessions/{made['id']}"
    assert await browser("GET", here, status=200) | {"kernel": 0} == made | {"kernel": 0}
    moved = await browser("PATCH", here, {"path": "demo/b.ipynb", "name": "b.ipynb"}, status=200)
    assert (moved["path"], moved["kernel"]["id"]) == ("demo/b.ipynb", made["kernel"]["id"])
    other = await browser("POST", f"{API}/kernels", {"name": "python3", "path": "demo/"}, status=201)
    swapped = await browser("PATCH", here, {"kernel": {"id": other["id"]}}, status=200)
    assert (swapped["id"], swapped["kernel"]["id"], swapped["path"]) == (made["id"], other["id"], "demo/b.ipynb")
    await browser("GET", f"{API}/kernels/{made['kernel']['id']}", status=404)
    assert [one["id"] for one in await browser("GET", f"{API}/sessions", status=200)] == [made["id"]]
    await browser("DELETE", here, status=204)
    await browser("GET", here, status=404)
    assert await browser("GET", f"{API}/kernels", status=200) == []


async def test_two_tabs_at_once_get_one_session_and_one_kernel(service: Keeper, projects: Projects, alice: Any) -> None:
    projects.add(alice, "demo")
    body = {"path": "demo/main.py", "type": "console", "name": "", "kernel": {"name": "python3"}}
    tabs = [Browser(alice) for _ in range(4)]
    made = await asyncio.gather(*(tab("POST", f"{API}/sessions", body, status=201) for tab in tabs))
    assert len({one["id"] for one in made}) == 1
    assert len(service.sessions) == 1
    listed = await tabs[0]("GET", f"{API}/kernels", status=200)
    (session,) = service.sessions
    assert [one["id"] for one in await runner.call(session, "kernel.list")] == [one["id"] for one in listed]
    assert len(listed) == 1, "the slower tabs' kernels are stopped"


async def test_terminals(service: Keeper, projects: Projects, alice: Any, bob: Any) -> None:
    projects.add(alice, "demo")
    browser = Browser(alice)
    response = await browser.raw("POST", f"{API}/terminals", {"cwd": "demo"})
    made = response.json()
    assert response.status_code == 201, made
    (session,) = service.sessions
    assert made["name"] == f"{session[:8]}-1"
    assert response["Location"] == f"{API}/terminals/{made['name']}"
    second = await browser("POST", f"{API}/terminals", {"cwd": "demo", "name": "build"}, status=201)
    await browser("POST", f"{API}/terminals", {"cwd": "demo", "name": "build"}, status=409)
    await browser("POST", f"{API}/terminals", {"name": "../x"}, status=400)
    assert {one["name"] for one in await browser("GET", f"{API}/terminals", status=200)} == {
        made["name"],
        second["name"],
    }
    assert (await browser("GET", f"{API}/terminals/{made['name']}", status=200))["last_activity"]
    for method in ("GET", "DELETE"):
        await Browser(bob)(method, f"{API}/terminals/{made['name']}", status=404)
    assert await Browser(bob)("GET", f"{API}/terminals", status=200) == []
    await browser("DELETE", f"{API}/terminals/{made['name']}", status=204)
    async with asyncio.timeout(10):
        while (await browser.raw("GET", f"{API}/terminals/{made['name']}")).status_code != 404:
            await asyncio.sleep(0.05)


async def test_strangers_find_nothing(service: Keeper, projects: Projects, alice: Any, bob: Any) -> None:
    projects.add(alice, "demo")
    body = {"path": "demo/a.ipynb", "type": "notebook", "name": "a", "kernel": {"name": "python3"}}
    made = await Browser(alice)("POST", f"{API}/sessions", body, status=201)
    kernel, document = f"{API}/kernels/{made['kernel']['id']}", f"{API}/sessions/{made['id']}"
    doors = [
        ("GET", kernel, None), ("DELETE", kernel, None), ("POST", f"{kernel}/interrupt", None),
        ("POST", f"{kernel}/restart", None), ("GET", document, None), ("DELETE", document, None),
        ("PATCH", document, {"path": "x"}), ("POST", f"{API}/sessions", body),
        ("POST", f"{API}/kernels", {"name": "python3", "path": "demo/x"}),
        ("POST", f"{API}/terminals", {"cwd": "demo"}),
    ]  # fmt: skip
    for method, path, content in doors:
        assert (await Browser(bob)(method, path, content, status=404))["message"]
        assert (await Browser(None)(method, path, content, status=401))["hint"]
    stolen = {"path": "", "type": "console", "name": "", "kernel": {"id": made["kernel"]["id"]}}
    await Browser(bob)("POST", f"{API}/sessions", stolen, status=404)
    assert len(service.sessions) == 1
    assert (await Browser(alice)("GET", document, status=200))["kernel"]["id"] == made["kernel"]["id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "kernels", b"{not json", 400),
        ("POST", "kernels", b"[" * 100_000, 400),
        ("POST", "kernels", [], 400),
        ("POST", "kernels", {"name": 5}, 400),
        ("POST", "kernels", {"name": "x" * 10_000}, 400),
        ("POST", "kernels", {"name": "cobol"}, 404),
        ("POST", "kernels", {"name": "python3", "path": "nowhere/a"}, 404),
        ("POST", "sessions", {"path": "a\0b", "kernel": {"name": "python3"}}, 400),
        ("POST", "sessions", {"path": "a", "kernel": "python3"}, 400),
        ("POST", "sessions", {"path": "a", "kernel": {"id": "no uuid"}}, 404),
        ("PATCH", f"sessions/{UNKNOWN}", {}, 404),
        ("PUT", "kernels", {}, 405),
        ("GET", "terminals/x", None, 404),
        ("GET", f"kernels/{UNKNOWN}", None, 404),
    ],
)
async def test_nonsense_gets_a_sentence(
    service: Keeper, projects: Projects, alice: Any, method: str, path: str, body: Any, status: int
) -> None:
    problem = await Browser(alice)(method, f"{API}/{path}", body, status=status)
    assert problem["message"]
    assert problem["code"]
    assert service.sessions == {}


async def test_a_session_that_waits_or_fails_says_so(
    service: Keeper, ground: Ground, projects: Projects, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.drivers import SandboxError

    browser = Browser(alice)
    ground.fail.append(SandboxError("broken", "The image is not set up."))
    problem = await browser("POST", f"{API}/kernels", {"name": "python3"}, status=503)
    assert problem["message"] == "The image is not set up."
    await until(lambda: not service.sessions)
    monkeypatch.setattr("sessions.service.keeper.SETTLE_SECONDS", 0.1)
    await service.create(alice.pk, None, None, IMAGE, {"cpu": 4.0}, idle_timeout=60, hostname="x")
    problem = await browser("POST", f"{API}/kernels", {"name": "python3"}, status=503)
    assert problem["code"] == "no_room"


async def test_a_paused_session_answers_in_time(
    service: Keeper, projects: Projects, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    monkeypatch.setattr("sessions.jupyter.kernels.LIST_SECONDS", 0.3)
    browser = Browser(alice)
    kernel = await browser("POST", f"{API}/kernels", {"name": "python3"}, status=201)
    (session,) = service.sessions
    await client.call("session.pause", id=session)
    box = service.driver.ground.boxes[session]  # type: ignore[attr-defined]
    os.kill(box.process.pid, signal.SIGSTOP)
    (listed,) = await browser("GET", f"{API}/kernels", status=200)
    assert (listed["id"], listed["execution_state"]) == (kernel["id"], "unknown")
    assert (await browser("POST", f"{API}/kernels", {"name": "python3"}, status=409))["code"] == "paused"
