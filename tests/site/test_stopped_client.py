"""A client that has stopped reading: its program waits, and no process of the site grows."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from websockets.frames import Frame, Opcode

from sandbox.runner.pace import FIRST
from tests.attacks.test_floods import GROWTH_KIB, resident
from tests.live import Account, Site, wait_for
from tests.sessions.test_live import end, kernel_path, open_socket, start_kernel
from tests.sessions.test_streams import request


def stands_still(http: httpx.Client, session: str) -> None:
    """Wait until a second passes in which the session computes next to nothing: only because it waits."""

    def quiet() -> bool:
        before = http.get(f"/api/v1/sessions/{session}").json()["usage"]
        wait_for(lambda: now()["wall_ms"] > before["wall_ms"] + 1500)
        return now()["cpu_ms"] - before["cpu_ms"] < 50

    def now() -> dict[str, Any]:
        usage: dict[str, Any] = http.get(f"/api/v1/sessions/{session}").json()["usage"]
        time.sleep(0.2)
        return usage

    wait_for(quiet, 60, "the flood's standstill")


@pytest.mark.parametrize("where", ["cell", "terminal"])
async def test_a_client_that_stops_reading_makes_nobody_grow(
    site: Site, owner: Account, http: httpx.Client, where: str
) -> None:
    kernel, session = start_kernel(http)
    stands_still(http, session)
    before = {part: resident(site.pid(part)) for part in ("web", "sessiond")}
    path = kernel_path(kernel) if where == "cell" else f"/jupyter/terminals/websocket/{session[:8]}-main"
    if where == "terminal":
        http.post("/jupyter/api/terminals", json={"name": "main"}).raise_for_status()
    async with open_socket(site, owner, path) as socket:
        await socket.send(
            json.dumps(request("while True: print('y' * 1000)") if where == "cell" else ["stdin", "yes\n"])
        )
        await socket.recv()
        socket.transport.pause_reading()  # a browser that has stopped
        await asyncio.to_thread(stands_still, http, session)
        after = {part: resident(site.pid(part)) for part in before}
        assert all(after[part] - before[part] < GROWTH_KIB for part in before), (before, after)
        if where == "cell":
            assert http.post(f"/jupyter/api/kernels/{kernel}/interrupt").status_code == 204
        else:
            await socket.send(json.dumps(["stdin", "\x03echo af''ter\n"]))
        socket.transport.resume_reading()
        seen = ""
        async with asyncio.timeout(30):
            while ("KeyboardInterrupt" if where == "cell" else "after") not in seen:
                seen = seen[-1000:] + str(await socket.recv())
    end(http, session)


async def test_what_lies_on_the_way_to_a_jupyter_terminal_holds_its_program_back(
    site: Site, owner: Account, http: httpx.Client
) -> None:
    """The network takes everything here, and only the pongs tell that the client has not."""
    _, session = start_kernel(http)
    http.post("/jupyter/api/terminals", json={"name": "main"}).raise_for_status()
    async with open_socket(site, owner, f"/jupyter/terminals/websocket/{session[:8]}-main") as socket:
        held: list[Frame] = []
        send = socket.protocol.send_frame
        socket.protocol.send_frame = lambda frame: held.append(frame) if frame.opcode is Opcode.PONG else send(frame)
        await socket.send(json.dumps(["stdin", "yes\n"]))
        shown: list[str] = []
        reading = asyncio.create_task(read_until(socket, "after", shown))
        await asyncio.to_thread(stands_still, http, session)
        assert held
        assert 0 < sum(map(len, shown)) < 2 * FIRST
        for frame in held:
            send(frame)
        socket.protocol.send_frame = send
        await socket.send(json.dumps(["stdin", "\x03echo af''ter\n"]))
        await reading
    end(http, session)


async def read_until(socket: Any, last: str, shown: list[str]) -> None:
    """Gather what a terminal shows until it shows ``last``."""
    async with asyncio.timeout(120):
        while last not in "".join(shown[-2:]):
            kind, *values = json.loads(await socket.recv())
            if kind == "stdout":
                shown.append(values[0])
