"""One session for all who work in a project; whoever loses their right loses it at once, with sockets open."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from sessions import websocket
from sessions.changes import changes_of, tell_changed
from sessions.models import Session
from sessions.projects import Equipment, ProjectRef, Right
from tests.sessions.conftest import row
from tests.sessions.web import Browser, Projects, Socket

pytestmark = [pytest.mark.django_db(transaction=True)]
EDITOR = (Right.VIEW, Right.EDIT, Right.RUN)


@pytest.fixture
def demo(projects: Projects, alice: Any) -> ProjectRef:
    return projects.add(alice, "demo")


async def test_an_editor_works_in_the_same_session_and_kernel(
    service: Any, projects: Projects, demo: ProjectRef, alice: Any, bob: Any
) -> None:
    projects.share(demo, bob, *EDITOR)
    alices, bobs = Browser(alice), Browser(bob)
    mine = await alices("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201)
    theirs = await bobs("POST", "/api/v1/sessions", {"project": str(demo.id)}, 200)
    assert theirs["id"] == mine["id"]
    document = {"path": "demo/main.py", "type": "console", "name": "", "kernel": {"name": "python3"}}
    first = await alices("POST", "/jupyter/api/sessions", document, 201)
    second = await bobs("POST", "/jupyter/api/sessions", {**document, "path": "demo~/main.py"}, 201)
    assert first["path"] == "demo/main.py"
    assert second["path"] == "demo~/main.py"
    assert (first["id"], first["kernel"]["id"]) == (second["id"], second["kernel"]["id"])
    assert [one["path"] for one in await bobs("GET", "/jupyter/api/sessions", None, 200)] == ["demo~/main.py"]
    assert await Session.objects.filter(project=demo.id).acount() == 1
    paused = await bobs("POST", f"/api/v1/sessions/{mine['id']}/pause", None, 200)
    assert paused["state"] == "paused"


async def test_what_a_viewer_and_a_stranger_may_not(
    service: Any, projects: Projects, demo: ProjectRef, alice: Any, bob: Any
) -> None:
    alices, bobs = Browser(alice), Browser(bob)
    id = (await alices("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201))["id"]
    kernel = (await alices("POST", "/jupyter/api/kernels", {"name": "python3", "path": "demo/"}, 201))["id"]
    terminal = (await alices("POST", "/jupyter/api/terminals", {"cwd": "demo"}, 201))["name"]

    async def refused(code: int, name: str) -> None:
        await bobs("POST", "/api/v1/sessions", {"project": str(demo.id)}, code)
        for action in ("pause", "resume", "extend"):
            await bobs("POST", f"/api/v1/sessions/{id}/{action}", None, code)
        await bobs("DELETE", f"/api/v1/sessions/{id}", None, code)
        await bobs("POST", "/jupyter/api/kernels", {"name": "python3", "path": f"{name}/main.py"}, code)
        await bobs("POST", "/jupyter/api/sessions", {"path": f"{name}/a.ipynb", "type": "notebook"}, code)
        await bobs("POST", "/jupyter/api/terminals", {"cwd": name}, code)
        await bobs("GET", f"/jupyter/api/kernels/{kernel}", None, 404)
        await bobs("POST", f"/jupyter/api/kernels/{kernel}/interrupt", None, 404)
        await bobs("DELETE", f"/jupyter/api/terminals/{terminal}", None, 404)
        assert await bobs("GET", "/jupyter/api/kernels", None, 200) == []
        assert await bobs("GET", "/jupyter/api/terminals", None, 200) == []
        for path in (
            f"/jupyter/api/kernels/{kernel}/channels",
            f"/api/v1/sessions/{id}/terminals/1",
            f"/api/v1/sessions/{id}/terminals",
        ):
            async with Socket(bob, path) as socket:
                assert await socket.code() == websocket.NOT_YOURS
        async with Socket(bob, f"/jupyter/terminals/websocket/{terminal}") as socket:
            assert await socket.code() == websocket.NO_SUCH_THING

    await refused(404, "demo~")
    await bobs("GET", f"/api/v1/sessions/{id}", None, 404)
    async with Socket(bob, f"/api/v1/sessions/{id}/events") as socket:
        assert await socket.code() == websocket.NOT_YOURS
    projects.share(demo, bob, Right.VIEW)
    await refused(403, "demo~")
    assert (await bobs("GET", f"/api/v1/sessions/{id}", None, 200))["state"] == "running"
    async with Socket(bob, f"/api/v1/sessions/{id}/events", session=await signed(bob)) as socket:
        assert '"type": "session"' in await socket.next()
    assert (await alices("GET", f"/api/v1/sessions/{id}", None, 200))["state"] == "running"


async def test_open_streams_close_when_the_right_goes(
    service: Any, projects: Projects, demo: ProjectRef, alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "GUARD_SECONDS", 3600.0)  # it is the news that closes them, not a look now and then
    projects.share(demo, bob, *EDITOR)
    bobs = Browser(bob)
    id = (await bobs("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201))["id"]
    kernel = (await bobs("POST", "/jupyter/api/kernels", {"name": "python3", "path": "demo~/"}, 201))["id"]
    who = await signed(bob)
    async with (
        Socket(bob, f"/jupyter/api/kernels/{kernel}/channels", session=who) as channels,
        Socket(bob, f"/api/v1/sessions/{id}/terminals/1", session=who) as terminal,
        Socket(bob, f"/api/v1/sessions/{id}/terminals", session=who) as company,
        Socket(bob, f"/api/v1/sessions/{id}/events", session=who) as events,
        Socket(alice, f"/api/v1/sessions/{id}/events", session=await signed(alice)) as hers,
    ):
        for socket in (terminal, company, events, hers):
            assert not isinstance(await socket.next(), int)
        projects.share(demo, bob, Right.VIEW)
        await sync_to_async(tell_changed)(demo.id)
        assert await channels.code() == websocket.NOT_YOURS
        assert await terminal.code() == websocket.NOT_YOURS
        assert await company.code() == websocket.NOT_YOURS
        projects.share(demo, bob)
        await sync_to_async(tell_changed)(demo.id)
        assert await events.code() == websocket.NOT_YOURS
        assert not isinstance(await hers.next(), int)


async def test_who_pays_may_stop_it_when_they_are_out(
    service: Any, projects: Projects, demo: ProjectRef, bob: Any, alice: Any
) -> None:
    projects.share(demo, bob, *EDITOR)
    bobs = Browser(bob)
    id = (await bobs("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201))["id"]
    assert (await row(service.find(id))).user_id == bob.pk
    projects.share(demo, bob)
    await bobs("POST", f"/api/v1/sessions/{id}/pause", None, 403)
    await bobs("DELETE", f"/api/v1/sessions/{id}", None, 200)


async def test_news_reach_those_who_listen_to_that_project(projects: Projects, demo: ProjectRef, alice: Any) -> None:
    other = projects.add(alice, "other")
    async with changes_of(demo.id) as here, changes_of(other.id) as there, changes_of(None) as nowhere:
        await sync_to_async(tell_changed)(demo.id)
        await here.wait()
        assert not there.is_set()
        assert not nowhere.is_set()
        await sync_to_async(tell_changed)(other.id)
        await there.wait()


@sync_to_async
def signed(user: Any) -> Any:
    """The cookie's session of a browser in which ``user`` is signed in."""
    client = Client()
    client.force_login(user)
    return client.session


async def test_a_session_starts_with_what_its_project_has(
    service: Any, ground: Any, projects: Projects, demo: ProjectRef, alice: Any
) -> None:
    projects.equipped[demo.id] = Equipment({"API_KEY": "s3cret"}, {"penguins": demo.directory})
    session = await Browser(alice)("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201)
    await service.settle(service.find(session["id"]))
    spec = ground.boxes[session["id"]].spec
    assert spec.environment["API_KEY"] == "s3cret"
    assert spec.datasets == {"penguins": demo.directory}
    assert "s3cret" not in str(await Session.objects.filter(pk=session["id"]).values().aget())
