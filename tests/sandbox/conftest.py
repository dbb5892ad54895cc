"""Real sandboxes for tests: one driver for a module, and sandboxes that are gone when the test is."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox import doctor
from sandbox.container import checkup
from sandbox.container.engine import Engine
from sandbox.drivers import Driver, Exit, Refused, Sample, SandboxSpec, load_driver
from sandbox.images import Image, images
from sandbox.runner import messages
from sandbox.runner.wire import Client, Stream
from sandbox.slots import Slots
from tests.settings import IMAGES

DRIVERS = {"jail": 16, "docker": 0}
"""And how many spare sandboxes each may keep: a container costs the engine's mounts and a second of the processor."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What every driver promises is tried with each of them, everything else with the jail driver."""
    if "driver" in metafunc.fixturenames:
        every = metafunc.definition.get_closest_marker("every_driver") is not None
        names = [name for name in DRIVERS if every or name == "jail"]
        params = [pytest.param(name, marks=[pytest.mark.docker] if name == "docker" else []) for name in names]
        metafunc.parametrize("driver", params, indirect=True)


def unfit(driver: str = "jail") -> str:
    """Why no sandbox of ``driver`` can start here, or nothing."""
    if driver == "docker":
        return _no_engine()
    missing = [finding for finding in doctor.findings() if finding.state == "missing"]
    if missing:
        return f"{missing[0].name}: {missing[0].detail}"
    return "" if (IMAGES / "python" / "bin" / "python").exists() else "the Python image is not installed (bin/up)"


def _no_engine() -> str:
    missing = [finding for finding in checkup.findings() if finding.state == "missing"]
    if missing:
        return f"{missing[0].name}: {missing[0].detail}"
    engine = Engine()
    try:
        return "" if "python" in engine.image_names() else "the engine has no madang/python (manage.py images build)"
    finally:
        engine.close()


@dataclass
class Inside:
    """A kernel in a sandbox."""

    stream: Stream
    kernel: str

    async def send(self, code: str, stdin: bool = True) -> str:
        """Send ``code``; returns the request's id. ``stdin``: whether it may ask for input."""
        id = uuid.uuid4().hex
        header = {"msg_id": id, "session": "test", "username": "t", "date": "", "version": "5.4"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": stdin}
        parts = [json.dumps(part).encode() for part in (header | {"msg_type": "execute_request"}, {}, {}, content)]
        await self.stream.write(messages.pack("shell", parts))
        return id

    async def run(self, code: str) -> str:
        """Run ``code`` and return all that it printed, tracebacks included."""
        id, said, seen = await self.send(code), "", []
        try:
            async with asyncio.timeout(60):
                async for _, payload in self.stream:
                    _, parts = messages.unpack(payload)
                    content = json.loads(parts[3])
                    seen.append((messages.field(parts[0], "msg_type"), content.get("execution_state")))
                    if messages.field(parts[1], "msg_id") != id:
                        continue
                    said += content.get("text", "") + "\n".join(content.get("traceback", []))
                    if content.get("execution_state") == "idle":
                        return said
        except TimeoutError as error:
            raise AssertionError(f"{code!r} did not end; seen: {seen[-20:]}") from error
        raise AssertionError(f"the kernel's stream ended: {self.stream.end}")


class Lab:
    """Starts sandboxes and cleans up behind them."""

    def __init__(self, driver: Driver, folder: Path) -> None:
        self.driver, self.folder = driver, folder
        self.driver_name = type(driver).__module__.rpartition(".")[2]
        self.image: Image = next(iter(images().values()))
        self.ids: list[str] = []
        self._clients: list[Client] = []

    async def start(self, slots: Slots | None = None, project: Path | None = None, **more: Any) -> str:
        id = str(uuid.uuid4())
        project = project or self.folder / "project"
        project.mkdir(exist_ok=True)
        self.ids.append(id)
        await self.driver.start(SandboxSpec(id, self.image, slots or Slots(memory=512 << 20), project, **more))
        return id

    def successor(self) -> Driver:
        """A new instance of the driver on the same state."""
        return load_driver(self.driver_name, self.driver.runner_socket("any").parents[2])

    async def client(self, id: str) -> Client:
        client = await Client.connect(self.driver.runner_socket(id))
        self._clients.append(client)
        return client

    async def kernel(self, id: str) -> Inside:
        client, kernel = await self.client(id), str(uuid.uuid4())
        await client.call("kernel.start", id=kernel, name="python3")
        return Inside(await client.open("kernel.attach", id=kernel, session="test", since=0), kernel)

    async def end(self, id: str) -> Exit:
        """Wait for the Exit of ``id``."""
        async for event in self.driver.events(id):
            if isinstance(event, Exit):
                return event
        raise AssertionError("events ended without an Exit")

    async def sample(self, id: str, number: int = 1) -> Sample:
        """The ``number``-th sample from now."""
        async for event in self.driver.events(id):
            if isinstance(event, Refused):
                continue
            assert isinstance(event, Sample), event
            number -= 1
            if number == 0:
                return event
        raise AssertionError("no sample came")

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        for id in self.ids:
            if id in await self.driver.adopt():
                await self.driver.stop(id)
                await self.end(id)
                await self.driver.collect(id)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Driver]:
    if reason := unfit(request.param):
        pytest.skip(reason)
    state = tmp_path_factory.mktemp("state")
    (state / "images").symlink_to(IMAGES)
    driver = load_driver(request.param, state, DRIVERS[request.param])
    await driver.open()
    yield driver
    await driver.close()


@pytest_asyncio.fixture(loop_scope="module")
async def lab(driver: Driver, tmp_path: Path) -> AsyncIterator[Lab]:
    lab = Lab(driver, tmp_path)
    yield lab
    await lab.close()
