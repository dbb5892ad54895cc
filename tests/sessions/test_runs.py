"""Runs over REST, with the real runner as a plain process."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.utils import timezone

from sandbox.drivers import SandboxError
from sessions.ledger import COUNTED
from sessions.models import Run, UsageLine
from sessions.runs import execute
from sessions.service import store
from sessions.service.keeper import Keeper
from tests.sessions.conftest import IMAGE
from tests.sessions.lab import Ground
from tests.sessions.web import Browser, Socket
from tests.until import until

HERE = "/api/v1/runs"
SLEEP = {"image": IMAGE, "files": {"main.py": "import time; time.sleep(1000)"}}


async def test_a_program_is_run_and_answered(service: Keeper, alice: Any) -> None:
    text = "import sys; open('made', 'w').write('x'); print(input()); print('마당\\0', file=sys.stderr); sys.exit(3)"
    asked = {"image": IMAGE, "files": {"main.py": text}, "stdin": "héllo\nrest"}
    response = await Browser(alice).raw("POST", HERE, asked)
    run = response.json()
    assert response.status_code == 200, run
    assert (run["status"], run["verdict"], run["language"], run["detail"]) == ("done", "runtime_error", "python", "")
    (step,) = run["steps"]
    assert (step["name"], step["exit_code"], step["stdout"], step["stderr"]) == ("run", 3, "héllo\n", "마당\0\n")
    assert [(file["path"], file["text"]) for file in run["files"]] == [("made", "x")]
    assert response["Location"] == f"{HERE}/{run['id']}"
    assert await Browser(alice)("GET", f"{HERE}/{run['id']}", status=200) == run
    line = await UsageLine.objects.aget(session=run["session"])
    assert {name: getattr(line, name) for name in COUNTED} == {name: run["usage"][name] for name in COUNTED}


async def test_a_makefile_says_how(service: Keeper, alice: Any) -> None:
    make = "all:\n\t@cp part.txt built.txt\nrun:\n\t@cat built.txt\n"
    run = await Browser(alice)("POST", HERE, {"image": IMAGE, "files": {"Makefile": make, "part.txt": "made"}}, 200)
    assert [step["name"] for step in run["steps"]] == ["build", "run"]
    assert (run["verdict"], run["steps"][1]["stdout"], run["files"]) == ("ok", "made", [])
    broken = await Browser(alice)("POST", HERE, {"image": IMAGE, "files": {"Makefile": "all:\n\tfalse\n"}}, 200)
    assert (broken["verdict"], len(broken["steps"])) == ("compile_error", 1)


async def test_limits_are_told_by_the_verdict(service: Keeper, ground: Ground, alice: Any) -> None:
    flood = {"image": IMAGE, "command": "yes", "limits": {"output_kib": 4, "memory_mib": 300, "processes": 40}}
    asking = asyncio.create_task(Browser(alice)("POST", HERE, flood, status=200))
    await until(lambda: ground.boxes or asking.done())
    slots = next(iter(ground.boxes.values())).spec.slots
    assert (slots.memory, slots.processes) == (300 << 20, 40)
    run = await asking
    assert (run["verdict"], run["steps"][0]["truncated"], len(run["steps"][0]["stdout"])) == (
        "output_limit",
        True,
        4096,
    )
    late = await Browser(alice)("POST", HERE, SLEEP | {"limits": {"time_s": 0.3}}, status=200)
    assert (late["verdict"], late["steps"][0]["signal"]) == ("time_limit", "SIGKILL")


async def test_a_run_is_not_waited_for_and_is_cancelled(service: Keeper, alice: Any) -> None:
    browser = Browser(alice)
    run = await browser("POST", f"{HERE}?wait=0", SLEEP, status=202)
    assert (run["verdict"], run["steps"]) == (None, [])
    while (await browser("GET", f"{HERE}/{run['id']}", status=200))["status"] != "running":
        continue
    ended = await browser("DELETE", f"{HERE}/{run['id']}", status=200)
    assert (ended["status"], ended["verdict"]) == ("done", "cancelled")
    assert (await browser("DELETE", f"{HERE}/{run['id']}", status=200)) == ended
    await until(lambda: not service.sessions)


async def test_a_run_in_the_queue_says_so_and_is_cancelled(service: Keeper, ground: Ground, alice: Any) -> None:
    browser = Browser(alice)
    ground.gate.clear()
    for _ in range(4):  # all the cores there are
        await browser("POST", "/api/v1/sessions", {"image": IMAGE}, status=201)
    run = await browser("POST", f"{HERE}?wait=0", SLEEP, status=202)
    assert (run["status"], run["detail"]) == ("queued", "Waiting for room: number 1 in the queue.")
    ended = await browser("DELETE", f"{HERE}/{run['id']}", status=200)
    assert (ended["status"], ended["verdict"]) == ("done", "cancelled")
    ground.gate.set()


async def test_anothers_run_does_not_exist(service: Keeper, alice: Any, bob: Any) -> None:
    run = await Browser(alice)("POST", f"{HERE}?wait=0", SLEEP, status=202)
    for user, status in ((bob, 404), (None, 401)):
        for method in ("GET", "DELETE"):
            problem = await Browser(user)(method, f"{HERE}/{run['id']}", status=status)
            assert problem["detail"]
    await Browser(None)("POST", HERE, SLEEP, status=401)
    await Browser(alice)("GET", f"{HERE}/{uuid.uuid4()}", status=404)
    assert not (await Run.objects.aget(pk=run["id"])).cancelled
    await Browser(alice)("DELETE", f"{HERE}/{run['id']}", status=200)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "image"),
        ({"image": "cobol:60"}, "no image called"),
        ({"image": IMAGE, "language": "cobol"}, "no language called"),
        ({"image": IMAGE, "budget": 5}, "budget"),
        ({"image": IMAGE, "files": {"../x": ""}}, "relative"),
        ({"image": IMAGE, "files": {"/etc/passwd": ""}}, "relative"),
        ({"image": IMAGE, "files": {"a/../../b": ""}}, "relative"),
        ({"image": IMAGE, "files": {"a//b": ""}}, "relative"),
        ({"image": IMAGE, "files": {"": ""}}, "relative"),
        ({"image": IMAGE, "files": {"a\0b": ""}}, "relative"),
        ({"image": IMAGE, "files": {"\ud800": ""}}, ""),
        ({"image": IMAGE, "files": {"a": "", "a/b": ""}}, "file and a folder"),
        ({"image": IMAGE, "files": {"x" * 300: ""}}, "too long"),
        ({"image": IMAGE, "files": {"a": 5}}, "files"),
        ({"image": IMAGE, "files": {str(n): "" for n in range(201)}}, "files"),
        ({"image": IMAGE, "files": {"a": "x" * (1 << 20), "b": "x" * (1 << 20) + "x"}}, "bytes at most"),
        ({"image": IMAGE, "stdin": "x" * (2 << 20) + "x"}, "bytes at most"),
        ({"image": IMAGE, "command": "x" * 9000}, "command"),
        ({"image": IMAGE, "command": "a\0b"}, "command"),
        ({"image": IMAGE, "limits": {"time_s": 1e9}}, "time_s is between"),
        ({"image": IMAGE, "limits": {"time_s": -1}}, "time_s is between"),
        ({"image": IMAGE, "limits": {"cpu_s": 0}}, "cpu_s is between"),
        ({"image": IMAGE, "limits": {"output_kib": 1 << 40}}, "output_kib is between"),
        ({"image": IMAGE, "limits": {"memory_mib": 1}}, "32 MiB"),
        ({"image": IMAGE, "limits": {"memory_mib": 1 << 23}}, "At most"),
        ({"image": IMAGE, "limits": {"processes": 1 << 20}}, "processes"),
        ({"image": IMAGE, "limits": {"wheels": 4}}, "wheels"),
    ],
)
async def test_bad_requests_say_what_is_wrong(service: Keeper, alice: Any, body: dict[str, Any], says: str) -> None:
    problem = await Browser(alice)("POST", HERE, body, status=422)
    assert says in problem["detail"]
    assert service.sessions == {}


async def test_garbage_is_refused(service: Keeper, alice: Any) -> None:
    for garbage in (b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"image": NaN}'):
        response = await Browser(alice).raw("POST", HERE, garbage)
        assert response.status_code in (400, 422), garbage
        assert response.json()["code"]


async def test_a_sandbox_that_does_not_start_is_no_fault_of_the_program(
    service: Keeper, ground: Ground, alice: Any
) -> None:
    ground.fail.append(SandboxError("broken", "The disk is on fire."))
    run = await Browser(alice)("POST", HERE, {"image": IMAGE, "command": "true"}, status=200)
    assert run["verdict"] == "internal_error"
    assert "fire" in run["detail"]


async def test_a_sandbox_that_is_lost_is_told_so(service: Keeper, ground: Ground, alice: Any) -> None:
    browser = Browser(alice)
    asking = asyncio.create_task(browser("POST", HERE, SLEEP, status=200))
    await until(lambda: ground.boxes)
    next(iter(ground.boxes.values())).end("runner_lost")
    assert (await asking)["verdict"] == "internal_error"


async def test_a_policys_refusal_is_told_by_the_verdict(service: Keeper, ground: Ground, alice: Any) -> None:
    asked = {"image": IMAGE, "command": "read x; exit 1", "interactive": True}
    run = await Browser(alice)("POST", f"{HERE}?wait=0", asked, status=202)
    async with stream(alice, run) as socket:
        assert json.loads(await socket.next())["name"] == "run"
        next(iter(ground.boxes.values())).refuse("ptrace", "tracing", 1)
        await socket.send(json.dumps({"type": "end"}))
        ended = json.loads(await socket.next())
        assert (ended["type"], ended.get("exit_code")) == ("step_end", 1), ended
        told = json.loads(await socket.next())
    assert (told["verdict"], [refusal["call"] for refusal in told["refusals"]]) == ("denied", ["ptrace"])
    await until(lambda: not service.sessions)


async def test_a_run_whose_process_is_gone_is_settled_when_somebody_asks(service: Keeper, alice: Any) -> None:
    run = await Run.objects.acreate(user=alice, image=IMAGE, status="running", last=timezone.now())
    seen = await Browser(alice)("GET", f"{HERE}/{run.pk}", status=200)
    assert (seen["status"], seen["verdict"]) == ("done", "internal_error")


async def test_old_answers_are_forgotten(service: Keeper, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RUNS_PER_USER", 2)
    now = timezone.now()
    for created in (now - 2 * store.RUNS_KEPT, now, now, now):
        await Run.objects.acreate(user=alice, image=IMAGE, status="done", created=created, last=now)
    other = await sync_to_async(get_user_model().objects.create_user)("carol@example.org", "correct horse battery")
    await Run.objects.acreate(user=other, image=IMAGE, status="done", created=now - 2 * store.RUNS_KEPT, last=now)
    await Browser(alice)("POST", HERE, {"image": IMAGE, "command": "true"}, status=200)
    await service.journal.flush(5)
    assert await Run.objects.filter(user=alice).acount() == 3
    assert await execute.purge() == 1


def stream(user: Any, run: dict[str, Any]) -> Socket:
    return Socket(user, f"{HERE}/{run['id']}/stream")


async def shown(socket: Socket, descriptor: int, text: bytes) -> None:
    """Read until ``text`` came on ``descriptor``: in how many records is nobody's promise."""
    came = b""
    while len(came) < len(text):
        frame = await socket.next()
        assert isinstance(frame, bytes) and frame[0] == descriptor, frame
        came += frame[1:]
    assert came == text


async def test_a_stream_shows_output_as_it_comes_and_takes_input(service: Keeper, alice: Any) -> None:
    program = "import sys\nprint('who?', flush=True)\nprint('hi', input())\nsys.stderr.write(sys.stdin.read())"
    asked = {"image": IMAGE, "files": {"main.py": program}, "interactive": True}
    run = await Browser(alice)("POST", f"{HERE}?wait=0", asked, status=202)
    async with stream(alice, run) as socket, stream(alice, run) as another:
        assert json.loads(await socket.next()) == {"type": "step", "name": "run"}
        await shown(socket, 1, b"who?\n")
        await socket.send(b"you\nrest")
        await shown(socket, 1, b"hi you\n")
        await socket.send(json.dumps({"type": "end"}))
        await shown(socket, 2, b"rest")
        ended = json.loads(await socket.next())
        assert (ended["type"], ended["exit_code"]) == ("step_end", 0)
        told = json.loads(await socket.next())
        assert (told["type"], told["verdict"], told["steps"][0]["stdout"]) == ("run", "ok", "who?\nhi you\n")
        assert await socket.code() == 1000
        assert json.loads(await another.next()) == {"type": "step", "name": "run"}
    async with stream(alice, run) as late:
        assert json.loads(await late.next()) == told
        assert await late.code() == 1000


async def test_a_stream_is_its_owners(service: Keeper, alice: Any, bob: Any) -> None:
    run = await Browser(alice)("POST", f"{HERE}?wait=0", SLEEP, status=202)
    async with stream(bob, run) as socket:
        assert await socket.code() == 4403
    async with stream(alice, {"id": uuid.uuid4()}) as socket:
        assert await socket.code() == 4404
    async with stream(alice, run) as socket:
        assert json.loads(await socket.next())["name"] == "run"
        await socket.send("nonsense")
        assert await socket.code() == 4400
    async with stream(alice, run) as socket:
        await Browser(alice)("DELETE", f"{HERE}/{run['id']}", status=200)
        frames = [await socket.next()]
        while not isinstance(frames[-1], int):
            frames.append(await socket.next())
        assert (json.loads(frames[-2])["verdict"], frames[-1]) == ("cancelled", 1000)
