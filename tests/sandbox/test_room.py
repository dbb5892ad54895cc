"""How much room files take, measured beneath a descriptor while somebody plays tricks."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.room import Look, Room, measure, most_entries

names = st.sampled_from("abcd")
trees = st.recursive(
    st.integers(0, 20_000), lambda below: st.dictionaries(names, below, max_size=4), max_leaves=12
).filter(lambda tree: isinstance(tree, dict))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def grow(place: Path, tree: object) -> int:
    """Make ``tree`` in ``place``; how many entries it has."""
    count = 0
    assert isinstance(tree, dict)
    for name, below in tree.items():
        count += 1
        if isinstance(below, int):
            (place / name).write_bytes(b"x" * below)
        else:
            (place / name).mkdir()
            count += grow(place / name, below)
    return count


@settings(max_examples=40)
@given(trees)
def test_it_is_what_du_says(tmp_path_factory: pytest.TempPathFactory, tree: object):
    place = tmp_path_factory.mktemp("tree")
    entries = grow(place, tree)
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    room = measure(fd)
    os.close(fd)
    said = subprocess.run(["du", "-s", "-B1", place], capture_output=True, text=True, check=True).stdout
    assert room == Room(int(said.split()[0]) - place.stat().st_blocks * 512, entries)


def test_an_inode_counts_once_a_hole_not_at_all_and_links_are_not_followed(tmp_path: Path, folder: int):
    (tmp_path / "one").write_bytes(bytes(100_000))
    once = measure(folder).size
    for number in range(5):
        os.link(tmp_path / "one", tmp_path / f"again{number}")
    with open(tmp_path / "hole", "wb") as hole:
        hole.truncate(1 << 40)
    (tmp_path / "link").symlink_to("/usr")
    (tmp_path / "link to itself").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    assert measure(folder) == Room(once, 10)


def test_a_tree_deeper_than_any_path_is_measured_with_one_folder_open(tmp_path: Path, folder: int):
    depth = 1500
    fd = os.dup(folder)
    for _ in range(depth):
        os.mkdir("deep", dir_fd=fd)
        below = os.open("deep", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = below
    with os.fdopen(os.open("end", os.O_CREAT | os.O_WRONLY, dir_fd=fd), "wb") as end:
        end.write(bytes(10_000))
    os.close(fd)
    look, open_before = Look(folder), len(os.listdir("/proc/self/fd"))
    most = max(len(os.listdir("/proc/self/fd")) for _ in look)
    subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)  # it is too deep for what clears up after tests
    assert look.room.entries == depth + 1
    assert most <= open_before + 1


def test_a_look_ends_when_it_has_seen_enough(tmp_path: Path, folder: int):
    for number in range(300):
        (tmp_path / str(number)).mkdir()
    assert measure(folder, enough=100).entries == 100


def test_while_folders_are_moved_about_it_ends_and_stays_inside(tmp_path: Path, folder: int):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "x").mkdir()
    over = threading.Event()

    def move() -> None:
        while not over.is_set():
            os.rename(tmp_path / "a" / "b", tmp_path / "x" / "b")
            os.rename(tmp_path / "x" / "b", tmp_path / "a" / "b")

    mover = threading.Thread(target=move)
    mover.start()
    try:
        assert all(measure(folder).entries <= 6 for _ in range(500))
    finally:
        over.set()
        mover.join()


@pytest.mark.parametrize(("size", "entries", "more", "over"), [(10, 1, 0, False), (10, 1, 1, True), (11, 1, 0, True)])
def test_over_the_limit(size: int, entries: int, more: int, over: bool):
    assert Room(size, entries).over(10, more) is over


def test_too_many_files_are_over_the_limit_however_small():
    limit = 1 << 30
    assert Room(0, most_entries(limit)).over(limit) is False
    assert Room(0, most_entries(limit) + 1).over(limit) is True
