"""Names and links never lead out of a root, whatever they say."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.roots import RootError
from sandbox.roots.paths import links_beneath, parts, program_in, real, resolve

PART = st.sampled_from(["a", "b", "usr", "..", ".", "", "..."])
PATH = st.lists(PART, max_size=8).map("/".join)


@given(st.text(max_size=60) | PATH)
def test_a_name_has_parts_that_stay_beneath_or_is_refused(name: str):
    try:
        found = parts(name)
    except RootError:
        assert ".." in name.split("/") or "\0" in name
        return
    assert not {"", ".", ".."} & set(found)
    assert all("/" not in part and "\0" not in part for part in found)


@given(PATH, st.dictionaries(PATH, PATH))
def test_links_are_followed_beneath_the_root_only_and_to_an_end(path: str, links: dict[str, str]):
    try:
        found = resolve(path.split("/"), links.get)
    except RootError:
        return
    assert not {"", ".", ".."} & set(found)
    for length in range(1, len(found) + 1):
        assert "/".join(found[:length]) not in links, "what it leads to is no link any more"


@given(st.dictionaries(st.sampled_from(["a", "b", "usr/a", "usr/b"]), PATH, max_size=4), PATH)
def test_it_is_what_the_kernel_does_after_a_change_of_root(links: dict[str, str], path: str):
    with tempfile.TemporaryDirectory() as name:
        top = os.path.realpath(name)
        os.mkdir(f"{top}/usr")
        for link, target in links.items():
            if target:
                os.symlink(target, f"{top}/{link}")
        try:
            found = real(top, path)
        except RootError:
            return
        assert found == top or found.startswith(f"{top}/")
        if os.path.exists(found):
            assert os.path.realpath(found) == found


def test_a_circle_and_an_abyss_are_refused():
    with pytest.raises(RootError, match="circle"):
        resolve(["a"], {"a": "b", "b": "a"}.get)
    with pytest.raises(RootError):
        parts("a/" * 3000)
    with pytest.raises(RootError, match="cannot be"):
        parts("etc/../../shadow")
    with pytest.raises(RootError):
        resolve(["l"] + ["a"] * 150, {"l": "/".join("b" * 150)}.get)


def test_a_program_is_found_as_programs_inside_find_it(tmp_path: Path):
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("/usr/bin")
    (tmp_path / "usr" / "bin" / "there").touch(0o755)
    (tmp_path / "usr" / "bin" / "text").touch(0o644)
    (tmp_path / "usr" / "bin" / "sh").symlink_to("/../../../bin/there")
    (tmp_path / "usr" / "bin" / "host").symlink_to("/etc/passwd")
    assert program_in(tmp_path, "there", "/none:/bin") == "/bin/there"
    assert program_in(tmp_path, "sh", "/bin")
    assert not any(program_in(tmp_path, name, "/bin:usr/bin") for name in ("text", "host", "no"))
    assert links_beneath(str(tmp_path))("usr") is None
