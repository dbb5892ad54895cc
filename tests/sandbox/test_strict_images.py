"""Under the strict policy, as exams have it: every language whose programs are not native, run and in its kernel."""

from __future__ import annotations

import shutil

import pytest

from sandbox.images import Image, images, policies_for
from sandbox.slots import Slots
from tests.sandbox.conftest import Lab
from tests.sandbox.test_languages import open_kernel
from tests.sandbox.test_languages import run as run_cell
from tests.sandbox.test_run import run

pytestmark = [
    pytest.mark.jail,
    pytest.mark.every_driver,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

OFFERED = [image for image in images().values() if image.base and "strict" in policies_for(image)]
OTHERS = {"node", "lua5.4", "php", "perl"}
HELLO = "Hello from Madang!"


@pytest.fixture(params=OFFERED, ids=lambda image: image.directory.name)
def image(request: pytest.FixtureRequest, lab: Lab) -> Image:
    lab.image = request.param
    return lab.image


async def test_it_has_its_own_programs_and_no_other(lab: Lab, image: Image):
    language, main = image.languages[0], image.hello_file
    build, command = (step.replace("{main}", main) for step in (language.build, language.run))
    known = OTHERS - {needed.program for needed in image.requires}
    others = " ".join(other for other in sorted(known) if shutil.which(other))
    if not others:
        pytest.skip("no other language's program is installed")
    each = f"for other in {others}; do $other --version </dev/null >/dev/null 2>&1; echo ended $?; done | sort -u"
    room, patience = Slots(memory=1 << 30), 60
    told = await run(
        lab, {main: image.hello}, f"{command}; {each}", build, b"", room, "strict", time_s=patience, cpu_s=patience
    )
    said = told.steps["run"]["stdout"]
    assert HELLO in said, told.steps
    assert set(said.split("ended")[1:]) == {" 126\n"}, said


async def test_its_kernel_runs_cells(lab: Lab, image: Image):
    inside = await open_kernel(lab, image, policy="strict")
    said, reply = await run_cell(inside, image.hello)
    assert (HELLO in said, reply["status"]) == (True, "ok"), said
