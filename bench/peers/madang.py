"""Madang: a site started by ``bin/up`` on an empty state directory."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench import memory
from bench.claiming import first_output
from bench.desk import Desk
from bench.jupyter import Jupyter
from bench.peers.docker import missing_from_engine
from bench.subject import SERVERS, Server
from bin.lib.browser import sign_in
from bin.lib.layout import state
from bin.lib.running import Site, wait_for
from sandbox.drivers.pool import LEAST, MOST_EXPECTED
from sandbox.images import Image, image_for_kernel

LIVE = {"state": "live"}
ACCOUNTS = """
from portal.keys import create_key
from portal.models import User
for index in range({count}):
    print(create_key(User.objects.create_user(email=f"{prefix}-{{index}}@example.org"), "bench")[1])
"""
OWNER = """
from portal.models import User
print(User.objects.get(email={email!r}).pk)
"""
STOP = """
import asyncio
from sessions.client import call
from sessions.models import Session
from sessions.problems import Problem
async def stop(ids):
    for id in ids:
        try:
            await call("session.stop", id=str(id), reason="shutdown")
        except Problem:
            pass  # it has ended by itself
asyncio.run(stop(list(Session.objects.filter(ended=None).values_list("id", flat=True))))
"""
EXPECT = """
import asyncio
from sessions.client import call
asyncio.run(call("pool.expect", image={image!r}, count={count}, begin={begin!r}, end={end!r}))
"""


class Madang:
    name = "Madang"
    settings: Mapping[str, str] = {}
    scenarios = SERVERS | {"claim", "bell", "live", "churn", "runs", "pages", "together"}

    def missing(self) -> str:
        return ""

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Server]:
        base = state() / "bench"
        base.mkdir(parents=True, exist_ok=True)
        settings = {"MADANG_SELFTESTS": "0", **self.settings} | ({} if spares else {"MADANG_SPARES": "0"})
        if room:  # as an operator would who knows that sessions stay far below what they are granted
            settings["MADANG_CAPACITY_CPU"] = str(room * _image().slots.cpu)
            settings["MADANG_CAPACITY_MEMORY"] = str(room * _image().slots.memory)
        with tempfile.TemporaryDirectory(prefix="site-", dir=base) as folder:
            with Site.started(Path(folder), state() / "images", **settings) as site:
                running = RunningSite(site)
                try:
                    yield running
                finally:
                    running.end_all()


class MadangDocker(Madang):
    name = "Madang, docker driver"
    settings = {"MADANG_DRIVER": "docker"}
    scenarios = frozenset(["warm", "claim"])

    def missing(self) -> str:
        image = f"madang/{_image().directory.name}"
        return missing_from_engine(image, f"manage.py images build {_image().name}")


class RunningSite(Server):
    languages = ("python", "c")
    _runner: httpx.Client | None = None
    _in_sandboxes = 0
    _wanted: dict[str, Any] | None = None

    def __init__(self, site: Site) -> None:
        self.site = site
        self._groups = 0

    def users(self, count: int) -> list[Jupyter]:
        """Accounts, each with a project and so a session of its own."""
        self._groups += 1
        script = ACCOUNTS.format(count=count, prefix=self._group)
        keys = self.site.manage("shell", "-v", "0", "-c", script).split()
        return [Jupyter(f"{self.site.url}/jupyter", key) for key in keys]

    @property
    def _group(self) -> str:
        """What the addresses of the newest users begin with."""
        return f"bench-{self._groups}"

    def forget(self, user: Jupyter, kernel: str) -> None:
        user.stop_kernel(kernel)
        with httpx.Client(base_url=f"{self.site.url}/api/v1", headers=_bearer(user)) as rest:
            for session in _sessions(rest.get("/sessions", params=LIVE)):
                rest.delete(f"/sessions/{session}").raise_for_status()
            wait_for(lambda: not _sessions(rest.get("/sessions", params=LIVE)), what="the end of the session")

    async def leave(self, user: Jupyter, kernel: str, http: httpx.AsyncClient) -> None:
        rest, headers = f"{self.site.url}/api/v1/sessions", _bearer(user)
        for session in _sessions(await http.get(rest, params=LIVE, headers=headers)):
            (await http.delete(f"{rest}/{session}", headers=headers)).raise_for_status()

    def run(self, language: str, program: str) -> str:
        """What ``program`` says, by the public API."""
        if self._runner is None:
            (user,) = self.users(1)
            self._runner = httpx.Client(base_url=f"{self.site.url}/api/v1", headers=_bearer(user), timeout=60.0)
        image, file = (_image().name, "main.py") if language == "python" else (language, f"main.{language}")
        answer = self._runner.post("/runs", json={"image": image, "files": {file: program}}).raise_for_status().json()
        self._in_sandboxes += int(answer["usage"]["cpu_ms"])
        return str(answer["steps"][-1]["stdout"])

    def processor(self) -> dict[str, float]:
        """What a jail took goes with it: those of sessions that have ended are not in it."""
        jails = [int(json.loads(file.read_text())["jail"]) for file in self._live()]
        parts = {name: {pid} for name, pid in self.services().items()} | {"jails": set(jails)}
        taken = {name: sum(memory.processor_seconds(pids).values()) * 1000 for name, pids in parts.items()}
        return {**taken, "sandboxes": self._in_sandboxes}

    def desk(self, files: Mapping[str, str]) -> Desk:
        account = self.site.account("bench")
        project = self._project(account.headers)
        for name, text in files.items():
            (self.site.state / "projects" / project / name).write_text(text, encoding="utf-8")

        return Desk(
            lambda name: f"{self.site.url}/p/{project}/?file={name}",
            lambda page: sign_in(page, self.site, account),
            field="madang-editor .cm-content", cell="madang-notebook-cell",
        )  # fmt: skip

    def document(self, people: int) -> list[tuple[str, dict[str, str]]]:
        owner, *others = [_bearer(user) for user in self.users(people)]
        rest = f"{self.site.url}/api/v1/projects/{self._project(owner)}"
        for index in range(1, people):
            body = {"email": f"{self._group}-{index}@example.org", "role": "editor"}
            httpx.post(f"{rest}/people", json=body, headers=owner, timeout=60.0).raise_for_status()
        return [(f"{rest.replace('http', 'ws', 1)}/documents/main.py", person) for person in (owner, *others)]

    def _project(self, headers: Mapping[str, str]) -> str:
        body = {"name": "Bench", "image": _image().name}
        answer = httpx.post(f"{self.site.url}/api/v1/projects", json=body, headers=dict(headers), timeout=60.0)
        return str(answer.raise_for_status().json()["id"])

    def claim(self) -> float:
        if self._wanted is None:
            (user,) = self.users(1)
            owner = self.site.manage("shell", "-v", "0", "-c", OWNER.format(email=f"{self._group}-0@example.org"))
            project = self._project(_bearer(user))
            directory = str(self.site.state / "projects" / project)
            self._wanted = {"user": int(owner), "project": project, "directory": directory, "image": _image().name}
        wait_for(lambda: self._spares() >= LEAST, what="spare sandboxes")
        return asyncio.run(first_output(self.site.state, **self._wanted))

    def announce(self, count: int) -> None:
        now = datetime.now(UTC)
        times = {"begin": now.isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
        self.site.manage("shell", "-v", "0", "-c", EXPECT.format(image=_image().name, count=count, **times))
        wait_for(lambda: self._spares() >= min(count, MOST_EXPECTED), 120, "the spare sandboxes")

    def _spares(self) -> int:
        return len(list((self.site.state / "spares").glob("*/state.json")))

    def end_all(self) -> None:
        """End every session: stopping a site waits some seconds for that, which many sessions exceed."""
        if any(self._live()):
            self.site.manage("shell", "-v", "0", "-c", STOP)
            wait_for(lambda: not any(self._live()), 300, "the end of all sessions")

    def _live(self) -> Iterator[Path]:
        return (self.site.state / "sandboxes").glob("*/state.json")

    def services(self) -> dict[str, int]:
        return {"web": self.site.pid("web"), "session service": self.site.pid("sessiond")}

    def own_processes(self) -> set[int]:
        return memory.with_descendants({self.site.process.pid}) - self.session_processes()

    def session_processes(self) -> set[int]:
        states = [json.loads(file.read_text()) for file in self._live()]
        return memory.with_descendants({int(state["jail"]) for state in states})


def _image() -> Image:
    """The image that ``python3`` kernels start."""
    image = image_for_kernel("python3")
    assert image is not None
    return image


def _bearer(user: Jupyter) -> dict[str, str]:
    return {"Authorization": f"Bearer {user.token}"}


def _sessions(answer: httpx.Response) -> list[str]:
    """The ids of the sessions in an answer of the REST API."""
    return [str(session["id"]) for session in answer.raise_for_status().json()["items"]]
