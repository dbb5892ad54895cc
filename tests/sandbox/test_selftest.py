"""Self-tests of images in real sandboxes, what is remembered of them, and what is offered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.drivers import Driver
from sandbox.images import Image, installed, selftest, verdicts
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
BASH = installed()["bash"]


@pytest.mark.parametrize("image", installed().values(), ids=lambda image: image.directory.name)
async def test_every_image_of_this_host_passes(lab: Lab, image: Image):
    assert await selftest.trial(lab.driver, image) == ""
    assert await lab.driver.adopt() == []


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"hello": "echo nothing"}, "said 'nothing'"),
        ({"hello": "echo oops >&2; exit 3"}, "ended with status 3: oops"),
        ({"selftest": "false"}, "`false` ended with status 1"),
    ],
)
async def test_one_that_fails_says_why(lab: Lab, broken: dict[str, Any], why: str):
    assert why in await selftest.trial(lab.driver, replace(BASH, **broken))
    assert await lab.driver.adopt() == []


async def test_what_has_passed_is_remembered_and_what_has_failed_is_tested_again(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried: list[str] = []
    bad = {**installed(), "bash": replace(BASH, selftest="false")}
    if "lua" not in bad:
        pytest.skip("Lua is not installed")
    monkeypatch.setattr(selftest, "installed", lambda: bad)
    trial = selftest.trial

    async def counted(driver: Driver, image: Image) -> str:
        tried.append(image.name)
        return await trial(driver, image) if image.name in ("bash", "lua") else ""

    monkeypatch.setattr(selftest, "trial", counted)
    await selftest.test_all(lab.driver, tmp_path)
    assert tried == list(installed())
    tried.clear()
    await selftest.test_all(lab.driver, tmp_path)
    assert tried == ["bash"]
    found = verdicts.read(tmp_path)
    assert (found["lua"].why, "`false` ended with status 1" in found["bash"].why) == ("", True)
