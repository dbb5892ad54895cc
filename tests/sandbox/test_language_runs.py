"""The same program in every language that this host offers, built and run as a run: well, wrongly and without end."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.images import Image, images
from sandbox.slots import Slots
from tests.sandbox.conftest import Lab
from tests.sandbox.programs import PROGRAMS, Written
from tests.sandbox.test_run import run

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SPOKEN = [image for image in images().values() if image.languages[0].name in PROGRAMS]
ROOM = Slots(memory=512 << 20, processes=64)
LIBRARIES_KIB = 128 * 1024  # shared with all who use them, and of nobody's memory alone
SLOWLY_BUILT = ("go", "haskell", "typescript", "rust", "java")


@pytest.fixture(params=SPOKEN, ids=lambda image: image.languages[0].name)
def image(request: pytest.FixtureRequest, lab: Lab) -> Image:
    lab.image = request.param
    return lab.image


def written(image: Image) -> Written:
    return PROGRAMS[image.languages[0].name]


# The others have no way of their own to start a process, or it is that of another language of the same runtime.
forking = pytest.mark.parametrize(
    "image", [i for i in SPOKEN if written(i).forks], indirect=True, ids=lambda image: image.languages[0].name
)


def seconds(image: Image) -> float:
    """Enough to build it, and not much more."""
    return 6 if image.languages[0].name in SLOWLY_BUILT else 1.5


async def carried_out(lab: Lab, image: Image, what: str, broken: bool = False, **limits: float) -> dict[str, Any]:
    """The last step of its program where its input is ``what``."""
    files, language = dict(written(image).files), image.languages[0]
    main = next(iter(files))
    if broken:
        first, rest = files[main].split("\n", 1)
        files[main] = f"{first}\n{written(image).broken}\n{rest}"
    build, command = (step.replace("{main}", main) for step in (language.build, language.run))
    bounds = {"time_s": 60, "cpu_s": 60} | limits
    told = await run(lab, files, command, build, f"{what}\n".encode(), ROOM, "default", **bounds)
    assert not told.failed
    return told.steps.get("run") or told.steps["build"]


async def test_it_reads_its_input_and_its_other_file_and_how_it_ends_is_told(lab: Lab, image: Image):
    files, language = written(image).files, image.languages[0]
    build, command = (step.replace("{main}", next(iter(files))) for step in (language.build, language.run))
    times = "; ".join(f"echo {what} | {command}; echo ended {what} $?" for what in ("greet", "exit"))
    told = await run(lab, files, times, build, slots=ROOM, time_s=60, cpu_s=60)
    said = told.steps["run"]["stdout"]
    assert "".join(said.split()) == "안녕마당endedgreet0endedexit7", told.steps


async def test_what_is_wrong_with_it_is_told_with_its_place(lab: Lab, image: Image):
    step = await carried_out(lab, image, "greet", broken=True)
    assert step["exit_code"]
    assert written(image).said in step["stderr"] + step["stdout"], step


async def test_an_error_while_it_runs_is_told(lab: Lab, image: Image):
    step = await carried_out(lab, image, "fail")
    assert step["exit_code"] or step["signal"]
    assert "nonsense" in step["stderr"] + step["stdout"]


async def test_a_loop_without_end_ends_at_its_limit(lab: Lab, image: Image):
    step = await carried_out(lab, image, "loop", cpu_s=seconds(image))
    assert step["cause"] == "time_limit"
    assert step["cpu_ms"] < seconds(image) * 1000 + 20_000  # a busy machine counts more; without a limit it is no end


async def test_one_that_eats_memory_ends_and_no_more_than_it_is_given(lab: Lab, image: Image):
    step = await carried_out(lab, image, "eat")
    assert step["exit_code"] or step["cause"] == "memory_limit", step
    assert step["peak_kib"] <= ROOM.memory / 1024 + LIBRARIES_KIB


@forking
async def test_one_that_starts_processes_without_end_leaves_the_sandbox_its_own(lab: Lab, image: Image):
    step = await carried_out(lab, image, "fork", time_s=seconds(image))
    assert step["cause"] in ("time_limit", "memory_limit") or step["exit_code"] or step["signal"], step
    client = await lab.client(lab.ids[-1])
    limits = {"time_s": 10, "cpu_s": 10, "output": 1000}
    stream = await client.open("run.start", build="", command="echo still here", **limits)
    await stream.write(b"g")
    await stream.write(b"e")
    said = [record async for _, record in stream]
    assert b"1still here\n" in said
