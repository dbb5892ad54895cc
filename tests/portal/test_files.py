"""Files of a project whose other user is hostile."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from portal.files import HIDDEN, Files, remove_tree, split
from portal.uploads import take_chunk
from sessions.problems import Problem

SECRET = b"root:x:0:0"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(SECRET)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def files(root: Path):
    with Files(root) as opened:
        yield opened


def refused(status: int):
    return pytest.raises(Problem, check=lambda problem: problem.status == status)


def test_a_file_is_written_and_read_back(files: Files, root: Path) -> None:
    files.make_folder("a")
    assert files.write("a/b.txt", b"one") is True
    assert files.write("a/b.txt", b"two") is False
    assert files.read("a/b.txt", 10) == b"two"
    assert os.listdir(root / "a") == ["b.txt"]


def test_a_write_keeps_the_mode(files: Files, root: Path) -> None:
    files.write("run.sh", b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o750)
    files.write("run.sh", b"#!/bin/bash\n")
    assert stat.S_IMODE((root / "run.sh").stat().st_mode) == 0o750


def test_a_write_never_keeps_setuid(files: Files, root: Path) -> None:
    files.write("tool", b"x")
    (root / "tool").chmod(0o4755)
    files.write("tool", b"y")
    assert stat.S_IMODE((root / "tool").stat().st_mode) == 0o755


def test_a_failed_write_loses_nothing(files: Files, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write("thesis.txt", b"all of it")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with refused(507):
        files.write("thesis.txt", b"half")
    assert (root / "thesis.txt").read_bytes() == b"all of it"
    assert os.listdir(root) == ["thesis.txt"]


@pytest.mark.parametrize("path", ["../x", "a/../../x", "..", ".", "a/./b", "a\0b", "x" * 256, "a/" + "é" * 128])
def test_paths_that_name_what_they_must_not(path: str) -> None:
    with refused(400):
        split(path)


def test_a_path_of_our_own_temporary_files_is_refused() -> None:
    with refused(400):
        split(f"a/{HIDDEN}123")


def test_a_link_is_not_read(files: Files, root: Path, outside: Path) -> None:
    (root / "link").symlink_to(outside / "secret")
    with refused(400):
        files.read("link", 100)


def test_a_link_is_not_written_through(files: Files, root: Path, outside: Path) -> None:
    (root / "link").symlink_to(outside / "secret")
    with refused(400):
        files.write("link", b"mine")
    assert (outside / "secret").read_bytes() == SECRET


def test_a_dangling_link_makes_no_file_elsewhere(files: Files, root: Path, outside: Path) -> None:
    (root / "link").symlink_to(outside / "new")
    with refused(400):
        files.write("link", b"mine")
    assert not (outside / "new").exists()


@pytest.mark.parametrize("act", ["read", "write", "list", "remove", "rename", "make_folder", "chunk"])
def test_a_linked_folder_is_not_entered(files: Files, root: Path, outside: Path, act: str) -> None:
    (root / "dir").symlink_to(outside)
    acts = {
        "read": lambda: files.read("dir/secret", 100),
        "write": lambda: files.write("dir/secret", b"mine"),
        "list": lambda: files.list("dir"),
        "remove": lambda: files.remove("dir/secret"),
        "rename": lambda: files.rename("dir/secret", "stolen"),
        "make_folder": lambda: files.make_folder("dir/new"),
        "chunk": lambda: take_chunk(files, "dir/secret", 1, b"mine", 100),
    }
    with refused(404):
        acts[act]()
    assert os.listdir(outside) == ["secret"]
    assert (outside / "secret").read_bytes() == SECRET


def test_a_linked_project_folder_is_not_opened(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "linked").symlink_to(outside)
    with refused(404), Files(tmp_path / "linked"):
        pass


def test_links_are_listed_as_what_they_are(files: Files, root: Path, outside: Path) -> None:
    (root / "link").symlink_to(outside / "secret")
    entry = files.list("")[0]
    assert (entry.name, entry.kind) == ("link", "link")
    assert entry.size != len(SECRET)


def test_removing_a_link_leaves_its_target(files: Files, root: Path, outside: Path) -> None:
    (root / "dir").symlink_to(outside)
    files.remove("dir")
    assert os.listdir(root) == []
    assert (outside / "secret").exists()


def test_removing_a_folder_does_not_follow_links_in_it(files: Files, root: Path, outside: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "out").symlink_to(outside)
    (root / "a" / "out").symlink_to(outside / "secret")
    files.remove("a")
    assert os.listdir(root) == []
    assert (outside / "secret").read_bytes() == SECRET


def test_a_tree_deeper_than_any_path_is_removed(files: Files, root: Path) -> None:
    """3,000 levels of 10 characters: longer than PATH_MAX and deeper than Python's recursion limit."""
    fd = os.open(root, os.O_RDONLY)
    for _level in range(3000):
        os.mkdir("d" * 10, dir_fd=fd)
        below = os.open("d" * 10, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    files.remove("d" * 10)
    assert os.listdir(root) == []


def test_folders_that_forbid_everything_are_removed(files: Files, root: Path) -> None:
    (root / "a" / "b" / "c").mkdir(parents=True)
    (root / "a" / "b" / "f").write_bytes(b"x")
    (root / "a" / "b").chmod(0o555)
    (root / "a" / "b" / "c").chmod(0)
    (root / "a").chmod(0o500)
    files.remove("a")
    assert os.listdir(root) == []


def test_a_fifo_answers_at_once(files: Files, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with refused(400):
        files.read("pipe", 100)
    with refused(400):
        files.write("pipe", b"x")
    assert files.list("")[0].kind == "special"


def test_a_socket_is_refused(files: Files, root: Path) -> None:
    import socket

    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(root)  # a socket's path is short
        try:
            server.bind("s")
        finally:
            os.chdir(here)
        with refused(400):
            files.read("s", 100)


def test_a_hard_link_is_replaced_not_written_through(files: Files, root: Path, outside: Path) -> None:
    os.link(outside / "secret", root / "hard")
    files.write("hard", b"mine")
    assert (outside / "secret").read_bytes() == SECRET
    assert (root / "hard").read_bytes() == b"mine"


def test_a_file_over_the_limit_is_refused(files: Files) -> None:
    files.write("big", b"x" * 101)
    with refused(413):
        files.read("big", 100)


def test_a_file_that_grows_while_it_is_read_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write("log", b"x")
    read, served = os.read, []

    def endless(fd: int, size: int) -> bytes:
        served.append(read(fd, size))
        return b"x" * 60

    monkeypatch.setattr(os, "read", endless)
    with refused(413):
        files.read("log", 100)
    assert len(served) == 2


def test_a_folder_is_no_file(files: Files) -> None:
    files.make_folder("a")
    with refused(400):
        files.read("a", 100)
    with refused(400):
        files.write("a", b"x")
    with refused(400):
        files.write("", b"x")


def test_a_rename_overwrites_nothing(files: Files) -> None:
    files.write("a", b"a")
    files.write("b", b"b")
    with refused(409):
        files.rename("a", "b")
    assert files.read("b", 10) == b"b"


def test_a_folder_does_not_move_into_itself(files: Files) -> None:
    files.make_folder("a")
    with refused(400):
        files.rename("a", "a/b")


def test_names_that_are_not_utf8_are_left_to_the_terminal(files: Files, root: Path) -> None:
    (root / os.fsdecode(b"\xff\xfe")).write_bytes(b"x")
    files.write("ok", b"x")
    assert [entry.name for entry in files.list("")] == ["ok"]


def test_a_file_swapped_for_a_link_while_it_is_read(root: Path, outside: Path) -> None:
    """Somebody swaps a file and a link to a secret as fast as they can: no read ever yields the secret."""
    (root / "file").write_bytes(b"harmless")
    (root / "link").symlink_to(outside / "secret")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(root / "file", root / "other")
            os.rename(root / "link", root / "file")
            os.rename(root / "file", root / "link")
            os.rename(root / "other", root / "file")

    racer = threading.Thread(target=swap)
    racer.start()
    seen: set[bytes | int] = set()
    try:
        with Files(root) as files:
            for _ in range(3000):
                try:
                    seen.add(files.read("file", 100))
                except Problem as problem:
                    seen.add(problem.status)
    finally:
        stop.set()
        racer.join()
    assert seen <= {b"harmless", 400, 404}
    assert b"harmless" in seen


def test_a_folder_swapped_for_a_link_while_it_is_written_into(root: Path, outside: Path) -> None:
    (root / "dir").mkdir()
    (root / "link").symlink_to(outside)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(root / "dir", root / "other")
            os.rename(root / "link", root / "dir")
            os.rename(root / "dir", root / "link")
            os.rename(root / "other", root / "dir")

    racer = threading.Thread(target=swap)
    racer.start()
    written = 0
    try:
        with Files(root) as files:
            for _ in range(1500):
                try:
                    files.write("dir/secret", b"overwritten")
                    written += 1
                except Problem:
                    continue
    finally:
        stop.set()
        racer.join()
    assert written
    assert (outside / "secret").read_bytes() == SECRET
    assert os.listdir(outside) == ["secret"]


def test_pieces_become_a_file_at_the_end(files: Files, root: Path) -> None:
    files.write("big.bin", b"old")
    assert take_chunk(files, "big.bin", 1, b"aa", 100) is None
    assert take_chunk(files, "big.bin", 2, b"bb", 100) is None
    assert (root / "big.bin").read_bytes() == b"old"
    assert [entry.name for entry in files.list("")] == ["big.bin"]
    assert take_chunk(files, "big.bin", -1, b"cc", 100) is False
    assert (root / "big.bin").read_bytes() == b"aabbcc"
    assert os.listdir(root) == ["big.bin"]


@pytest.mark.parametrize("numbers", [[2], [-1], [1, 3], [1, 2, 2]])
def test_pieces_out_of_order_are_refused(files: Files, root: Path, numbers: list[int]) -> None:
    for number in numbers[:-1]:
        take_chunk(files, "big.bin", number, b"x", 100)
    with refused(409):
        take_chunk(files, "big.bin", numbers[-1], b"x", 100)
    assert not (root / "big.bin").exists()


def test_a_new_upload_starts_over(files: Files, root: Path) -> None:
    take_chunk(files, "f", 1, b"old", 100)
    take_chunk(files, "f", 2, b"old", 100)
    take_chunk(files, "f", 1, b"new", 100)
    assert take_chunk(files, "f", -1, b"!", 100) is True
    assert (root / "f").read_bytes() == b"new!"


def test_pieces_over_the_limit_leave_nothing(files: Files, root: Path) -> None:
    take_chunk(files, "f", 1, b"x" * 60, 100)
    with refused(413):
        take_chunk(files, "f", -1, b"x" * 60, 100)
    assert os.listdir(root) == []


def test_a_first_piece_over_the_limit_leaves_nothing(files: Files, root: Path) -> None:
    with refused(413):
        take_chunk(files, "f", 1, b"x" * 101, 100)
    assert os.listdir(root) == []


def test_pieces_do_not_follow_a_planted_link(files: Files, root: Path, outside: Path) -> None:
    take_chunk(files, "f", 1, b"x", 100)
    held = next(name for name in os.listdir(root) if name.startswith(HIDDEN))
    (root / held).unlink()
    (root / held).symlink_to(outside / "secret")
    with refused(400):
        take_chunk(files, "f", -1, b"x", 100)
    assert (outside / "secret").read_bytes() == SECRET


def test_remove_tree_of_a_link_is_refused(root: Path, outside: Path) -> None:
    (root / "dir").symlink_to(outside)
    fd = os.open(root, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match=r"(Not a directory|symbolic)"):
            remove_tree(fd, "dir")
    finally:
        os.close(fd)
    assert (outside / "secret").exists()
