"""What self-tests have found, as it is kept and read: what is offered follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import doctor
from sandbox.images import images, installed, selftest, verdicts
from sandbox.images.verdicts import Verdict

BASH = installed()["bash"]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    before = verdicts._state
    verdicts.use(tmp_path)
    yield tmp_path
    assert before is not None
    verdicts.use(before)


def test_one_that_has_failed_is_not_offered_and_the_doctor_says_why(state: Path):
    assert "bash" in images()
    verdicts.write(state, {"bash": Verdict("x", "It said no."), "lua": Verdict("x", "")})
    assert "bash" not in images() and "bash" in installed() and "lua" in images()
    finding = next(finding for finding in doctor.findings() if finding.name == "Bash")
    assert (finding.state, "its self-test failed. It said no." in finding.detail) == ("optional", True)
    verdicts.write(state, {"bash": Verdict("x", "")})
    assert "bash" in images()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"bash": 1}', '{"bash": {"of": "x"}}'])
def test_a_file_that_makes_no_sense_is_as_none(state: Path, text: str):
    (state / "selftests.json").write_text(text)
    assert verdicts.read(state) == {} and verdicts.failed() == {}


def test_a_fingerprint_changes_with_what_an_image_stands_on(tmp_path: Path):
    for file in BASH.directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    moved = replace(BASH, directory=tmp_path)
    assert selftest.fingerprint(moved) == selftest.fingerprint(BASH)
    (tmp_path / "driver.sh").write_text("exit")
    assert selftest.fingerprint(moved) != selftest.fingerprint(BASH)
    assert selftest.fingerprint(replace(BASH, requires=())) != selftest.fingerprint(BASH)
