"""Setting up images: fresh ones are left alone, and no half-done one is ever in place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox.images import STAMP, Image
from sandbox.images.install import InstallError, ensure, is_current, stamp_of


def image(directory: Path, requirements: str | None = "") -> Image:
    directory.mkdir(exist_ok=True)
    if requirements is not None:
        (directory / "requirements.txt").write_text(requirements)
    return Image(name="tiny:1", title="Tiny", summary="", directory=directory, kernels=())


def test_an_image_without_requirements_is_an_empty_folder_with_a_stamp(tmp_path: Path) -> None:
    tiny = image(tmp_path / "tiny", requirements=None)
    target = ensure(tiny, tmp_path / "state", lambda line: None)
    assert [file.name for file in target.iterdir()] == [STAMP]
    assert is_current(tiny, tmp_path / "state")


@pytest.mark.slow
def test_its_environment_works_where_it_was_renamed_to(tmp_path: Path) -> None:
    told: list[str] = []
    target = ensure(image(tmp_path / "tiny"), tmp_path / "state", told.append)
    prefix = subprocess.run(
        [target / "bin" / "pip", "--version"], capture_output=True, text=True, check=True
    ).stdout  # pip's script carries the path of its interpreter
    assert str(target) in prefix
    assert "tiny:1" in told[0]


def test_a_fresh_image_is_left_alone(tmp_path: Path) -> None:
    tiny = image(tmp_path / "tiny", requirements=None)
    target = ensure(tiny, tmp_path / "state", lambda line: None)
    (target / "kept").touch()
    ensure(tiny, tmp_path / "state", lambda line: pytest.fail(f"it worked again: {line}"))
    assert (target / "kept").exists()


def test_changed_requirements_make_it_stale(tmp_path: Path) -> None:
    tiny = image(tmp_path / "tiny")
    before = stamp_of(tiny)
    (tmp_path / "tiny" / "requirements.txt").write_text("# another\n")
    assert stamp_of(tiny) != before


def test_a_failed_set_up_leaves_the_former_environment(tmp_path: Path) -> None:
    state = tmp_path / "state"
    former = ensure(image(tmp_path / "tiny", requirements=None), state, lambda line: None)
    (former / "kept").touch()
    broken = image(tmp_path / "tiny", requirements="./no/such/package\n")
    with pytest.raises(InstallError, match="tiny:1 could not be set up"):
        ensure(broken, state, lambda line: None)
    assert (former / "kept").exists()
    assert not is_current(broken, state)
    assert [path.name for path in (state / "images").glob(".tiny-*")] == []


def test_what_a_killed_set_up_left_is_cleared_and_the_former_one_comes_back(tmp_path: Path) -> None:
    images = tmp_path / "state" / "images"
    (images / ".tiny-new-abc").mkdir(parents=True)
    (images / ".tiny-old-abc" / "tiny").mkdir(parents=True)
    (images / ".tiny-old-abc" / "tiny" / "kept").touch()
    with pytest.raises(InstallError):
        ensure(image(tmp_path / "tiny", requirements="./no/such/package\n"), tmp_path / "state", lambda line: None)
    assert sorted(path.name for path in images.iterdir()) == [".tiny.lock", "tiny"]
    assert (images / "tiny" / "kept").exists()
