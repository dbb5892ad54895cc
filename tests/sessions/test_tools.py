"""Language servers, commands and programs through web: who may, and what garbage gets."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import Any

import pytest

from sandbox.images import images
from sessions.api_tools import command_for
from sessions.problems import Problem
from sessions.projects import ProjectRef, Right
from tests.sessions.conftest import IMAGE
from tests.sessions.web import Browser, Projects, Socket
from tests.settings import IMAGES

pytestmark = [pytest.mark.django_db(transaction=True)]
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}}


@pytest.fixture
def demo(projects: Projects, alice: Any, monkeypatch: pytest.MonkeyPatch) -> ProjectRef:
    monkeypatch.setenv("PATH", f"{IMAGES / 'python' / 'bin'}:{os.environ['PATH']}")
    return projects.add(alice, "demo")


async def session_of(user: Any, demo: ProjectRef) -> str:
    return str((await Browser(user)("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201))["id"])


def server(session: str, language: str = "python") -> str:
    return f"/api/v1/sessions/{session}/servers/{language}"


async def test_a_language_server_answers_its_page(service: Any, demo: ProjectRef, alice: Any) -> None:
    session = await session_of(alice, demo)
    async with Socket(alice, server(session)) as socket:
        attached = json.loads(await socket.next())
        assert (attached["method"], attached["params"]["root"]) == ("madang/attached", demo.directory.as_uri())
        await socket.send(json.dumps(INITIALIZE))
        answer = json.loads(await socket.next())
        assert answer["id"] == 1
        assert answer["result"]["capabilities"]["hoverProvider"]


async def test_who_may_not_run_here_asks_no_server_and_runs_nothing(
    service: Any, projects: Projects, demo: ProjectRef, alice: Any, bob: Any
) -> None:
    session = await session_of(alice, demo)
    bobs = Browser(bob)

    async def refused(status: int) -> None:
        async with Socket(bob, server(session)) as socket:
            assert await socket.code() == 4403
        await bobs("POST", f"/api/v1/sessions/{session}/commands", {"command": ["id"]}, status)
        await bobs("POST", f"/api/v1/sessions/{session}/programs", {"path": "main.py"}, status)
        await bobs("DELETE", f"/api/v1/sessions/{session}/programs/run-1", None, status)

    await refused(404)
    projects.share(demo, bob, Right.VIEW)
    await refused(403)
    projects.share(demo, bob, Right.VIEW, Right.EDIT, Right.RUN)
    async with Socket(bob, server(session)) as socket:
        assert "attached" in await socket.next()


async def test_servers_that_there_are_not_and_frames_that_are_none(service: Any, demo: ProjectRef, alice: Any) -> None:
    session = await session_of(alice, demo)
    async with Socket(alice, server(session, "cobol")) as socket:
        assert await socket.code() == 4404
    async with Socket(alice, server("00000000-0000-4000-8000-000000000000")) as socket:
        assert await socket.code() == 4404
    async with Socket(alice, server(session)) as socket:
        await socket.next()
        await socket.send(b"\x00")
        assert await socket.code() == 4400
    async with Socket(alice, server(session)) as socket:
        await socket.next()
        await socket.send("[]")
        ended = json.loads(await socket.next())
        assert "not an object" in ended["params"]["reason"]


async def test_a_command_says_what_it_did(service: Any, demo: ProjectRef, alice: Any) -> None:
    path = f"/api/v1/sessions/{await session_of(alice, demo)}/commands"
    alices = Browser(alice)
    body = {"command": ["bash", "-c", "cat; echo $0; echo no >&2; exit 5", "a 'b'"], "stdin": "마당\n"}
    said = await alices("POST", path, body, 200)
    assert (said["exit_code"], said["stdout"], said["stderr"], said["cause"]) == (5, "마당\na 'b'\n", "no\n", "")
    said = await alices("POST", path, {"command": ["sleep", "60"], "time_s": 0.3}, 200)
    assert said["cause"] == "time_limit"
    ls = {"command": ["ls"]}
    words: list[Any] = [[], "ls", ["x" * 40_000], ["a\0b"]]
    for wrong in [
        {},
        {**ls, "time_s": 1e9},
        {**ls, "output": -1},
        {**ls, "user": "root"},
        *({"command": w} for w in words),
    ]:
        await alices("POST", path, wrong, 422)


async def test_a_file_runs_in_a_terminal_that_can_be_read_afterwards(
    service: Any, demo: ProjectRef, alice: Any
) -> None:
    (demo.directory / "src").mkdir()
    (demo.directory / "src" / "it's.py").write_text("import os; print('in ' + os.path.basename(os.getcwd()))")
    session = await session_of(alice, demo)
    path, alices = f"/api/v1/sessions/{session}/programs", Browser(alice)
    program = await alices("POST", path, {"path": "src/it's.py"}, 201)
    assert program["folder"] == "src"
    for _ in range(2):
        said = b""
        async with Socket(alice, f"/api/v1/sessions/{session}/terminals/{program['name']}?since=0") as socket:
            while not isinstance(frame := await socket.next(), int):
                said += frame
        assert b"in src" in said
        assert b"exited with status 0" in said
    assert await alices("GET", "/jupyter/api/terminals", None, 200) == []
    await alices("DELETE", f"{path}/{program['name']}", None, 204)
    await alices("DELETE", f"{path}/{program['name']}", None, 204)
    for wrong in ("../x.py", "/etc/passwd", "a\0.py", "notes.txt", ""):
        await alices("POST", path, {"path": wrong}, 422)


async def test_images_say_what_they_run_and_serve(demo: ProjectRef, alice: Any) -> None:
    listed = {one["name"]: one for one in await Browser(alice)("GET", "/api/v1/images", None, 200)}
    python = listed[IMAGE]
    assert python["servers"] == [{"language": "python", "extensions": [".py", ".pyi"]}]
    assert python["languages"][0]["run"] == "python {main}"
    assert "ruff format" in python["languages"][0]["format"]


def test_a_files_command_is_its_languages_and_names_are_quoted() -> None:
    assert command_for(IMAGE, PurePosixPath("a/main.py")) == "python main.py"
    assert command_for(IMAGE, PurePosixPath("$(id).py")) == "python '$(id).py'"
    assert command_for(IMAGE, PurePosixPath("-c.py")) == "python ./-c.py"
    if "c" in images():
        assert command_for("c", PurePosixPath("main.c")) == "gcc -g -Wall main.c -lm && ./a.out"
    with pytest.raises(Problem):
        command_for(IMAGE, PurePosixPath("notes.txt"))
