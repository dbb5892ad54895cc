"""An added image in a container: its own files, beside them a Python for the runner that its programs do not see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.container import checkup
from sandbox.container.engine import Engine
from sandbox.drivers.docker import DockerDriver
from sandbox.images import Image, installed, selftest
from tests.sandbox.conftest import Lab
from tests.sandbox.roots.test_roots_jail import said
from tests.sandbox.test_command import run as run_command
from tests.sandbox.test_docker_driver import claimed, spares
from tests.sandbox.test_languages import open_kernel
from tests.sandbox.test_languages import run as run_cell

DRIVER, ADDED = "docker", ["tiny"]
pytestmark = [pytest.mark.jail, pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def tiny(roots: Lab) -> Image:
    roots.image = installed()["tiny"]
    return roots.image


async def test_its_files_are_all_there_is_and_its_root_is_read_only(roots: Lab, tiny: Image):
    told = await said(roots, "cat /etc/os-release; ls /usr/bin; touch /x /usr/x /etc/x; id; python3; cat /etc/passwd")
    assert told.startswith('NAME="Tiny"')
    assert "python3: command not found" in told
    assert told.count("Read-only file system") == 3
    assert "uid=1000(work)" in told
    assert "root:x" not in told


async def test_its_kernel_and_its_self_test_work(roots: Lab, tiny: Image):
    inside = await open_kernel(roots, tiny)
    await run_cell(inside, "x=마당")
    assert "마당 tiny" in (await run_cell(inside, 'source /etc/os-release; echo "$x $ID $PYTHONHOME"'))[0]
    assert await selftest.trial(roots.driver, tiny) == ""


@pytest_asyncio.fixture(loop_scope="module")
async def sparing(roots: Lab, tiny: Image) -> AsyncIterator[Lab]:
    """A lab whose driver keeps a spare container of the image."""
    driver = DockerDriver(roots.folder, 1)
    await driver.open()
    now = time.monotonic()
    driver.expect("tiny", 1, now, now + 3600)
    lab = Lab(driver, roots.folder)
    lab.image = tiny
    yield lab
    await lab.close()
    await driver.close()


async def test_spare_containers_are_claimed_until_the_image_is_built_anew(sparing: Lab, tiny: Image):
    assert isinstance(sparing.driver, DockerDriver)
    former = await spares(sparing.driver, sparing, 1)
    assert await taken(sparing) in former, "it was made before it was asked for"
    assert await inside(sparing, "cat", "/etc/hostname") == "hens\n"
    former = await spares(sparing.driver, sparing, 1)
    assert tiny.root is not None
    (tiny.root / "etc" / "os-release").write_text('NAME="Another"\nID=tiny\n')
    await asyncio.to_thread(lambda: list(Engine().build(tiny, "host")))
    assert await taken(sparing) not in former
    assert 'NAME="Another"' in await inside(sparing, "cat", "/etc/os-release")
    assert await spares(sparing.driver, sparing, 1) != former


async def taken(lab: Lab) -> str:
    """Start a sandbox of the image as it is; for whom its container was made."""
    id = await claimed(lab, lab.folder / "mine", "hens")
    return (lab.driver.runner_socket(id).parent / "container").read_text()


async def inside(lab: Lab, *command: str) -> str:
    """What ``command`` says in the sandbox that was started last."""
    return (await run_command(await lab.client(lab.ids[-1]), *command))[1].decode()


async def test_the_doctor_says_that_it_is_built(roots: Lab, tiny: Image):
    finding = next(one for one in checkup.findings() if one.name == "Image tiny")
    assert (finding.state, finding.detail) == ("found", "built as madang/tiny")
