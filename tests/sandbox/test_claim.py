"""Spare sandboxes of the jail driver: claimed by one session, unlike any other, gone with who keeps them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.drivers import Sample, SandboxSpec
from sandbox.drivers.jail import JailDriver
from sandbox.egress import account, record
from sandbox.egress.rules import Network
from sandbox.images import Image, images
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Lab, unfit
from tests.settings import IMAGES

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


SMALL = Slots(memory=512 * MIB, disk=32 * MIB)
"""So that a project is full within moments."""


def small_images() -> dict[str, Image]:
    return {name: replace(image, slots=SMALL) for name, image in images().items()}


@pytest_asyncio.fixture(loop_scope="module")
async def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JailDriver]:
    monkeypatch.setattr("sandbox.drivers.jail.installed", small_images)
    if reason := unfit():
        pytest.skip(reason)
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's sandboxes are built when they are asked for")
    (tmp_path / "images").symlink_to(IMAGES)
    driver = JailDriver(tmp_path)
    await driver.open()
    yield driver
    await driver.close()


@pytest_asyncio.fixture(loop_scope="module")
async def lab(driver: JailDriver, tmp_path: Path) -> AsyncIterator[Lab]:
    lab = Lab(driver, tmp_path)
    lab.image = next(iter(small_images().values()))
    yield lab
    await lab.close()


async def ready(driver: JailDriver, count: int) -> list[Path]:
    """The directories of spares, once there are ``count``."""
    pool = next(iter(driver._pools.values()))
    async with asyncio.timeout(30):
        while len(pool) < count:
            await asyncio.sleep(0.02)
    return [Path(spare.plan.directory) for spare in pool._ready]


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.02)


async def claimed(lab: Lab, project: Path | None, hostname: str = "madang") -> str:
    """Start a sandbox as the image has it, which a spare can become."""
    id = str(uuid.uuid4())
    if project is not None:
        project.mkdir(exist_ok=True)
    lab.ids.append(id)
    await lab.driver.start(SandboxSpec(id, lab.image, lab.image.slots, project, hostname=hostname))
    return id


def jail_of(directory: Path) -> int:
    return int(json.loads((directory / "state.json").read_text())["jail"])


async def test_a_session_gets_a_spare_with_its_project_and_its_name(driver: JailDriver, lab: Lab, tmp_path: Path):
    spares = await ready(driver, 2)
    jails = {jail_of(spare) for spare in spares}
    project = tmp_path / "mine"
    id = await claimed(lab, project, hostname="hens")
    assert jail_of(driver.runner_socket(id).parent) in jails, "it was built before it was asked for"
    assert id in await driver.adopt()
    inside = await lab.kernel(id)
    said = await inside.run(
        "import os, socket\nopen('made.txt', 'w').write('hello')\n"
        "print(os.getcwd(), socket.gethostname(), open('/etc/hostname').read().strip())"
    )
    assert said == "/home/work/project hens hens\n"
    assert (project / "made.txt").read_text() == "hello"
    assert (project / "made.txt").stat().st_uid == project.stat().st_uid
    refused = await inside.run("open('/etc/hostname', 'w')")
    assert "Read-only file system" in refused


async def test_what_a_spare_used_before_is_nobodys(driver: JailDriver, lab: Lab, tmp_path: Path):
    await ready(driver, 1)
    id = await claimed(lab, tmp_path / "p")
    sample = await lab.sample(id)
    assert sample.usage.wall_ms < 60_000
    assert sample.usage.cpu_ms < 1000
    state = json.loads((driver.runner_socket(id).parent / "state.json").read_text())
    assert state["base"]["cpu_ms"] > 0
    await lab.driver.stop(id)
    assert (await lab.end(id)).reason == "stopped"


async def test_the_disk_limit_holds_from_the_claim_on(driver: JailDriver, lab: Lab, tmp_path: Path):
    jails = {jail_of(spare) for spare in await ready(driver, 1)}
    id = await claimed(lab, tmp_path / "p")
    assert jail_of(driver.runner_socket(id).parent) in jails
    inside = await lab.kernel(id)
    await inside.send(f"n = 0\nwhile True:\n    n += 1\n    open(f'f{{n}}', 'wb').write(bytes({MIB}))")
    await noticed(driver, id, "disk_full")
    for file in (tmp_path / "p").iterdir():
        file.unlink()
    await noticed(driver, id, "")
    again = await lab.kernel(id)  # the first one may have been ended as one that wrote on
    assert await again.run("print(open('again', 'w').write('x'))") == "1\n"


async def noticed(driver: JailDriver, id: str, notice: str) -> None:
    async with asyncio.timeout(60):
        async for event in driver.events(id):
            if isinstance(event, Sample) and event.notice == notice:
                return


async def test_what_it_sees_of_the_machine_goes_on_changing(driver: JailDriver, lab: Lab, tmp_path: Path):
    await ready(driver, 1)
    spare = next(iter(driver._pools.values()))._ready[0].plan
    id = await claimed(lab, tmp_path / "p")
    assert driver._cores[id] == spare.cores
    assert spare.id not in driver._cores
    assert not Path(spare.directory).exists()
    inside = await lab.kernel(id)
    said = await inside.run(
        "import os\nbegan = open('/proc/stat').read()\nwhile open('/proc/stat').read() == began: pass\n"
        "total = next(line for line in open('/proc/meminfo') if line.startswith('MemTotal'))\n"
        "print(sorted(os.sched_getaffinity(0)), int(total.split()[1]))"
    )
    assert said == f"{spare.cores} {SMALL.memory // 1024}\n"


async def test_no_two_draw_the_same_numbers(driver: JailDriver, lab: Lab, tmp_path: Path):
    await ready(driver, 2)
    draws = []
    code = "import random, uuid, ssl, numpy\nprint(random.random(), uuid.uuid4(), ssl.RAND_bytes(8).hex(), "
    code += "numpy.random.random(), numpy.random.default_rng().random(), open('/proc/sys/kernel/random/uuid').read())"
    for number in range(3):  # two spares and one that is built for it
        inside = await lab.kernel(await claimed(lab, tmp_path / str(number)))
        draws.append((await inside.run(code)).split())
    for values in zip(*draws, strict=True):
        assert len(set(values)) == 3, values


async def test_other_slots_are_built_when_they_are_asked_for(driver: JailDriver, lab: Lab):
    jails = {jail_of(spare) for spare in await ready(driver, 2)}
    id = await lab.start(Slots(memory=300 << 20))
    assert jail_of(driver.runner_socket(id).parent) not in jails


async def test_a_dead_spare_is_passed_over(driver: JailDriver, lab: Lab, tmp_path: Path):
    spares = await ready(driver, 2)
    groups = [path for spare in spares for path in json.loads((spare / "state.json").read_text())["cgroup"].values()]
    for spare in spares:
        os.kill(jail_of(spare), signal.SIGKILL)
    id = await claimed(lab, tmp_path / "p")
    assert await (await lab.kernel(id)).run("print(1)") == "1\n"
    async with asyncio.timeout(30):
        while any(Path(path).exists() for path in groups) or any(spare.exists() for spare in spares):
            await asyncio.sleep(0.02)
        while {spare.name for spare in spares} & (driver._cores.keys() | driver._host_ids.keys()):
            await asyncio.sleep(0.02)


async def test_its_way_out_is_written_down_before_a_sandbox_can_be_used(driver: JailDriver, lab: Lab, tmp_path: Path):
    """Who starts it may end at any moment: here while the zygote, or the spare's jail, has not yet answered."""
    pool = driver._pools[lab.image.name]
    await ready(driver, 2)
    zygote = driver._zygotes[lab.image.name]._process
    assert zygote
    for slots, waited_for in (
        (lab.image.slots, jail_of(Path(pool._ready[0].plan.directory))),
        (Slots(memory=512 << 20), zygote.pid),
    ):
        id = str(uuid.uuid4())
        lab.ids.append(id)
        os.kill(waited_for, signal.SIGSTOP)
        try:
            spec = SandboxSpec(id, lab.image, slots, network=Network("public"))
            starting = asyncio.create_task(driver.start(spec))
            directory = driver.runner_socket(id).parent
            async with asyncio.timeout(30):
                while not (known := record.read(directory)):
                    await asyncio.sleep(0.02)
            assert known == record.Record(Network("public"), directory / "runner.sock")
            assert not starting.done()
        finally:
            os.kill(waited_for, signal.SIGCONT)
        await starting
        assert record.read(directory) == known


async def test_spares_end_with_the_driver_and_a_claimed_one_does_not(driver: JailDriver, lab: Lab, tmp_path: Path):
    await ready(driver, 2)
    id = await claimed(lab, tmp_path / "p")
    inside = await lab.kernel(id)
    jails = [jail_of(spare) for spare in await ready(driver, 2)]
    await driver.close()
    for pid in jails:
        await gone(pid)
    assert await inside.run("print('on')") == "on\n"


async def test_a_claimed_sandbox_is_not_claimed_again(driver: JailDriver, lab: Lab, tmp_path: Path):
    from sandbox.runner.wire import CallError, Client

    await ready(driver, 1)
    id = await claimed(lab, tmp_path / "p")
    directory = driver.runner_socket(id).parent
    async with await Client.connect(directory / "jail.sock") as client:
        with pytest.raises(CallError) as refused:
            await client.call("claim", plan=(directory / "plan.json").read_text())
    assert refused.value.code == "illegal"


async def test_the_network_bytes_of_a_claimed_one_are_counted(driver: JailDriver, lab: Lab, tmp_path: Path):
    spares = await ready(driver, 2)
    id = await claimed(lab, tmp_path / "project")
    directory = driver.runner_socket(id).parent
    assert not all(spare.exists() for spare in spares), "it was a spare one, under another name"
    counted = account.Account(directory)
    counted.received(12_345)
    counted.sent(678)
    usage = (await lab.sample(id, 2)).usage
    assert (usage.bytes_received, usage.bytes_sent) == (12_345, 678)
    counted.close()
