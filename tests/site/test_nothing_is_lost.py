"""Whatever is killed in the middle of a stream, its reader ends with every byte in order, or is told plainly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from sessions.jupyter import framing
from tests.live import Account, Site, wait_for
from tests.sessions.test_live import end, kernel_path, open_socket, start_kernel
from tests.sessions.test_streams import read, request, v1
from tests.site.resuming import Ended, Network, Resuming, ResumingKernel

LINES = 200_000
PRINT = f"for n in range({LINES}): print(f'{{n:099}}')"  # 20 MB
EXPECTED = "".join(f"{n:099}\n" for n in range(LINES))


def kill(site: Site, *parts: str) -> None:
    """``kill -9`` them all at once, and wait until others have taken their place."""
    former = {part: site.pid(part) for part in parts}
    for pid in former.values():
        os.kill(pid, signal.SIGKILL)
    for part, pid in former.items():
        wait_for(lambda part=part, pid=pid: site.pid(part) != pid, what=f"a new {part}")  # type: ignore[misc]
    site.wait_until_up()


async def printed(messages: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """What is printed until the cell is over, piece by piece."""
    async for message in messages:
        if message["header"]["msg_type"] == "stream":
            yield message["content"]["text"]
        elif message["content"].get("execution_state") == "idle" and "execute" in str(message["parent_header"]):
            return


async def test_twenty_megabytes_through_the_end_of_web_and_the_service(
    site: Site, owner: Account, http: httpx.Client
) -> None:
    kernel, session = start_kernel(http)
    page, text, killing = ResumingKernel(site.url, owner, kernel_path(kernel)), "", None
    async for piece in printed(page.messages(v1(request(PRINT)))):
        text += piece
        if killing is None and len(text) > 4_000_000:
            killing = asyncio.create_task(asyncio.to_thread(kill, site, "web", "sessiond"))
    assert killing is not None
    await killing
    assert text == EXPECTED
    assert page.cuts == []
    assert page.connections > 1
    end(http, session)


async def test_twenty_megabytes_through_a_bad_network(site: Site, owner: Account, http: httpx.Client) -> None:
    kernel, session = start_kernel(http)
    where = urllib.parse.urlsplit(site.url)
    async with Network(str(where.hostname), where.port or 80) as network:
        page, text, troubles = ResumingKernel(f"http://127.0.0.1:{network.port}", owner, kernel_path(kernel)), "", 0
        async for piece in printed(page.messages(v1(request(PRINT)))):
            text += piece
            if len(text) > (troubles + 1) * 2_000_000:
                troubles += 1
                if troubles % 2:
                    network.reset()
                else:
                    network.stall(True)
                    asyncio.get_running_loop().call_later(0.3, network.stall, False)
    assert text == EXPECTED
    assert page.cuts == []
    assert page.connections > 3
    end(http, session)


async def test_a_terminals_output_through_the_end_of_web_and_the_service(
    site: Site, owner: Account, http: httpx.Client
) -> None:
    _, session = start_kernel(http)
    page, seen, killing = Resuming(site.url, owner, f"/api/v1/sessions/{session}/terminals/main"), b"", None
    command = b"\x00PS1=; seq 300000 | sed s/^/line-/; echo en''d\n"
    async with contextlib.aclosing(page.records(lambda: command)) as records:
        async for _, data in records:
            seen += data
            if killing is None and len(seen) > 500_000:
                killing = asyncio.create_task(asyncio.to_thread(kill, site, "web", "sessiond"))
            if b"\nend\r\n" in seen[-1000:]:
                break
    assert killing is not None
    await killing
    lines = seen[seen.index(b"line-1\r\n") : seen.rindex(b"end\r\n")]
    assert lines == b"".join(b"line-%d\r\n" % n for n in range(1, 300_001))
    assert page.cuts == []
    assert page.connections > 1
    end(http, session)


@pytest.mark.parametrize("protocol", [None, framing.V1])
async def test_a_stock_client_that_comes_back_by_its_session_misses_no_line(
    site: Site, owner: Account, http: httpx.Client, protocol: str | None
) -> None:
    """It says nothing of what it has, so it may get again what was on its way; but nothing is skipped."""
    kernel, session = start_kernel(http)
    lines: list[int] = []
    killing, offered = None, [protocol] if protocol else []
    asked: str | bytes | None = v1(request(PRINT)) if protocol else json.dumps(request(PRINT))
    rest, over = "", False
    while not over:
        try:
            async with open_socket(site, owner, kernel_path(kernel), *offered) as socket:
                if asked is not None:
                    await socket.send(asked)
                    asked = None
                while not over:
                    frame = await asyncio.wait_for(socket.recv(), 30)
                    message = read(frame) if protocol else json.loads(frame)
                    if message["header"]["msg_type"] == "stream":
                        *whole, rest = (rest + message["content"]["text"]).split("\n")
                        lines += [int(line[-99:]) for line in whole]
                    over = message["content"].get("execution_state") == "idle"
                    if killing is None and len(lines) > LINES // 10:
                        killing = asyncio.create_task(asyncio.to_thread(kill, site, "web", "sessiond"))
        except (ConnectionClosed, OSError):
            await asyncio.sleep(0.05)
        except Exception as error:
            if "HTTP" not in str(error) and "handshake" not in str(error):
                raise
            await asyncio.sleep(0.05)
    assert killing is not None
    await killing
    assert sorted(set(lines)) == list(range(LINES))
    end(http, session)


async def test_a_killed_kernel_says_so_and_files_are_as_they_were(
    site: Site, owner: Account, http: httpx.Client
) -> None:
    kernel, session = start_kernel(http)
    page = ResumingKernel(site.url, owner, kernel_path(kernel))
    code = "import os, sys\nkept = 1\nopen('made.txt', 'w').write('made')\nfor n in range(5000): print(n)\n"
    code += "sys.stdout.flush()\nos.kill(os.getpid(), 9)"
    text, states = "", []
    async for message in page.messages(v1(request(code))):
        text += message["content"].get("text", "")
        if state := message["content"].get("execution_state"):
            states.append(state)
        if "restarting" in states and states[-1] == "idle":
            break
    assert text.startswith("".join(f"{n}\n" for n in range(5000)))
    assert "was killed" in text
    assert "Its variables are gone; your files are as they were." in text
    again = ResumingKernel(site.url, owner, kernel_path(kernel))
    again.next = page.next
    asked = v1(request("print('kept' in globals(), open('made.txt').read())"))
    assert "".join([piece async for piece in printed(again.messages(asked))]) == "False made\n"
    end(http, session)


async def test_a_killed_runner_ends_its_session_with_a_reason_and_files_stay(
    site: Site, owner: Account, http: httpx.Client
) -> None:
    kernel, session = start_kernel(http)
    page = ResumingKernel(site.url, owner, kernel_path(kernel))
    state = json.loads((site.state / "sandboxes" / session / "state.json").read_text())
    ended = None
    try:
        code = "open('made.txt', 'w').write('made')\nn = 0\nwhile True: n += 1; print(n)"
        async for message in page.messages(v1(request(code))):
            if message["header"]["msg_type"] == "stream" and page.next > 50:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(state["runner"], signal.SIGKILL)
    except Ended as error:
        ended = error.args[0]
    assert ended == 4410
    found = http.get(f"/api/v1/sessions/{session}").json()
    assert (found["state"], found["reason"]) == ("failed", "runner_lost")
    assert "files are as they were" in found["detail"]
    assert http.get("/jupyter/api/contents/scratch/made.txt").json()["content"] == "made"


def passed(http: httpx.Client, here: str, milliseconds: int) -> dict[str, int]:
    """The usage of a session, once it has lived so much longer."""
    since = http.get(here).json()["usage"]["wall_ms"]
    wait_for(lambda: http.get(here).json()["usage"]["wall_ms"] >= since + milliseconds, what="time to pass")
    usage: dict[str, int] = http.get(here).json()["usage"]
    return usage


async def test_a_paused_session_through_the_end_of_the_service(site: Site, owner: Account, http: httpx.Client) -> None:
    kernel, session = start_kernel(http)
    here = f"/api/v1/sessions/{session}"
    page = ResumingKernel(site.url, owner, kernel_path(kernel))
    async for _ in printed(page.messages(v1(request("kept = 41\nprint(kept)")))):
        continue
    screen = Resuming(site.url, owner, f"{here}/terminals/main")
    assert http.post(f"{here}/pause").json()["state"] == "paused"
    await asyncio.to_thread(kill, site, "sessiond")
    assert http.get(here).json()["state"] == "paused"
    former = passed(http, here, 1000)  # by then all that it used before it stood still is counted
    assert passed(http, here, 2000)["cpu_ms"] == former["cpu_ms"]
    assert http.post(f"{here}/resume").json()["state"] == "running"
    again = ResumingKernel(site.url, owner, kernel_path(kernel))
    again.next = page.next
    assert "".join([piece async for piece in printed(again.messages(v1(request("print(kept + 1)"))))]) == "42\n"
    async with contextlib.aclosing(screen.records(lambda: b"\x00echo $((6*7))\n")) as records:
        async for _, data in records:
            if b"42" in data:
                break
    assert http.post(f"{here}/pause").json()["state"] == "paused"
    ended = end(http, session)
    assert (ended["state"], ended["reason"]) == ("stopped", "owner")
    assert ended["wall"]["paused"] > 2000
