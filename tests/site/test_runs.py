"""Runs on a whole site with real sandboxes: the verdicts of what only a jail can tell, and ``manage.py run``."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
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
    told = run(http, "print('hello', input())", stdin="you")
    assert (told["verdict"], told["steps"][0]["stdout"]) == ("ok", "hello you\n"), told
    session = http.get(f"/api/v1/sessions/{told['session']}").raise_for_status().json()
    assert (session["state"], session["reason"], session["usage"]) == ("stopped", "run_over", told["usage"])
    assert told["usage"]["cpu_ms"] >= told["steps"][0]["cpu_ms"] > 0


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


def test_a_run_ends_with_the_web_process_that_had_it(site: Site, http: httpx.Client) -> None:
    asked = {"image": IMAGE, "files": {"main.py": "import time; time.sleep(1000)"}, "limits": {"time_s": 60}}
    begun = http.post(HERE, params={"wait": 0}, json=asked).raise_for_status().json()
    path = f"{HERE}/{begun['id']}"
    wait_for(lambda: http.get(path).json()["status"] == "running", what="the run")
    site.kill("web")
    ended = http.delete(path).raise_for_status().json()
    assert ended["status"] in ("running", "done")
    session = f"/api/v1/sessions/{begun['session']}"
    wait_for(lambda: http.get(session).json()["state"] == "stopped", what="the end of its session")
