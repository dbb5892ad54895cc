"""A whole site with real sandboxes: what survives when web or the session service is killed, and what it cost."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from sandbox.runner.pace import SMALLEST
from sessions.jupyter import framing
from tests.live import Account, Site, client, wait_for
from tests.sessions.test_streams import read, request, v1

pytestmark = [pytest.mark.jail, pytest.mark.slow]


@pytest.fixture
def alice(site: Site) -> Account:
    return site.account("alice")


def start_kernel(http: httpx.Client) -> tuple[str, str]:
    """A new kernel in the scratch project: its id, and its session's."""
    answer = http.post("/jupyter/api/kernels", json={"name": "python3"})
    assert answer.status_code == 201, answer.text
    (session,) = http.get("/api/v1/sessions?state=live").json()["items"]
    return answer.json()["id"], session["id"]


def open_socket(site: Site, account: Account, path: str, *subprotocols: str) -> Any:
    url = site.url.replace("http", "ws", 1) + path
    offered = [Subprotocol(name) for name in subprotocols] or None
    return connect(url, subprotocols=offered, additional_headers=account.headers, max_size=None)


async def until_idle(socket: ClientConnection, decode: Any) -> str:
    text = ""
    async with asyncio.timeout(30):
        while True:
            message = decode(await socket.recv())
            if message["header"]["msg_type"] == "stream":
                text += message["content"]["text"]
            if message["header"]["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return text


def kernel_path(kernel: str, more: str = "") -> str:
    return f"/jupyter/api/kernels/{kernel}/channels?session_id=live{more}"


async def until_lost(socket: ClientConnection) -> list[int]:
    """The numbers of all that still comes, until the connection breaks."""
    numbers = []
    while True:
        try:
            numbers.append(framing.unnumber(await socket.recv(decode=False))[0])
        except ConnectionClosed:
            return numbers


async def until_silent(socket: ClientConnection) -> None:
    """Read until nothing has come for a second."""
    while True:
        try:
            await asyncio.wait_for(socket.recv(), 1.0)
        except TimeoutError:
            return


async def run_code(site: Site, account: Account, kernel: str, code: str) -> str:
    """What ``code`` prints, through the framing that our pages use."""
    async with open_socket(site, account, kernel_path(kernel), framing.NUMBERED) as socket:
        await socket.send(v1(request(code)))
        return await until_idle(socket, lambda frame: read(framing.unnumber(frame)[1]))


def end(http: httpx.Client, session: str) -> dict[str, Any]:
    """Stop the session and return how it ended."""
    assert http.delete(f"/api/v1/sessions/{session}").status_code == 200

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = http.get(f"/api/v1/sessions/{session}").json()
        return found if found["state"] in ("stopped", "failed") else {}

    return wait_for(ended, 20, "the session's end")


def ledger(http: httpx.Client, session: str) -> dict[str, Any]:
    items = http.get("/api/v1/usage").json()["items"]
    return next(item for item in items if item["session"] == session)


async def test_code_runs_in_every_framing(site: Site, alice: Account) -> None:
    with client(site, alice) as http:
        kernel, session = start_kernel(http)
        async with open_socket(site, alice, kernel_path(kernel)) as socket:
            await socket.send(json.dumps(request("print(6*7)")))
            assert await until_idle(socket, json.loads) == "42\n"
        async with open_socket(site, alice, kernel_path(kernel), framing.V1) as socket:
            await socket.send(v1(request("print(6*7)")))
            assert await until_idle(socket, read) == "42\n"
        assert await run_code(site, alice, kernel, "print(6*7)") == "42\n"
        end(http, session)


@pytest.mark.parametrize("part", ["sessiond", "web"])
async def test_nothing_dies_with_a_part_that_is_killed(site: Site, alice: Account, part: str) -> None:
    with client(site, alice) as http:
        kernel, session = start_kernel(http)
        await run_code(site, alice, kernel, "x = 41")
        terminal = f"/api/v1/sessions/{session}/terminals/main"
        async with open_socket(site, alice, f"{terminal}?since=0") as socket:
            await socket.send(b"\x00echo $((6*7))kept\n")
            async with asyncio.timeout(20):
                while b"42kept" not in await socket.recv():
                    continue
        async with open_socket(site, alice, kernel_path(kernel), framing.NUMBERED) as socket:
            await socket.send(v1(request("import time\nfor n in range(3): time.sleep(1); print(n)")))
            number, message = framing.unnumber(await socket.recv())
            await asyncio.to_thread(site.kill, part)
            if part == "web":
                numbers = [number, *await until_lost(socket)]
                number = numbers[-1]
            else:
                async with asyncio.timeout(20):
                    while read(message)["content"].get("text") != "2\n":
                        number, message = framing.unnumber(await socket.recv())
        async with open_socket(site, alice, kernel_path(kernel, f"&since={number + 1}"), framing.NUMBERED) as socket:
            seen = await until_idle(socket, lambda frame: read(framing.unnumber(frame)[1]))
            assert part != "web" or seen.endswith("2\n"), "what was printed meanwhile"
        assert await run_code(site, alice, kernel, "print(x + 1)") == "42\n", "its variables are there"
        async with open_socket(site, alice, f"{terminal}?since=0") as socket:
            async with asyncio.timeout(10):  # its scrollback is there
                while b"42kept" not in await socket.recv():
                    continue
        assert http.get(f"/api/v1/sessions/{session}").json()["state"] == "running"
        ended = end(http, session)
        assert (ended["state"], ended["reason"]) == ("stopped", "owner")
        line = ledger(http, session)
        for name in ("cpu_ms", "wall_ms", "memory_kib_s", "bytes_written"):
            assert line[name] == ended["usage"][name], "the sum of the lines is what the session shows"
        assert line["wall_ms"] > 3000


async def test_the_way_out_is_there_again_after_the_service_is_killed(site: Site, alice: Account) -> None:
    with client(site, alice) as http:
        kernel, session = start_kernel(http)
        asking = "!curl -sS http://10.0.0.1/"
        refused = "Madang: 10.0.0.1 is not reachable from this session."
        assert refused in await run_code(site, alice, kernel, asking)
        await asyncio.to_thread(site.kill, "sessiond")
        assert refused in await run_code(site, alice, kernel, asking)
        end(http, session)


async def test_usage_is_live_and_exact(site: Site, alice: Account) -> None:
    with client(site, alice) as http:
        kernel, session = start_kernel(http)
        async with open_socket(site, alice, f"/api/v1/sessions/{session}/events") as events:
            burn = "import time; t = time.process_time()\nwhile time.process_time() - t < 1.5: pass"
            burning = asyncio.create_task(run_code(site, alice, kernel, burn))
            busy = False
            async with asyncio.timeout(20):
                while True:
                    event = json.loads(await events.recv())
                    if event["type"] == "usage":
                        busy = busy or event["busy"]
                        if event["cpu_ms"] > 1400 and event["memory_kib"] > 0 and event["processes"] > 0:
                            break
            assert busy
            await burning
        usage = end(http, session)["usage"]
        assert 1500 <= usage["cpu_ms"] < 6000
        assert usage["memory_peak_kib"] > 4_000
        assert ledger(http, session)["cpu_ms"] == usage["cpu_ms"]


async def test_idle_sessions_end_and_extended_ones_do_not(site: Site, alice: Account) -> None:
    with client(site, alice) as http:
        image = http.get("/api/v1/images").json()[0]["name"]
        session = http.post("/api/v1/sessions", json={"image": image, "idle_timeout": 10}).json()["id"]
        begun = time.monotonic()
        wait_for(lambda: http.get(f"/api/v1/sessions/{session}").json()["state"] == "running", 30)
        while time.monotonic() - begun < 5:
            await asyncio.sleep(0.2)
        assert http.post(f"/api/v1/sessions/{session}/extend").status_code == 200
        extended = time.monotonic()
        wait_for(lambda: http.get(f"/api/v1/sessions/{session}").json()["state"] == "stopped", 30)
        assert time.monotonic() - extended >= 9.5
        assert http.get(f"/api/v1/sessions/{session}").json()["reason"] == "idle"


async def test_a_pause_freezes_and_a_resume_goes_on(site: Site, alice: Account) -> None:
    with client(site, alice) as http:
        kernel, session = start_kernel(http)
        async with open_socket(site, alice, kernel_path(kernel), framing.V1) as socket:
            await socket.send(v1(request("import time\nfor n in range(200): print(n); time.sleep(0.02)")))
            await socket.recv()
            assert http.post(f"/api/v1/sessions/{session}/pause").json()["state"] == "paused"
            await until_silent(socket)
            assert http.post(f"/api/v1/sessions/{session}/resume").json()["state"] == "running"
            assert (await until_idle(socket, read)).endswith("199\n")
        end(http, session)


async def test_ctrl_c_overtakes_a_flood(site: Site, alice: Account) -> None:
    with client(site, alice) as http:
        _, session = start_kernel(http)
        async with open_socket(site, alice, f"/api/v1/sessions/{session}/terminals/main?since=0") as socket:
            await socket.send(b"\x00yes\n")
            got, last = 0, 0
            while got < SMALLEST:  # nothing is acknowledged: the window fills
                frame = await asyncio.wait_for(socket.recv(), 10)
                if frame[0] == 0:
                    got, last = got + len(frame) - 9, struct.unpack_from(">Q", frame, 1)[0]
            begun = time.monotonic()
            await socket.send(b"\x00\x03")
            await socket.send(b"\x00echo $((6*7))done\n")
            await socket.send(struct.pack(">BQ", 2, last + 1))
            tail = b""
            async with asyncio.timeout(20):
                while b"42done" not in tail:
                    frame = await socket.recv()
                    if frame[0] == 0:
                        tail = (tail + frame[9:])[-200_000:]
                        await socket.send(struct.pack(">BQ", 2, struct.unpack_from(">Q", frame, 1)[0] + 1))
            assert time.monotonic() - begun < 10
        end(http, session)


async def test_a_stranger_with_a_key(site: Site, alice: Account) -> None:
    bob = site.account("bob")
    with client(site, alice) as http, client(site, bob) as stranger:
        kernel, session = start_kernel(http)
        assert stranger.get(f"/jupyter/api/kernels/{kernel}").status_code == 404
        assert stranger.delete(f"/api/v1/sessions/{session}").status_code == 404
        for path in (
            kernel_path(kernel),
            f"/api/v1/sessions/{session}/events",
            f"/api/v1/sessions/{session}/terminals/m",
        ):
            async with open_socket(site, bob, path) as socket:
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4403
        end(http, session)


def test_a_second_service_refuses_to_start(site: Site) -> None:
    with pytest.raises(RuntimeError, match="Another session service"):
        site.manage("sessiond")
