"""What image.toml says of languages, and what a language's driver says to its kernel."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import doctor
from sandbox.drivers import SandboxSpec
from sandbox.drivers.jail import JailDriver
from sandbox.images import (
    STAMP,
    Image,
    ImageError,
    Kernel,
    Program,
    described,
    images,
    installed,
    policies_for,
    read_image,
    verdicts,
)
from sandbox.jail.plan import Plan, make_plan
from sandbox.runner.records import KINDS, Record, RecordError, Records, request
from sandbox.slots import Slots

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
BASED = [image for image in described() if image.base]
GIVEN = """name = "cobol"
title = "COBOL"
summary = "Programs."
[hello]
file = "a.cob"
text = ""
[[kernels]]
name = "cobol"
display_name = "COBOL"
language = "cobol"
"""


def read(folder: Path, text: str) -> Image:
    (folder / "image.toml").write_text(text)
    return read_image(folder)


def test_python_comes_first_and_then_the_others_by_title():
    assert next(iter(images())).startswith("python:")
    titles = [image.title for image in BASED]
    assert titles == sorted(titles)
    names = [kernel.name for image in described() for kernel in image.kernels]
    assert len(names) == len(set(names)), "a kernel's name is unique on a site"


@pytest.mark.parametrize("image", BASED, ids=lambda image: image.name)
def test_an_image_is_whole(image: Image, tmp_path: Path):
    python = images()[next(iter(images()))]
    assert image.environment_name == "python"
    assert image.environment.items() >= python.environment.items()
    assert image.thread_variables == python.thread_variables
    assert image.requires
    assert image.languages and image.hello and image.hello_file.endswith(image.languages[0].extensions)
    assert all(text for text in image.drivers.values())
    plan = make_plan(SandboxSpec("id", image, Slots()), tmp_path, tmp_path / "prefix", None, [0])
    assert plan.programs.keys() == {kernel.name for kernel in image.kernels}
    assert plan.files.items() >= image.drivers.items()
    assert Plan.from_json(plan.to_json()) == plan


def test_images_with_a_base_share_its_zygote_and_keep_no_spares(tmp_path: Path):
    driver = JailDriver(tmp_path)
    assert len({id(zygote) for zygote in driver._zygotes.values()}) == len([i for i in images().values() if not i.base])
    for image in images().values():
        assert driver._pools[image.name].demand.target(0.0) == (0 if image.base else 2)
    for pool in (driver._pools[image.name] for image in images().values() if image.base):
        pool.demand.arrived(1.0)
        assert pool.demand.target(2.0) == 1, "somebody has started one"


def test_an_image_whose_program_is_missing_is_not_offered_and_doctor_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    image = read(tmp_path, GIVEN.replace("[hello]", '[[requires]]\nprogram = "no-cobc"\npackage = "gnucobol"\n[hello]'))
    assert [program.program for program in image.missing] == ["no-cobc"]
    monkeypatch.setattr("sandbox.images.described", lambda: (image,))
    installed.cache_clear()
    try:
        assert images() == {}
    finally:
        installed.cache_clear()
    monkeypatch.setattr(doctor, "described", lambda: (image,))
    finding = doctor.findings()[-1]
    assert (finding.name, finding.state, finding.mend) == ("COBOL", "optional", "sudo apt-get install gnucobol")
    there = replace(image, requires=(Program("bash", "bash"),))
    monkeypatch.setattr(doctor, "described", lambda: (there,))
    assert doctor.findings()[-1].state == "found"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('mode = "batch"', "one of ipython, repl, cells, not 'batch'"),
        ('mode = "repl"', "needs a command"),
        ('mode = "cells"\nrun = "x"', "needs main and run"),
        ('colour = "red"', "colour"),
        ("mode = 3", "one of"),
    ],
)
def test_a_wrong_kernel_is_refused(more: str, message: str, tmp_path: Path):
    with pytest.raises(ImageError, match=message):
        read(tmp_path, GIVEN + more)


def test_an_image_with_a_base_loads_nothing_of_its_own(tmp_path: Path):
    with pytest.raises(ImageError, match="has that one's preload"):
        read(tmp_path, 'base = "python"\npreload = ["numpy"]\n' + GIVEN)


def test_a_driver_is_named_by_where_it_is_inside():
    kernel = Kernel("x", "X", "x", mode="repl", command=("x", "{driver}"), driver="driver.x")
    program = kernel.program()
    assert program is not None
    assert program["command"] == ["x", "/etc/madang/driver.x"]
    assert Kernel("python3", "Python 3", "python").program() is None


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), WORDS)), st.lists(st.integers(1, 20)))
def test_records_come_whole_however_the_bytes_are_cut(said: list[tuple[str, str]], cuts: list[int]):
    data = b"".join(f"{kind}\n{text}".encode() + b"\0" for kind, text in said)
    records: list[Record] = []
    parser = Records()
    for size in [*cuts, len(data)]:
        records += parser.feed(data[:size])
        data = data[size:]
    assert records == [Record(kind, text) for kind, text in said]


@given(st.binary())
def test_whatever_comes_is_records_or_an_error(data: bytes):
    try:
        for record in Records().feed(data):
            assert record.kind in KINDS
            assert record.data()
            assert record.failure().content()["traceback"]
    except RecordError:
        pass


def test_a_record_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sandbox.runner.records.MAX_RECORD", 100)
    parser = Records()
    assert list(parser.feed(b"value\n" + b"x" * 90)) == []
    with pytest.raises(RecordError, match="too long"):
        list(parser.feed(b"x" * 90))


@given(st.text())
def test_a_cell_ends_where_its_text_does(code: str):
    assert request("run", code).count(b"\0") == 1
    assert request("run", code).endswith(b"\0")


@given(st.dictionaries(WORDS, WORDS, min_size=1), WORDS)
def test_values_are_shown_as_what_they_are(data: dict[str, str], text: str):
    assert Record("data", json.dumps(data)).data() == data
    assert Record("value", json.dumps(data)).data() == {"text/plain": json.dumps(data)}
    assert Record("data", "[1]").data() == {"text/plain": "[1]"}


def test_what_is_optional_is_offered_once_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    image = read(tmp_path, "optional = true\n" + GIVEN)
    before = verdicts.state()
    verdicts.use(tmp_path)
    try:
        assert (image.optional, image.set_up) == (True, False)
        monkeypatch.setattr(doctor, "described", lambda: (image,))
        finding = doctor.findings()[-1]
        assert (finding.state, finding.mend) == ("optional", f"python -m sandbox.images.install {tmp_path.name}")
        environment = tmp_path / "images" / tmp_path.name
        environment.mkdir(parents=True)
        (environment / STAMP).touch()
        assert image.set_up
        assert doctor.findings()[-1].state == "found"
    finally:
        verdicts.use(before)


SERVED = """
[[servers]]
language = "cobol"
command = ["cobol-server"]
extensions = [".cob"]
program = "cobol-server"
install = "sudo apt-get install cobol-server"
"""


def test_a_language_server_is_offered_where_it_is_and_else_doctor_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    image = read(tmp_path, GIVEN + SERVED)
    assert image.offered_servers == ()
    monkeypatch.setattr(doctor, "described", lambda: (image,))
    (found,) = doctor._servers()
    assert (found.name, found.state, found.mend) == ("cobol-server", "optional", "sudo apt-get install cobol-server")
    own = read(tmp_path, GIVEN + SERVED.replace('program = "cobol-server"\n', ""))
    assert [server.language for server in own.offered_servers] == ["cobol"]
    with pytest.raises(ImageError):
        read(tmp_path, GIVEN + SERVED + "colour = 1\n")


def test_an_image_with_a_base_has_that_ones_servers_too():
    for image in BASED:
        assert "python" in [server.language for server in image.servers]


def test_a_language_of_native_programs_has_no_use_for_a_policy_without_own_programs():
    strict = {image.directory.name for image in BASED if "strict" in policies_for(image)}
    assert {image.directory.name for image in BASED} - strict == {"c", "cpp", "go", "haskell", "rust"}
