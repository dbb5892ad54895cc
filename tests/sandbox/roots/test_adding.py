"""Adding images: every kind of archive, whole or not at all."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import shutil
import signal
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from sandbox import doctor
from sandbox.images import described, installed, verdicts
from sandbox.images.added import added
from sandbox.roots import Bounds, RootError, adding
from sandbox.roots.unpack import unpack
from tests.sandbox.roots.archives import docker_save, layer, oci, small_root, tarred
from tests.sandbox.roots.conftest import forget

TOML = """name = "other"
title = "Tools"
summary = "Ours."
extensions = [".sh"]
[[languages]]
name = "bash"
title = "Bash"
extensions = [".sh"]
main = "main.sh"
run = "bash {main}"
[hello]
file = "main.sh"
text = 'echo "Hello from Madang!"'
[[kernels]]
name = "NAME"
display_name = "Bash"
language = "bash"
mode = "cells"
main = "cell.sh"
run = "bash {main}"
"""


def quiet(line: str) -> None:
    """Progress is of no interest here."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_root(tmp_path_factory.mktemp("small") / "root", ["bash", "cat"])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A state directory that the images are looked for in."""
    before = verdicts.state()
    state = tmp_path / "state"
    state.mkdir()
    verdicts.use(state)
    yield state
    verdicts.use(before)
    forget()


def names(state: Path) -> list[str]:
    return sorted(os.listdir(state / "roots"))


@pytest.mark.parametrize(
    "kind",
    ["tar", "tar.gz", "tar.xz", "tar.zst", "folder", "oci", "oci.tar", "oci.zst", "docker.tar", "docker.tar.gz"],
)
def test_each_kind_of_archive_becomes_the_same_root(kind: str, files: Path, site: Path, tmp_path: Path):
    whole = tarred(files, tmp_path / "whole.tar").read_bytes()
    layers = [whole, layer(("etc/extra", b"1"), ("gone", b"1")), layer((".wh.gone", b""))]
    if kind == "folder":
        source = files
    elif kind.startswith("oci"):
        source = oci(tmp_path / "layout", layers, compress=zstandard.compress if "zst" in kind else gzip.compress)
        source = tarred(source, tmp_path / "oci.tar") if kind == "oci.tar" else source
    elif kind.startswith("docker"):
        source = docker_save(tmp_path / "saved.tar", layers)
        if kind.endswith("gz"):
            (tmp_path / "saved.tar.gz").write_bytes(gzip.compress(source.read_bytes()))
            source = tmp_path / "saved.tar.gz"
    elif kind == "tar.zst":
        source = tmp_path / "root.tar.zst"
        source.write_bytes(b"".join(zstandard.compress(whole[at : at + 4000]) for at in range(0, len(whole), 4000)))
    else:
        source = tarred(files, tmp_path / f"root.{kind}", {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}[kind])
    said: list[str] = []
    target = adding.add(site, "tiny:1", source, echo=said.append)
    assert (target / "root" / "etc" / "os-release").read_text().startswith('NAME="Tiny"')
    assert (target / "root" / "etc" / "extra").exists() == ("layer 3 of 3" in said)
    assert not (target / "root" / "gone").exists()
    assert names(site) == [".lock", "tiny__1"]
    assert said
    assert [one["name"] for one in adding.listed(site)] == ["tiny:1"]
    adding.remove(site, "tiny:1")
    assert adding.listed(site) == []


def test_what_is_added_is_offered_to_processes_that_start_later(files: Path, site: Path):
    assert "tiny" not in installed()
    adding.add(site, "tiny", files, echo=quiet)
    assert "tiny" not in installed()
    forget()
    image = installed()["tiny"]
    assert (image.base, image.root) == ("python", site / "roots" / "tiny" / "root")
    assert [kernel.name for kernel in image.kernels] == ["tiny-bash"]
    assert [language.name for language in image.languages] == ["bash"]
    assert described()[-1] == image, "the site's own come last"
    finding = next(one for one in doctor.findings() if "the image tiny " in one.detail)
    assert finding.state == "found"
    assert "it has no image.toml" in finding.detail
    with pytest.raises(RootError, match="already"):
        adding.add(site, "tiny", files, echo=quiet)


def test_an_image_toml_beside_it_or_inside_or_in_a_label_says_what_it_offers(files: Path, site: Path, tmp_path: Path):
    beside = tarred(files, tmp_path / "beside.tar.gz", "w:gz")
    (tmp_path / "beside.toml").write_text(TOML.replace("NAME", "beside"))
    adding.add(site, "beside", beside, echo=quiet)
    whole = tarred(files, tmp_path / "whole.tar").read_bytes()
    adding.add(
        site,
        "inside",
        oci(tmp_path / "in", [whole, layer(("madang/image.toml", TOML.replace("NAME", "inside").encode()))]),
        echo=quiet,
    )
    config: dict[str, object] = {
        "Labels": {"madang.image": TOML.replace("NAME", "label")},
        "Env": ["PATH=/usr/bin", "HOME=/x", "LD_PRELOAD=y", "A=b"],
    }
    adding.add(site, "label", oci(tmp_path / "label", [whole], config), echo=quiet)
    assert [(image.name, image.title) for image in added(site)] == [
        ("beside", "Tools"),
        ("inside", "Tools"),
        ("label", "Tools"),
    ]
    assert added(site)[-1].environment == {"PATH": "/usr/bin", "A": "b"}
    assert [one["described"].split("/")[-1] for one in adding.listed(site)] == [
        "beside.toml",
        "image.toml",
        "its label madang.image",
    ]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("nonsense", "makes no sense"),
        ('name = "x"', "names no kernel"),
        (f'base = "python"\n{TOML}', "has no base"),
        (f'{TOML}\n[[kernels]]\nname = "x"\ndisplay_name = "X"\nlanguage = "x"\n', "repl or cells"),
        (f'{TOML}\n[[requires]]\nprogram = "no-such"\npackage = "x"\n', "lacks what its image.toml requires: no-such"),
        (
            f'{TOML}\n[[kernels]]\nname = "bash"\ndisplay_name = "X"\nlanguage = "x"\nmode = "repl"\ncommand = ["x"]\n',
            "kernel of that name",
        ),
        (
            f'{TOML}\n[[kernels]]\nname = "x"\ndisplay_name = "X"\nlanguage = "x"\nmode = "repl"\ncommand = ["x"]\n'
            'driver = "../../etc/shadow"\n',
            "without a path",
        ),
        (
            f'{TOML}\n[[kernels]]\nname = "x"\ndisplay_name = "X"\nlanguage = "x"\nmode = "repl"\ncommand = ["x"]\n'
            'driver = "none.py"\n',
            "not beside it",
        ),
        (f"colour = 1\n{TOML}", "colour"),
    ],
)
def test_a_wrong_image_toml_is_refused_and_nothing_is_left(
    toml: str, message: str, files: Path, site: Path, tmp_path: Path
):
    (tmp_path / "own.toml").write_text(toml)
    with pytest.raises(RootError, match=message):
        adding.add(site, "tiny", files, toml=tmp_path / "own.toml", echo=quiet)
    assert names(site) == [".lock"]


def test_an_image_without_bash_is_refused(site: Path, tmp_path: Path):
    (tmp_path / "bare").mkdir()
    with pytest.raises(RootError, match="no bash"):
        adding.add(site, "bare", tmp_path / "bare", echo=quiet)


@pytest.mark.parametrize("name", ["", "Upper", "../x", "a/b", "a:b:c", ".x", "x" * 90, "a:", "ä", "a\n", "a__b"])
def test_a_name_is_a_name(name: str, files: Path, site: Path):
    with pytest.raises(RootError, match="name is of"):
        adding.add(site, name, files, echo=quiet)
    with pytest.raises(RootError):
        adding.remove(site, name)


def damage(folder: Path) -> None:
    """Change a byte of the largest blob, which is the layer."""
    blob = max((folder / "blobs" / "sha256").iterdir(), key=lambda file: file.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)


def test_damage_is_found_by_the_digests(files: Path, site: Path, tmp_path: Path):
    folder = oci(tmp_path / "layout", [tarred(files, tmp_path / "whole.tar").read_bytes()])
    damage(folder)
    with pytest.raises(RootError):
        adding.add(site, "tiny", folder, echo=quiet)
    saved = docker_save(tmp_path / "saved.tar", [layer(("a", b"1" * 100))])
    saved.write_bytes(saved.read_bytes().replace(b"1" * 100, b"2" * 100))
    with pytest.raises(RootError, match="Layer 1 is damaged"):
        adding.add(site, "tiny", saved, echo=quiet)
    assert names(site) == [".lock"]


def test_what_is_no_archive_or_too_large_is_refused(site: Path, tmp_path: Path):
    (tmp_path / "text").write_text("hello" * 1000)
    with pytest.raises(RootError, match="no tar"):
        adding.add(site, "tiny", tmp_path / "text", echo=quiet)
    with pytest.raises(RootError, match="cannot be read"):
        adding.add(site, "tiny", tmp_path / "none", echo=quiet)
    (tmp_path / "zeros").write_bytes(bytes(64 << 20))
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "zeros")
    with pytest.raises(RootError, match="more than"):
        adding.add(site, "tiny", tmp_path / "bomb.tar.gz", bounds=Bounds(size=1 << 20), echo=quiet)
    bomb = gzip.decompress((tmp_path / "bomb.tar.gz").read_bytes())
    for name, data, why in (
        ("bomb", zstandard.compress(bomb), "more than"),
        ("damaged", zstandard.compress(bomb)[:-2000], "damaged|no tar"),
        ("garbage", b"\x28\xb5\x2f\xfd" + bytes(range(200)), "damaged|no tar"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(RootError, match=why):
            adding.add(
                site, "tiny", tmp_path / name, bounds=Bounds(size=1 << 20 if name == "bomb" else 1 << 30), echo=quiet
            )
    assert names(site) == [".lock"]


def test_another_machines_image_is_refused_until_it_is_asked_for(tmp_path: Path):
    folder = oci(tmp_path / "layout", [layer(("a", b"1"))], architecture="s390x")
    (tmp_path / "root").mkdir()
    with pytest.raises(RootError, match="0 images"):
        unpack(folder, tmp_path / "root", Bounds(), quiet)
    manifest, tree = unpack(folder, tmp_path / "root", Bounds(), quiet, "s390x")
    assert (len(manifest.layers), tree.entries) == (1, 1)


def test_a_tar_that_goes_on_after_the_archives_end_is_read_to_its_own(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It fills its last record with zeros: nobody may have closed the pipe by then."""
    tar = tmp_path / "bin" / "tar"
    tar.parent.mkdir()
    tar.write_text(f'#!/bin/sh\n{shutil.which("tar")} "$@" && sleep 0.2 && exec head -c 200000 /dev/zero\n')
    tar.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tar.parent}:{os.environ['PATH']}")
    (tmp_path / "root").mkdir()
    _, tree = unpack(files, tmp_path / "root", Bounds(), quiet)
    assert tree.entries > 0


def _add_slowly(state: Path, source: Path) -> None:
    def echo(line: str) -> None:
        (state / "begun").touch()
        time.sleep(600)

    adding.add(state, "tiny", source, echo=echo)


def test_one_that_is_killed_half_way_leaves_nothing_that_is_offered_and_the_next_cleans_up(files: Path, site: Path):
    child = multiprocessing.get_context("fork").Process(target=_add_slowly, args=(site, files))
    child.start()
    while not (site / "begun").exists():
        assert child.is_alive()
        time.sleep(0.01)
    assert any(name.startswith(".tiny-new-") for name in names(site))
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert not added(site)
    assert not adding.listed(site)
    adding.add(site, "tiny", files, echo=quiet)
    assert names(site) == [".lock", "tiny"]


def test_an_image_that_can_no_longer_be_read_keeps_no_other_from_being_offered(files: Path, site: Path):
    adding.add(site, "one", files, echo=quiet)
    adding.add(site, "two", files, echo=quiet)
    (site / "roots" / "one" / "origin.json").write_text(json.dumps({"name": "one"}))
    assert [image.name for image in added(site)] == ["two"]
    shutil.rmtree(site / "roots" / "two" / "root")
    assert [program.program for program in added(site)[0].missing] == ["bash"]
