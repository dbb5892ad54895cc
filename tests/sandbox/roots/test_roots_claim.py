"""Spare sandboxes of an added image: claimed as others are, and never those of an image that is no more."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.drivers.jail import JailDriver
from sandbox.images import Image, installed
from sandbox.roots import adding
from tests.sandbox.conftest import Inside, Lab, unfit
from tests.sandbox.roots.archives import small_root
from tests.sandbox.roots.conftest import added, forget
from tests.sandbox.roots.test_roots_jail import said
from tests.sandbox.test_claim import claimed, gone, jail_of
from tests.sandbox.test_languages import run as run_cell

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Image]:
    if reason := unfit():
        pytest.skip(reason)
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's sandboxes are built when they are asked for")
    with added(tmp_path, ["tiny"]):
        yield installed()["tiny"]


@pytest_asyncio.fixture(loop_scope="module")
async def lab(tiny: Image, tmp_path: Path) -> AsyncIterator[Lab]:
    """With two spares of the image, as where a class is expected."""
    driver = JailDriver(tmp_path, 2)
    await driver.open()
    now = time.monotonic()
    driver.expect("tiny", 2, now, now + 3600)
    lab = Lab(driver, tmp_path)
    lab.image = tiny
    yield lab
    await lab.close()
    await driver.close()


async def ready(lab: Lab) -> list[Path]:
    """The directories of both spares."""
    assert isinstance(lab.driver, JailDriver)
    pool = lab.driver._pools["tiny"]
    async with asyncio.timeout(30):
        while len(pool) < 2:
            await asyncio.sleep(0.02)
    return [Path(spare.plan.directory) for spare in pool._ready]


async def taken(lab: Lab, hostname: str) -> int:
    """Start a sandbox of the image as it is; the jail that it has."""
    id = await claimed(lab, lab.folder / "mine", hostname)
    return jail_of(lab.driver.runner_socket(id).parent)


async def kernel(lab: Lab) -> Inside:
    """One in the sandbox that was started last."""
    client, id = await lab.client(lab.ids[-1]), str(uuid.uuid4())
    await client.call("kernel.start", id=id, name=lab.image.kernels[0].name)
    return Inside(await client.open("kernel.attach", id=id, session="test", since=0), id)


async def test_a_session_gets_a_spare_with_its_project_and_its_name(lab: Lab):
    jails = {jail_of(spare) for spare in await ready(lab)}
    assert await taken(lab, "hens") in jails, "it was built before it was asked for"
    inside = await kernel(lab)
    told = (await run_cell(inside, "cat /proc/sys/kernel/hostname /etc/hostname /etc/hosts; pwd; echo mine > made"))[0]
    assert told.startswith("hens\nhens\n127.0.0.1 localhost hens\n")
    assert told.endswith("/home/work/project\n")
    made = lab.folder / "mine" / "made"
    assert (made.read_text(), made.stat().st_uid) == ("mine\n", made.parent.stat().st_uid)
    told = (await run_cell(inside, "touch /x /etc/x; echo x > /etc/hostname; mount; cat /etc/os-release"))[0]
    assert told.count("Read-only file system") == 3
    assert " on / type overlay (ro,nosuid,nodev" in told
    assert 'NAME="Tiny"' in told


async def test_one_that_is_built_when_it_is_asked_for_has_its_name_too(lab: Lab):
    assert await said(lab, "cat /etc/hostname /proc/sys/kernel/hostname") == "madang\nmadang\n"


async def test_none_of_an_image_that_was_replaced_is_given_out(lab: Lab):
    former = {jail_of(spare) for spare in await ready(lab)}
    adding.remove(lab.folder, "tiny")
    with pytest.raises(FileNotFoundError):
        await taken(lab, "nobody")
    assert isinstance(lab.driver, JailDriver)
    assert lab.ids.pop() not in lab.driver._cores.keys() | lab.driver._host_ids.keys()
    shutil.rmtree(lab.folder / "small")
    (small_root(lab.folder / "small") / "etc" / "os-release").write_text('NAME="Another"\n')
    forget()  # who adds is another process
    adding.add(lab.folder, "tiny", lab.folder / "small", echo=lambda line: None)
    assert await taken(lab, "hens") not in former
    inside = await kernel(lab)
    assert 'NAME="Another"' in (await run_cell(inside, "cat /etc/os-release"))[0]
    for pid in former:
        await gone(pid)


async def test_those_of_an_image_that_was_removed_end_though_nobody_asks(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    spares = await ready(lab)
    jails = [jail_of(spare) for spare in spares]
    adding.remove(lab.folder, "tiny")
    lab.driver.expect("tiny", 2, 0.0, time.monotonic() + 3600)  # it looks at once
    for pid in jails:
        await gone(pid)
    async with asyncio.timeout(30):
        while any(spare.exists() for spare in spares):
            await asyncio.sleep(0.02)
