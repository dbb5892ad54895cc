"""Madang: a site started by ``bin/up`` on an empty state directory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench import memory
from bench.jupyter import Jupyter
from bench.subject import SERVERS, Server
from bin.lib.layout import state
from bin.lib.running import Site, wait_for
from sandbox.drivers.pool import MOST_EXPECTED
from sandbox.images import Image, image_for_kernel

LIVE = {"state": "live"}
ACCOUNTS = """
from portal.keys import create_key
from portal.models import User
for index in range({count}):
    print(create_key(User.objects.create_user(email=f"{prefix}-{{index}}@example.org"), "bench")[1])
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
    scenarios = SERVERS | {"bell", "live", "churn"}

    def missing(self) -> str:
        return ""

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Server]:
        base = state() / "bench"
        base.mkdir(parents=True, exist_ok=True)
        settings = {} if spares else {"MADANG_SPARES": "0"}
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


class RunningSite(Server):
    def __init__(self, site: Site) -> None:
        self.site = site
        self._groups = 0

    def users(self, count: int) -> list[Jupyter]:
        """Accounts, each with a project and so a session of its own."""
        self._groups += 1
        script = ACCOUNTS.format(count=count, prefix=f"bench-{self._groups}")
        keys = self.site.manage("shell", "-v", "0", "-c", script).split()
        return [Jupyter(f"{self.site.url}/jupyter", key) for key in keys]

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
