"""Runs on a whole site with real sandboxes: the verdicts of what only a jail can tell, and ``manage.py run``."""

from __future__ import annotations

import asyncio
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from bin.lib.layout import PYTHON, ROOT
from tests.live import Account, Site, environment, wait_for
from tests.sessions.conftest import IMAGE

HERE = "/api/v1/runs"


def run(http: httpx.Client, program: str, **more: Any) -> dict[str, Any]:
    asked = {"image": IMAGE, "files": {"main.py": program}, **more}
    answer: dict[str, Any] = http.post(HERE, json=asked).raise_for_status().json()
    return answer


def test_a_run_is_in_the_ledger_as_its_answer_says(http: httpx.Client) -> None:
    told = run(http, "open('/tmp/left', 'w'); print('hello', input())", stdin="you")
    assert (told["verdict"], told["steps"][0]["stdout"]) == ("ok", "hello you\n"), told
    session = http.get(f"/api/v1/sessions/{told['session']}").raise_for_status().json()
    assert (session["state"], session["usage"]["cpu_ms"]) == ("running", told["usage"]["cpu_ms"])
    assert told["usage"]["cpu_ms"] >= told["steps"][0]["cpu_ms"] > 0
    again = run(http, "import os; print(os.path.exists('/tmp/left'), os.listdir())")
    assert (again["session"], again["steps"][0]["stdout"]) == (told["session"], "False ['main.py']\n")
    whole = http.get(f"/api/v1/sessions/{told['session']}").raise_for_status().json()["usage"]
    assert whole["cpu_ms"] >= told["usage"]["cpu_ms"] + again["usage"]["cpu_ms"]
    assert whole["memory_kib_s"] >= told["usage"]["memory_kib_s"] + again["usage"]["memory_kib_s"]


def test_memory_and_refusals_have_verdicts(http: httpx.Client) -> None:
    hog = "kept = []\nwhile True: kept.append(bytearray(1 << 24))"
    told = run(http, hog, limits={"memory_mib": 192})
    assert (told["verdict"], told["steps"][0]["signal"]) == ("memory_limit", "SIGKILL"), told
    trace = "import ctypes\nraise SystemExit(ctypes.CDLL(None).ptrace(16, 1, 0, 0) != 0)"
    told = run(http, trace)
    assert (told["verdict"], [refusal["call"] for refusal in told["refusals"]]) == ("denied", ["ptrace"]), told


def test_the_command_line_is_the_program(site: Site, owner: Account, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import sys, other; print(sys.stdin.read() * 2); print('e', file=sys.stderr); sys.exit(9)"
    )
    (tmp_path / "other.py").write_text("")
    command = [str(PYTHON), str(ROOT / "manage.py"), "run", IMAGE, "main.py", "other.py", "--stdin", "-"]
    done = subprocess.run(
        [*command, "--user", owner.email],
        cwd=tmp_path,
        input=b"h\xc3\xa9",
        capture_output=True,
        env=environment(site.state),
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (9, "héhé\n".encode(), b"e\n")
    wrong = subprocess.run([*command, "--user", owner.email, "--language", "cobol"], cwd=tmp_path, input=b"",
                           capture_output=True, env=environment(site.state), check=False)  # fmt: skip
    assert (wrong.returncode, b"no language called" in wrong.stderr) == (125, True)


def test_a_program_is_talked_to_while_it_runs(site: Site, owner: Account, http: httpx.Client) -> None:
    asked = {"image": IMAGE, "files": {"main.py": "while True: print(int(input()) + 1, flush=True)"}}
    begun = http.post(HERE, params={"wait": 0}, json=asked | {"interactive": True}).raise_for_status().json()
    url = f"{site.url.replace('http', 'ws', 1)}{HERE}/{begun['id']}/stream"

    async def talk() -> dict[str, Any]:
        async with connect(url, proxy=None, additional_headers=owner.headers) as socket, asyncio.timeout(30):
            assert json.loads(await socket.recv()) == {"type": "step", "name": "run"}
            for number in range(5):
                await socket.send(b"%d\n" % number)
                assert await socket.recv() == b"\x01%d\n" % (number + 1)
            await socket.send('{"type": "end"}')
            texts = [frame async for frame in socket if isinstance(frame, str)]
            return dict(json.loads(texts[-1]))

    told = asyncio.run(talk())
    assert (told["verdict"], told["steps"][0]["stdout"]) == ("runtime_error", "1\n2\n3\n4\n5\n")
    assert "EOFError" in told["steps"][0]["stderr"]


def test_a_run_outlives_the_web_process_that_took_it(site: Site, http: httpx.Client, tmp_path: Path) -> None:
    program = "import sys\nprint('begun', flush=True)\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
    asked = {"image": IMAGE, "files": {"main.py": program}, "interactive": True, "limits": {"time_s": 60}}
    begun = http.post(HERE, params={"wait": 0}, json=asked).raise_for_status().json()
    path = f"{HERE}/{begun['id']}"
    wait_for(lambda: http.get(path).json()["status"] == "running", what="the run")
    site.kill("web")
    assert http.get(path).json()["status"] == "running"
    url = f"{site.url.replace('http', 'ws', 1)}{path}/stream"

    async def talk() -> str:
        headers = http.headers.items()
        async with connect(url, proxy=None, additional_headers=list(headers)) as socket, asyncio.timeout(60):
            await socket.send(b"still here\n")
            await socket.send('{"type": "end"}')
            return [str(frame) async for frame in socket if isinstance(frame, str)][-1]

    told = json.loads(asyncio.run(talk()))
    assert (told["verdict"], told["steps"][0]["stdout"]) == ("ok", "begun\nSTILL HERE\n"), told
    assert http.get(path).json() == {name: value for name, value in told.items() if name != "type"}


def test_a_run_is_finished_when_nobody_waits_any_more(site: Site, http: httpx.Client) -> None:
    """Web is killed while it holds the request: whoever asked has no answer, and the run one all the same."""
    asked = {"image": IMAGE, "files": {"main.py": "import time; time.sleep(3); print('done')"}}
    begun = http.post(HERE, params={"wait": 0}, json=asked).raise_for_status().json()
    with httpx.Client(base_url=site.url, headers=http.headers, timeout=60.0) as other, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(other.post, HERE, json=asked)
        wait_for(lambda: http.get(f"{HERE}/{begun['id']}").json()["status"] == "running", what="the run")
        site.kill("web")
        with pytest.raises(httpx.HTTPError):
            asking.result()
    ended = wait_for(lambda: (run := http.get(f"{HERE}/{begun['id']}").json())["status"] == "done" and run, what="it")
    assert ended["steps"], ended
    assert (ended["verdict"], ended["steps"][0]["stdout"]) == ("ok", "done\n")
