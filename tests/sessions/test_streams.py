"""WebSockets on real kernels and terminals: both framings, resuming, back-pressure, who may not."""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner import wire
from sandbox.runner.messages import pack, unpack
from sandbox.runner.pace import SMALLEST
from sessions import client, relay, runner, websocket
from sessions.jupyter import framing
from sessions.lifecycle import Stop
from sessions.models import Session
from sessions.service.keeper import Keeper
from sessions.service.live import LiveSession
from tests.sessions.conftest import Create
from tests.sessions.lab import Ground
from tests.sessions.web import Browser, Projects, Socket
from tests.until import until

MIB = 1 << 20


def request(code: str, msg_type: str = "execute_request", channel: str = "shell") -> dict[str, Any]:
    header = {
        "msg_id": uuid.uuid4().hex, "msg_type": msg_type, "session": "test", "username": "", "version": "5.3",
        "date": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True}
    return {"channel": channel, "header": header, "parent_header": {}, "metadata": {}, "content": content}


def v1(message: dict[str, Any]) -> bytes:
    parts = [json.dumps(message[name]).encode() for name in ("header", "parent_header", "metadata", "content")]
    return pack(message["channel"], parts)


def read(frame: bytes) -> dict[str, Any]:
    channel, parts = unpack(frame)
    header, parent, _, content = (json.loads(part) for part in parts[:4])
    return {"channel": channel, "header": header, "parent_header": parent, "content": content}


async def kernel_of(user: Any) -> str:
    return (await Browser(user)("POST", "/jupyter/api/kernels", {"name": "python3"}, status=201))["id"]


def channels(kernel: str, more: str = "") -> str:
    return f"/jupyter/api/kernels/{kernel}/channels?session_id=tab{more}"


async def output(socket: Socket, decode: Any) -> str:
    """All that the kernel prints until it is idle again."""
    text = ""
    async with asyncio.timeout(30):
        while True:
            message = decode(await socket.next())
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "stream":
                text += content["text"]
            if kind == "status" and content["execution_state"] == "idle":
                return text


async def test_jupyters_json_framing(service: Keeper, projects: Projects, alice: Any) -> None:
    async with Socket(alice, channels(await kernel_of(alice))) as socket:
        assert socket.subprotocol is None
        await socket.send(json.dumps(request("print(6*7)")))
        assert await output(socket, json.loads) == "42\n"


async def test_jupyters_binary_framing(service: Keeper, projects: Projects, alice: Any) -> None:
    async with Socket(alice, channels(await kernel_of(alice)), [framing.V1]) as socket:
        assert socket.subprotocol == framing.V1
        await socket.send(v1(request("print(6*7)")))
        assert await output(socket, read) == "42\n"


async def test_input(service: Keeper, projects: Projects, alice: Any) -> None:
    async with Socket(alice, channels(await kernel_of(alice))) as socket:
        await socket.send(json.dumps(request("print('hello', input('name? '))")))
        async with asyncio.timeout(20):
            while json.loads(await socket.next())["header"]["msg_type"] != "input_request":
                continue
        reply = request("", "input_reply", "stdin") | {"content": {"value": "Alice"}}
        await socket.send(json.dumps(reply))
        assert await output(socket, json.loads) == "hello Alice\n"


async def test_ours_resumes_where_it_left_off(service: Keeper, projects: Projects, alice: Any) -> None:
    kernel, numbers = await kernel_of(alice), []

    def decode(frame: bytes) -> dict[str, Any]:
        number, message = framing.unnumber(frame)
        numbers.append(number)
        return read(message)

    async with Socket(alice, channels(kernel, "&since=0"), [framing.NUMBERED, framing.V1]) as socket:
        assert socket.subprotocol == framing.NUMBERED
        await socket.send(v1(request("print('one')")))
        assert await output(socket, decode) == "one\n"
        await socket.send(v1(request("import time; time.sleep(0.3); print('two')")))
        while decode(await socket.next())["header"]["msg_type"] != "execute_input":
            continue
    await asyncio.sleep(0.5)  # it prints while nobody is there
    async with Socket(alice, channels(kernel, f"&since={numbers[-1] + 1}"), [framing.NUMBERED]) as socket:
        assert await output(socket, decode) == "two\n"
    assert numbers == sorted(set(numbers)), "nothing twice"
    async with Socket(alice, channels(kernel, "&since=0"), [framing.NUMBERED]) as socket:
        assert framing.unnumber(await socket.next())[0] == 0, "all that is kept"


async def test_stock_clients_resume_by_their_session(service: Keeper, projects: Projects, alice: Any) -> None:
    kernel = await kernel_of(alice)
    async with Socket(alice, channels(kernel), [framing.V1]) as socket:
        await socket.send(v1(request("import time; time.sleep(0.5); print('meanwhile')")))
        while read(await socket.next())["header"]["msg_type"] != "execute_input":
            continue
    async with Socket(alice, channels(kernel), [framing.V1]) as socket:
        assert await output(socket, read) == "meanwhile\n"


async def test_an_interrupt_overtakes_a_flood(service: Keeper, projects: Projects, alice: Any) -> None:
    kernel = await kernel_of(alice)
    async with Socket(alice, channels(kernel), [framing.V1]) as socket:
        await socket.send(v1(request("while True: print('x' * 1000)")))
        while read(await socket.next())["header"]["msg_type"] != "stream":
            continue
        await Browser(alice)("POST", f"/jupyter/api/kernels/{kernel}/interrupt", status=204)
        await output(socket, read)  # until it is idle


@pytest.mark.parametrize(
    ("subprotocol", "frame"),
    [
        (None, "not json"),
        (None, json.dumps(request("x") | {"channel": "iopub"})),
        (None, b"\x00\x00\x00\x09"),
        (framing.V1, "a text"),
        (framing.V1, b"\xff" * 40),
        (framing.NUMBERED, b"\0"),
    ],
)
async def test_garbage_closes_with_a_code_and_the_kernel_lives(
    service: Keeper, projects: Projects, alice: Any, subprotocol: str | None, frame: str | bytes
) -> None:
    kernel = await kernel_of(alice)
    async with Socket(alice, channels(kernel), [subprotocol] if subprotocol else None) as socket:
        await socket.send(frame)
        assert await socket.code() == websocket.BAD_MESSAGE
    async with Socket(alice, channels(kernel)) as socket:
        await socket.send(json.dumps(request("print(1)")))
        assert await output(socket, json.loads) == "1\n"


async def test_a_kernel_that_is_shut_down_closes_its_sockets(service: Keeper, projects: Projects, alice: Any) -> None:
    kernel = await kernel_of(alice)
    async with Socket(alice, channels(kernel)) as socket:
        await until(lambda: socket._it.output_queue.empty())
        await Browser(alice)("DELETE", f"/jupyter/api/kernels/{kernel}", status=204)
        assert await socket.code() == websocket.NO_SUCH_THING


# Terminals


async def session_of(service: Keeper, create: Create, **how: Any) -> LiveSession:
    session = await create(service, **how)
    await service.settle(session)
    return session


def terminal(session: LiveSession, name: str = "main", since: int | None = 0) -> str:
    query = "" if since is None else f"?since={since}"
    return f"/api/v1/sessions/{session.id}/terminals/{name}{query}"


async def screen(socket: Socket, wanted: bytes, acknowledge: bool = True) -> tuple[bytes, int]:
    """Output until ``wanted`` is in it, and the number of the next record."""
    seen, upto = b"", 0
    async with asyncio.timeout(20):
        while wanted not in seen:
            frame = await socket.next()
            if frame[0] == 0:
                upto = struct.unpack_from(">Q", frame, 1)[0] + 1
                seen += frame[9:]
                if acknowledge:
                    await socket.send(struct.pack(">BQ", 2, upto))
    return seen, upto


async def test_a_terminal_in_binary(service: Keeper, create: Create, alice: Any) -> None:
    session = await session_of(service, create)
    async with Socket(alice, terminal(session)) as socket:
        assert (await socket.next())[0] == 3
        await socket.send(struct.pack(">BHH", 1, 33, 101))
        await socket.send(b"\x00stty size; echo caf\xc3\xa9-$((6*7))\n")
        seen, upto = await screen(socket, "café-42".encode())
        assert b"33 101" in seen
    async with Socket(alice, terminal(session, since=upto)) as socket:
        opcode, following = struct.unpack(">BQ", await socket.next())
        assert opcode == 3
        assert following >= upto, "the prompt may have come meanwhile"
        await socket.send(b"\x00echo $((1+1))again\n")
        seen, _ = await screen(socket, b"2again")
        assert b"42" not in seen, "nothing twice"
    async with Socket(alice, terminal(session)) as socket:
        seen, _ = await screen(socket, b"2again")
        assert b"-42" in seen, "the whole scrollback"
        await socket.send(b"\x00exit\n")
        async with asyncio.timeout(10):
            while (frame := await socket.next())[0] != 1:
                continue
        assert frame[1:].decode() == "exited with status 0"
        assert await socket.code() == websocket.NORMAL
    async with Socket(alice, terminal(session, since=upto)) as socket:
        assert await socket.code() == websocket.NO_SUCH_THING, "it has ended; from the beginning would be a new one"


async def test_a_browser_that_does_not_draw_slows_the_program(service: Keeper, create: Create, alice: Any) -> None:
    session = await session_of(service, create)
    async with Socket(alice, terminal(session)) as socket:
        await socket.send(b"\x00head -c 30000000 /dev/zero | tr '\\0' x; echo; echo do''ne\n")
        sent, last = 0, 0
        while not (sent >= SMALLEST and await socket.silent()):
            frame = await socket.next()
            if frame[0] == 0:
                sent, last = sent + len(frame) - 9, struct.unpack_from(">Q", frame, 1)[0]
        assert sent < MIB, "nothing is acknowledged"
        await socket.send(b"\x00\x03")  # Ctrl-C goes in although nothing comes out
        await socket.send(struct.pack(">BQ", 2, last + 1))
        await socket.send(b"\x00echo af''ter\n")
        seen, _ = await screen(socket, b"after")
        assert sent + len(seen) < 20_000_000, "the flood ended early"


async def test_who_is_cut_off_while_a_program_takes_nothing_leaves_nothing_behind(
    service: Keeper, create: Create, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = asyncio.Event()

    async def for_ever(*_: object) -> None:
        writing.set()
        await asyncio.Event().wait()

    socket = await Socket(alice, terminal(await session_of(service, create))).connect()
    assert (await socket.next())[0] == 3
    monkeypatch.setattr(wire.Stream, "write", for_ever)
    await socket.send(b"\x00x")
    await writing.wait()
    await socket.cut()
    left = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    assert not {one for one in left if one.startswith(("Relay.", "Terminal."))}


async def test_a_page_that_acknowledges_slows_the_kernel(service: Keeper, projects: Projects, alice: Any) -> None:
    kernel = await kernel_of(alice)
    async with Socket(alice, channels(kernel, "&since=0"), [framing.NUMBERED]) as socket:
        await socket.send(struct.pack(">Q", 0))
        await socket.send(v1(request("for n in range(3000): print(f'{n:>1000}')")))
        got, last = 0, 0
        while not (got >= SMALLEST and await socket.silent()):
            last, message = framing.unnumber(await socket.next())
            got += len(message)
        assert got < MIB, "nothing is acknowledged"
        await socket.send(struct.pack(">Q", last + 1))
        text = ""
        async with asyncio.timeout(30):
            while not text.rstrip().endswith("2999"):
                last, message = framing.unnumber(await socket.next())
                text += read(message)["content"].get("text", "")
                await socket.send(struct.pack(">Q", last + 1))


@pytest.mark.parametrize("subprotocol", [None, framing.V1, framing.NUMBERED])
async def test_what_was_cut_is_told(service: Keeper, projects: Projects, alice: Any, subprotocol: str | None) -> None:
    kernel = await kernel_of(alice)
    offered = [subprotocol] if subprotocol else None
    async with Socket(alice, channels(kernel, "&since=0"), [framing.NUMBERED]) as socket:
        await socket.send(v1(request("for n in range(40): print(f'{n:>1000000}')")))
        await output(socket, lambda frame: read(framing.unnumber(frame)[1]))
    async with Socket(alice, channels(kernel, "&since=0"), offered) as socket:
        frame = await socket.next()
    if subprotocol == framing.NUMBERED:
        first, body = framing.unnumber(frame)
        assert first > 0
        assert body == b""
    else:
        message = json.loads(frame) if subprotocol is None else read(frame)
        assert message["content"]["name"] == "stderr"
        assert "no longer kept" in message["content"]["text"]
        assert message["parent_header"]["msg_type"] == "execute_request", "it is shown in the cell"


async def test_a_number_of_another_terminal_of_this_name_is_refused(
    service: Keeper, create: Create, alice: Any
) -> None:
    session = await session_of(service, create)
    async with Socket(alice, terminal(session)) as socket:
        await socket.send(b"\x00echo $((1+1))\n")
        await screen(socket, b"2")
    async with Socket(alice, terminal(session, since=10_000)) as socket:
        assert await socket.code() == websocket.NO_SUCH_THING


@pytest.mark.parametrize("frame", ["text", b"\x01\x00", b"\x02short", b"\x09what"])
async def test_terminal_garbage(service: Keeper, create: Create, alice: Any, frame: str | bytes) -> None:
    session = await session_of(service, create)
    async with Socket(alice, terminal(session)) as socket:
        await socket.send(frame)
        assert await socket.code() == websocket.BAD_MESSAGE


async def test_jupyters_terminal(service: Keeper, projects: Projects, alice: Any) -> None:
    name = (await Browser(alice)("POST", "/jupyter/api/terminals", status=201))["name"]
    path = f"/jupyter/terminals/websocket/{name}"

    async def text_until(socket: Socket, wanted: str) -> str:
        seen = ""
        async with asyncio.timeout(20):
            while wanted not in seen:
                kind, *rest = json.loads(await socket.next())
                assert kind == "stdout"
                seen += rest[0]
        return seen

    async with Socket(alice, path) as socket:
        assert json.loads(await socket.next()) == ["setup", {}]
        await socket.send(json.dumps(["set_size", 33, 101, 0, 0]))
        await socket.send(
            json.dumps(["stdin", "stty size; printf '\\xed\\x95'; sleep 0.3; printf '\\x9c글-%s\\n' $((6*7))\n"])
        )
        seen = await text_until(socket, "글-42")
        assert "33 101" in seen
        assert "한글-42" in seen, "a character split between two reads"
    async with Socket(alice, path) as socket:
        assert json.loads(await socket.next()) == ["setup", {}]
        await text_until(socket, "한글-42")
        await socket.send(json.dumps(["whatever", 1]))
        await socket.send(json.dumps(["stdin", "exit\n"]))
        async with asyncio.timeout(10):
            while json.loads(await socket.next())[0] != "disconnect":
                continue
        assert await socket.code() == websocket.NORMAL


@pytest.mark.parametrize("frame", ["not json", '{"stdin": 1}', "[]", "[1, 2]"])
async def test_jupyters_terminal_garbage(service: Keeper, projects: Projects, alice: Any, frame: str) -> None:
    name = (await Browser(alice)("POST", "/jupyter/api/terminals", status=201))["name"]
    async with Socket(alice, f"/jupyter/terminals/websocket/{name}") as socket:
        await socket.send(frame)
        assert await socket.code() == websocket.BAD_MESSAGE


# Events


async def test_events(service: Keeper, ground: Ground, create: Create, alice: Any) -> None:
    session = await session_of(service, create)
    async with Socket(alice, f"/api/v1/sessions/{session.id}/events") as socket:
        first = json.loads(await socket.next())
        assert (first["type"], first["id"], first["state"]) == ("session", session.id, "running")
        ground.boxes[session.id].use(cpu_ms=5, processes=3)
        async with asyncio.timeout(10):
            while (event := json.loads(await socket.next()))["type"] != "usage":
                continue
        assert (event["cpu_ms"], event["processes"], event["busy"]) == (5, 3, False)
        await session.apply(Stop("owner"))
        async with asyncio.timeout(10):
            while isinstance(frame := await socket.next(), str):
                last = json.loads(frame)
        assert last["state"] == "stopped"
        assert frame == websocket.ENDED
    async with Socket(alice, f"/api/v1/sessions/{session.id}/events") as socket:
        assert json.loads(await socket.next())["state"] == "stopped", "how it ended can still be seen"
        assert await socket.code() == websocket.ENDED


# Who may not, and what when things are gone


async def test_every_door_knows_its_owner(
    service: Keeper, projects: Projects, create: Create, alice: Any, bob: Any
) -> None:
    from django.contrib.auth.models import AnonymousUser

    kernel = await kernel_of(alice)
    (session,) = service.sessions.values()
    await Browser(alice)("POST", "/jupyter/api/terminals", {"name": "t"}, status=201)
    doors = {
        channels(kernel): websocket.NOT_YOURS,
        terminal(session, "t"): websocket.NOT_YOURS,
        f"/api/v1/sessions/{session.id}/events": websocket.NOT_YOURS,
        f"/jupyter/terminals/websocket/{session.id[:8]}-t": websocket.NO_SUCH_THING,  # a name is no id
        channels(str(uuid.uuid4())): websocket.NO_SUCH_THING,
        f"/api/v1/sessions/{uuid.uuid4()}/events": websocket.NO_SUCH_THING,
        terminal(session, "a.b"): websocket.NO_SUCH_THING,
    }
    for path, code in doors.items():
        async with Socket(bob, path) as socket:
            assert await socket.next() == code, path
        async with Socket(AnonymousUser(), path) as socket:
            assert await socket.next() == websocket.NOT_SIGNED_IN, path
    bob.is_active = False
    async with Socket(bob, channels(kernel)) as socket:
        assert await socket.next() == websocket.NOT_SIGNED_IN


async def test_streams_end_with_their_session(service: Keeper, ground: Ground, projects: Projects, alice: Any) -> None:
    kernel = await kernel_of(alice)
    (session,) = service.sessions.values()
    async with Socket(alice, channels(kernel)) as kernel_socket, Socket(alice, terminal(session)) as terminal_socket:
        await terminal_socket.send(b"\x00echo $((6*7))\n")
        await screen(terminal_socket, b"42")
        ground.boxes[session.id].end("out_of_memory", "Too much.")
        assert await kernel_socket.code() == websocket.ENDED
        assert await terminal_socket.code() == websocket.ENDED
    async with Socket(alice, channels(kernel)) as socket:
        assert await socket.next() == websocket.ENDED


async def test_a_runner_that_is_away_is_no_end(
    service: Keeper, ground: Ground, projects: Projects, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ENDING_SECONDS", 0.3)
    kernel = await kernel_of(alice)
    (box,) = ground.boxes.values()
    async with Socket(alice, channels(kernel)) as socket:
        await runner.call(box.spec.id, "hello")
        box._end_process()
        assert await socket.code() == websocket.AWAY
    async with Socket(alice, channels(kernel)) as socket:
        assert await socket.next() == websocket.AWAY


async def test_while_the_service_is_away(
    ground: Ground, create: Create, keeper: Keeper, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "AWAY_SECONDS", 0.2)
    session = await create(keeper)
    for path in (terminal(session), f"/api/v1/sessions/{session.id}/events"):
        async with Socket(alice, path) as socket:
            assert await socket.next() == websocket.AWAY


async def test_who_loses_the_service_while_a_session_ends_comes_again_for_its_end(
    service: Keeper, create: Create, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await create(service)
    await service.settle(session)
    dialled, connect = [], client.connect

    async def connect_and_tell() -> Any:
        dialled.append(await connect())
        return dialled[-1]

    monkeypatch.setattr(client, "connect", connect_and_tell)
    async with Socket(alice, f"/api/v1/sessions/{session.id}/events") as socket:
        assert json.loads(await socket.next())["state"] == "running"
        await Session.objects.filter(pk=session.id).aupdate(state="stopping")
        for connection in dialled:
            connection._writer.transport.abort()
        assert await socket.code() == websocket.AWAY


async def test_ports_are_announced_as_they_come_and_go(
    ground: Ground, service: Keeper, create: Create, alice: Any, tmp_path: Path
) -> None:
    table = tmp_path / "tcp"
    table.write_text(head := "sl local_address rem_address st\n")
    ground.tables = [table]
    session = await session_of(service, create)
    async with Socket(alice, f"/api/v1/sessions/{session.id}/events") as socket:

        async def until(ports: list[dict[str, Any]]) -> None:
            while (event := json.loads(await socket.next()))["type"] != "ports" or event["ports"] != ports:
                assert event["type"] in ("session", "ports", "shares")

        await until([])
        aside = table.with_suffix(".new")
        aside.write_text(f"{head} 0: 0100007F:1F40 00000000:0000 0A 0:0 0:0 0 0 0 4026531999\n")
        aside.replace(table)
        await until([{"port": 8000, "program": ""}])
        table.write_text(head)
        await until([])


async def test_a_revoked_key_closes_its_streams(
    service: Keeper, create: Create, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asgiref.sync import sync_to_async
    from django.apps import apps

    monkeypatch.setattr(websocket, "GUARD_SECONDS", 0.05)
    session = await session_of(service, create)
    keys = apps.get_model("portal", "ApiKey")
    key = await keys.objects.acreate(user=alice, name="k", prefix="12345678", digest="d")
    async with Socket(alice, f"/api/v1/sessions/{session.id}/events") as cookieless:
        assert await cookieless.code() == websocket.NOT_SIGNED_IN, "neither key nor cookie"
    socket = Socket(alice, f"/api/v1/sessions/{session.id}/events")
    socket._it.scope["api_key"] = key
    async with socket:
        assert json.loads(await socket.next())["state"] == "running"
        assert {json.loads(await socket.next())["type"] for _ in range(2)} == {"ports", "shares"}
        assert await socket.silent(), "the key holds"
        from django.utils import timezone

        await sync_to_async(keys.objects.filter(pk=key.pk).update)(revoked_at=timezone.now())
        assert await socket.code() == websocket.NOT_SIGNED_IN
