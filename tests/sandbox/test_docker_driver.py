"""The docker driver's own: spare containers and their claim, what the engine is told, and containers nobody owns."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
import pytest_asyncio

from sandbox.drivers import SandboxSpec
from sandbox.drivers.docker import DockerDriver
from tests.sandbox.conftest import Lab, unfit

pytestmark = [pytest.mark.jail, pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def own(tmp_path: Path) -> AsyncIterator[DockerDriver]:
    """A driver with two spare containers of the first image."""
    if reason := unfit("docker"):
        pytest.skip(reason)
    driver = DockerDriver(tmp_path, 2)
    await driver.open()
    yield driver
    await driver.close()


@pytest_asyncio.fixture(loop_scope="module")
async def lab(own: DockerDriver, tmp_path: Path) -> AsyncIterator[Lab]:
    lab = Lab(own, tmp_path)
    yield lab
    await lab.close()


async def spares(driver: DockerDriver, lab: Lab, count: int) -> list[str]:
    """For whom the spare containers were made, once there are ``count``."""
    pool = driver._pools[lab.image.name]
    async with asyncio.timeout(60):
        while len(pool) < count:
            await asyncio.sleep(0.02)
    return [spare.plan.id for spare in pool._ready]


async def claimed(lab: Lab, project: Path, hostname: str = "madang") -> str:
    id = str(uuid.uuid4())
    project.mkdir(exist_ok=True)
    lab.ids.append(id)
    await lab.driver.start(SandboxSpec(id, lab.image, lab.image.slots, project, hostname=hostname))
    return id


def container(made_for: str) -> dict[str, Any]:
    with closing(docker.from_env()) as client:
        attributes: dict[str, Any] = client.api.inspect_container(f"madang-{made_for}")
        return attributes


async def no_containers(driver: DockerDriver) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(driver._there.sandboxes, driver._site):
            await asyncio.sleep(0.05)


async def test_a_session_gets_a_spare_container_with_its_project_and_its_name(own: DockerDriver, lab: Lab):
    ready = await spares(own, lab, 2)
    id = await claimed(lab, lab.folder / "mine", hostname="hens")
    assert (own.runner_socket(id).parent / "container").read_text() in ready, "it was made before it was asked for"
    inside = await lab.kernel(id)
    said = await inside.run(
        "import os, socket\nopen('made.txt', 'w').write('hello')\n"
        "names = open('/etc/hostname').read().strip(), 'hens' in open('/etc/hosts').read()\n"
        "print(os.getcwd(), socket.gethostname(), *names)"
    )
    assert said == "/home/work/project hens hens True\n"
    made = lab.folder / "mine" / "made.txt"
    assert made.read_text() == "hello"
    assert made.stat().st_uid == made.parent.stat().st_uid
    assert "Read-only file system" in await inside.run("open('/etc/hostname', 'w')")
    sample = await lab.sample(id)
    assert sample.usage.wall_ms < 60_000, "what a spare one used before is nobody's"
    base = json.loads((own.runner_socket(id).parent / "state.json").read_text())["base"]
    assert base["cpu_ms"] > 0


async def test_the_engine_holds_the_same_walls_and_limits(own: DockerDriver, lab: Lab):
    id = await lab.start()
    told = await asyncio.to_thread(container, id)
    config, host = told["Config"], told["HostConfig"]
    assert config["User"] not in ("", "0", "root")
    assert host["ReadonlyRootfs"] and host["AutoRemove"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"]
    assert "no-new-privileges" in host["SecurityOpt"]
    assert any(option.startswith("seccomp=") for option in host["SecurityOpt"])
    assert host["Memory"] == host["MemorySwap"] == 512 << 20
    assert host["PidsLimit"] > 0 and host["CpuQuota"] > 0
    assert {mount["Mode"] for mount in told["Mounts"] if mount["RW"]} == set()


async def test_containers_that_nobody_owns_are_removed_and_those_of_sessions_stay(own: DockerDriver, lab: Lab):
    """The last session service was killed between making a container and starting it."""
    id = await lab.start()
    orphan = f"madang-{uuid.uuid4()}"

    def leave() -> None:
        with closing(docker.from_env()) as client:
            labels = {"madang.site": own._site, "madang.sandbox": orphan.removeprefix("madang-")}
            client.api.create_container("madang/python:latest", ["true"], name=orphan, labels=labels)

    await asyncio.to_thread(leave)
    successor = DockerDriver(own._sandboxes.parent, 0)
    await successor.open()
    try:
        assert await asyncio.to_thread(successor._there.sandboxes, successor._site) >= {id}
        assert orphan.removeprefix("madang-") not in await asyncio.to_thread(own._there.sandboxes, own._site)
        inside = await lab.kernel(id)
        assert await inside.run("print(6 * 7)") == "42\n"
    finally:
        await successor.close()


async def test_an_ended_sandbox_leaves_no_container(own: DockerDriver, lab: Lab):
    id = await lab.start()
    jail = json.loads((own.runner_socket(id).parent / "state.json").read_text())["jail"]
    os.kill(jail, signal.SIGKILL)
    assert (await lab.end(id)).reason == "jail_lost"
    await own.collect(id)
    assert id not in await asyncio.to_thread(own._there.sandboxes, own._site)


async def test_spares_end_with_the_driver(tmp_path: Path, lab: Lab):
    driver = DockerDriver(tmp_path / "other", 1)
    await driver.open()
    await spares(driver, lab, 1)
    await driver.close()
    await no_containers(driver)
