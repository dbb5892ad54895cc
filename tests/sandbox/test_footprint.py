"""What a run has left is removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.runner.footprint import Footprint


def test_what_was_added_is_gone_and_what_was_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    footprint = Footprint([str(tmp_path), str(tmp_path / "there is none")])
    (tmp_path / "kept" / "added").mkdir(mode=0)
    (tmp_path / "added").symlink_to(tmp_path / "kept")
    assert footprint.restore()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "kept"]


@pytest.mark.parametrize("change", ["rm kept", "echo more >> kept", "mv kept away", "chmod 700 kept"])
def test_a_change_to_what_was_there_is_seen(tmp_path: Path, change: str) -> None:
    (tmp_path / "kept").write_text("kept")
    footprint = Footprint([str(tmp_path)])
    subprocess.run(["sh", "-c", change], cwd=tmp_path, check=True)
    assert not footprint.restore()


@pytest.fixture
def queue() -> Iterator[str]:
    """A System V message queue, as any program of the machine may have one."""
    made = subprocess.run(["ipcmk", "-Q"], check=True, capture_output=True, text=True).stdout
    id = made.split()[-1]
    yield id
    subprocess.run(["ipcrm", "-q", id], check=False, capture_output=True)


def test_what_the_kernel_kept_before_may_stay_and_must_not_go(tmp_path: Path, queue: str) -> None:
    footprint = Footprint([str(tmp_path)])
    assert footprint.restore()
    subprocess.run(["ipcrm", "-q", queue], check=True)
    assert not footprint.restore()


def test_what_a_run_leaves_with_the_kernel_is_seen(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    footprint = Footprint([str(tmp_path)])
    request.getfixturevalue("queue")
    assert not footprint.restore()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A folder of another file system."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "mounted"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.jail
def test_what_is_mounted_below_is_left_alone(tmp_path: Path, mounted: Path) -> None:
    footprint = Footprint([str(tmp_path)])
    (mounted / "another's").write_text("")
    assert footprint.restore()
    assert (mounted / "another's").exists()
