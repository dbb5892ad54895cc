"""Zip archives in and out: round trips, and everything that may not come in."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.archives import unpack, zipped
from portal.files import Files
from portal.filling import Filling
from sessions.problems import Problem

ROOM = 10_000_000


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    out.seek(0)
    return out


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unpacked(folder: Path, data: io.BytesIO, room: int = ROOM) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    unpack(data, Filling(folder, room))
    return tree(folder)


def test_what_goes_out_comes_in_again(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a" / "empty").mkdir(parents=True)
    (source / "main.py").write_text("print(1)")
    (source / "a" / "한글.txt").write_text("마당")
    (source / "a" / "run.sh").write_text("#!/bin/sh\n")
    (source / "a" / "run.sh").chmod(0o755)
    (source / "big").write_bytes(os.urandom(3_000_000))
    (source / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(source / "pipe")
    found = unpacked(tmp_path / "target", io.BytesIO(b"".join(zipped(Files(source), [""]))))
    assert set(found.pop("MISSING.txt").decode().split()) == {"passwd", "pipe"}, "said, and not followed"
    assert found == {name: text for name, text in tree(source).items() if name != "passwd"}
    assert (tmp_path / "target" / "a" / "run.sh").stat().st_mode & 0o100
    assert (tmp_path / "target" / "a" / "empty").is_dir()


def test_a_single_folder_at_the_top_is_taken_off(tmp_path: Path) -> None:
    repository = archive(("repo-main/", b""), ("repo-main/README.md", b"x"), ("repo-main/src/a.py", b"y"))
    assert unpacked(tmp_path / "a", repository) == {"README.md": b"x", "src/a.py": b"y"}
    two = archive(("one/a", b"1"), ("two/a", b"2"))
    assert unpacked(tmp_path / "b", two) == {"one/a": b"1", "two/a": b"2"}
    assert unpacked(tmp_path / "c", archive(("one", b"1"))) == {"one": b"1"}


def info(name: str, mode: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, mode << 16
    return made


@pytest.mark.parametrize(
    "member",
    ["../out", "/etc/passwd", "a/../../out", "C:\\out", "..\\out", "a\\b", "a/./b", ".", "x" * 300,
     info("link", stat.S_IFLNK | 0o777), info("pipe", stat.S_IFIFO | 0o666), info("device", stat.S_IFCHR | 0o666)],
)  # fmt: skip
def test_what_leads_out_or_is_no_plain_file_is_refused(tmp_path: Path, member: str | zipfile.ZipInfo) -> None:
    with pytest.raises(Problem) as problem:
        unpacked(tmp_path / "in", archive(("fine", b"x"), (member, b"/etc/passwd")))
    assert problem.value.code == "bad_archive"
    assert list(tree(tmp_path / "in")) == [], "nothing is written before all names are known to be good"
    assert set(os.listdir(tmp_path)) == {"in"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("b", "b")])
def test_a_name_twice_or_of_a_file_and_a_folder(tmp_path: Path, names: tuple[str, str]) -> None:
    data = archive(("x", b""), *((name, b"") for name in names))
    with pytest.raises(Problem, match="twice"):
        unpacked(tmp_path / "in", data)


def test_a_bomb_is_stopped_at_the_disk_limit(tmp_path: Path) -> None:
    with pytest.raises(Problem) as problem:
        unpacked(tmp_path / "in", archive(("zeros", bytes(50_000_000))))
    assert problem.value.status == 507
    assert sum(map(len, tree(tmp_path / "in").values())) <= ROOM


def test_a_bomb_of_many_names_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(Problem) as problem:
        unpacked(tmp_path / "in", archive(*((f"{n}/", b"") for n in range(21_000))), 1000)
    assert problem.value.status == 507


def test_a_member_that_lies_about_its_size(tmp_path: Path) -> None:
    data = bytearray(archive(("liar", bytes(1_000_000))).getvalue())
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    with pytest.raises(Problem):
        unpacked(tmp_path / "in", io.BytesIO(bytes(data)))
    assert len(tree(tmp_path / "in").get("liar", b"")) <= 10


def test_encrypted_and_strangely_packed_members(tmp_path: Path) -> None:
    data = bytearray(archive(("secret", b"x")).getvalue())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    with pytest.raises(Problem, match="encrypted"):
        unpacked(tmp_path / "in", io.BytesIO(bytes(data)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("x", b"x")
    with pytest.raises(Problem, match="not read here"):
        unpacked(tmp_path / "in", out)


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 255))
def test_garbage_is_refused_or_is_an_archive(garbage: bytes, at: int, value: int) -> None:
    good = bytearray(archive(("a.txt", b"hello"), ("b/c.txt", b"there")).getvalue())
    good[at % len(good)] = value
    for data in (garbage, bytes(good), bytes(good) + garbage):
        with tempfile.TemporaryDirectory() as folder:
            with contextlib.suppress(Problem):
                unpacked(Path(folder), io.BytesIO(data))
