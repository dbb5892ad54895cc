"""An added image in a container: its own files, beside them a Python for the runner that its programs do not see."""

from __future__ import annotations

import pytest

from sandbox.container import checkup
from sandbox.images import Image, installed, selftest
from tests.sandbox.conftest import Lab
from tests.sandbox.roots.test_roots_jail import said
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


async def test_the_doctor_says_that_it_is_built(roots: Lab, tiny: Image):
    finding = next(one for one in checkup.findings() if one.name == "Image tiny")
    assert (finding.state, finding.detail) == ("found", "built as madang/tiny")
