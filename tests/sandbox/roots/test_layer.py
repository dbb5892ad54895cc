"""Layers onto a root: what a hostile archive tries, and what an honest one means."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.roots import BOUNDS, Bounds, RootError
from sandbox.roots.layer import Tree
from tests.sandbox.roots.archives import Entry, layer, member

NAME = st.lists(st.sampled_from(["a", "b", "c", "..", ".", "", ".wh.a", ".wh..wh..opq", ".wh..."]), max_size=4)
NAMES = NAME.map("/".join) | NAME.map(lambda parts: "/" + "/".join(parts))
KINDS = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"Z"]
)
MEMBERS = st.lists(st.builds(member, NAMES, KINDS, st.just(0), NAMES, st.integers(0, 0o7777)), max_size=12)


def unpacked(folder: Path, *layers: bytes, bounds: Bounds = BOUNDS) -> Tree:
    root = folder / "root"
    root.mkdir(exist_ok=True)
    tree = Tree(root, bounds, lambda line: None)
    for one in layers:
        tree.apply(io.BytesIO(one))
    return tree


def found(folder: Path) -> set[str]:
    root = folder / "root"
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@settings(max_examples=300)
@given(st.lists(MEMBERS, min_size=1, max_size=3))
def test_nothing_leaves_the_root_and_nothing_in_it_has_rights_or_is_a_device(layers: list[list[tarfile.TarInfo]]):
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "a").write_text("outside")
        (top / "b").mkdir()
        (top / "b" / "a").write_text("outside")
        try:
            unpacked(top, *(layer(more=more) for more in layers))
        except RootError:
            pass
        assert sorted(os.listdir(top)) == ["a", "b", "root"]
        assert (top / "a").read_text() == (top / "b" / "a").read_text() == "outside"
        assert os.listdir(top / "b") == ["a"]
        assert (top / "a").stat().st_nlink == 1
        for where, folders, files in os.walk(top / "root"):
            for path in (os.path.join(where, one) for one in (*folders, *files)):
                status = os.lstat(path)
                assert stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)
                if not stat.S_ISLNK(status.st_mode):
                    assert status.st_mode & 0o7022 == 0
                    assert status.st_uid == os.geteuid()


@given(st.binary(max_size=2000))
def test_garbage_is_refused(data: bytes):
    with tempfile.TemporaryDirectory() as name:
        try:
            unpacked(Path(name), data)
        except RootError:
            pass
        assert found(Path(name)) == set() or len(data) >= 512


def test_files_keep_their_text_time_and_mode_but_nobodys_rights(tmp_path: Path):
    text = b"#!/bin/sh\n"
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(member("usr/bin/su", size=len(text), mode=0o6777), io.BytesIO(text))
    unpacked(tmp_path, made.getvalue())
    file = tmp_path / "root" / "usr" / "bin" / "su"
    assert file.read_bytes() == text
    assert stat.S_IMODE(file.stat().st_mode) == 0o755
    assert file.stat().st_mtime == 1_700_000_000


def test_devices_and_fifos_are_left_out_and_counted(tmp_path: Path):
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    tree = unpacked(tmp_path, layer(("a", b"x"), more=[member(f"dev/{n}", kind) for n, kind in enumerate(kinds)]))
    assert tree.skipped == 3
    assert found(tmp_path) == {"a"}


@pytest.mark.parametrize(
    "entries",
    [
        [("../x", b"1")],
        [("a/../../x", b"1")],
        [("a", b"1"), ("a/b", b"2")],
        [("l", "l"), ("l/x", b"1")],
    ],
)
def test_what_makes_no_sense_is_refused(entries: list[Entry], tmp_path: Path):
    with pytest.raises(RootError):
        unpacked(tmp_path, layer(*entries))
    assert sorted(os.listdir(tmp_path)) == ["root"]


@pytest.mark.parametrize("target", ["/", "../../../..", "/etc", "../outside", "."])
def test_a_link_leads_no_further_than_the_root(target: str, tmp_path: Path):
    (tmp_path / "outside").mkdir()
    unpacked(tmp_path, layer(("etc", None), ("outside", None), ("l", target), ("l/made", b"1")))
    assert os.listdir(tmp_path / "outside") == []
    assert os.readlink(tmp_path / "root" / "l") == target
    assert any(name.endswith("made") for name in found(tmp_path))
    assert not Path("/made").exists()
    assert not Path("/etc/made").exists()


def test_a_hard_link_names_a_file_of_the_image_only(tmp_path: Path):
    link = member("b", tarfile.LNKTYPE, link="./a")
    unpacked(tmp_path, layer(("a", b"1"), more=[link]))
    assert (tmp_path / "root" / "b").samefile(tmp_path / "root" / "a")
    (tmp_path / "secret").write_text("s")
    for target in ("../secret", str(tmp_path / "secret"), "none", "/", "d"):
        with pytest.raises(RootError):
            unpacked(tmp_path, layer(("d", None), more=[member("c", tarfile.LNKTYPE, link=target)]))
    unpacked(tmp_path, layer(("s", str(tmp_path / "secret")), more=[member("t", tarfile.LNKTYPE, link="s")]))
    assert (tmp_path / "root" / "t").is_symlink(), "a link to a link is that link again, and not what it names"
    assert (tmp_path / "secret").stat().st_nlink == 1


def test_whiteouts_remove_what_lower_layers_have_and_not_what_their_own_has(tmp_path: Path):
    low = layer(("d/a", b"1"), ("d/b", b"1"), ("e/a", b"1"), ("e/f/a", b"1"), ("g", b"1"))
    high = layer(
        ("d/.wh.a", b""), ("e/new", b"2"), ("e/f/new", b"2"), ("e/.wh..wh..opq", b""), (".wh.g", b""), ("g", b"3")
    )
    unpacked(tmp_path, low, high, layer((".wh.none", b""), ("n/.wh.x", b"")))
    assert found(tmp_path) == {"d", "d/b", "e", "e/new", "e/f", "e/f/new", "g"}
    assert (tmp_path / "root" / "g").read_bytes() == b"3"


def test_a_whiteout_takes_a_link_and_not_what_it_leads_to(tmp_path: Path):
    unpacked(tmp_path, layer(("d/a", b"1"), ("l", "d")), layer((".wh.l", b"")))
    assert found(tmp_path) == {"d", "d/a"}


def test_later_layers_replace_files_folders_and_links(tmp_path: Path):
    unpacked(
        tmp_path,
        layer(("a/b", b"1"), ("f", b"1"), ("l", "f"), ("d", None)),
        layer(("a", b"2"), ("l", b"3"), ("d", "a")),
    )
    root = tmp_path / "root"
    assert (root / "a").read_bytes() == b"2"
    assert (root / "l").read_bytes() == b"3"
    assert (root / "f").read_bytes() == b"1", "what a link led to is as it was"
    assert os.readlink(root / "d") == "a"


def test_a_plain_archive_has_no_whiteouts(tmp_path: Path):
    (tmp_path / "root").mkdir()
    tree = Tree(tmp_path / "root", BOUNDS, lambda line: None)
    tree.apply(io.BytesIO(layer(("a", b"1"), (".wh.a", b""))), whiteouts=False)
    assert found(tmp_path) == {"a", ".wh.a"}


def test_an_image_is_no_larger_than_it_may_be(tmp_path: Path):
    with pytest.raises(RootError, match="more than 10 bytes"):
        unpacked(tmp_path, layer(("a", b"1" * 6), ("b", b"1" * 6)), bounds=Bounds(size=10))
    with pytest.raises(RootError, match="3 files"):
        unpacked(tmp_path, layer(*((f"d{n}", None) for n in range(5))), bounds=Bounds(entries=3))
    with pytest.raises(RootError):
        unpacked(tmp_path, layer(("/".join(f"{n}" for n in range(100)) + "/x", b"")), bounds=Bounds(entries=3))


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path):
    header = member("x", tarfile.XHDTYPE, size=1 << 30).tobuf()
    with pytest.raises(RootError, match="header that is too long"):
        unpacked(tmp_path, header + bytes(1024))
