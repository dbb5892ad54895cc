"""What a run is to do and what its runner tells, without a sandbox: orders, tallies, verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.images import Image, Language
from sandbox.runner.run import MOST_FILES, pack_file
from sessions.problems import Problem
from sessions.runs import order
from sessions.runs.answer import Cause, Tally, judge
from sessions.runs.order import make_order

PYTHON = Language("python", "Python", (".py",), "main.py", "python {main}")
C = Language("c", "C", (".c", ".h"), "main.c", "./main", "gcc -o main {main}")
ENDED = {"exit_code": 0, "signal": None, "cpu_ms": 1, "wall_ms": 1, "peak_kib": 1, "truncated": False, "cause": ""}


@pytest.fixture(autouse=True)
def polyglot(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image("poly", "Poly", "", Path(), (), languages=(PYTHON, C))
    monkeypatch.setattr(order, "find_image", lambda name: image)


@pytest.mark.parametrize(
    ("files", "more", "expected"),
    [
        ({}, {}, ("python", "", "python main.py")),
        ({"a b.py": ""}, {}, ("python", "", "python 'a b.py'")),
        ({"-c.py": ""}, {}, ("python", "", "python ./-c.py")),
        ({"x.c": "", "y.py": ""}, {}, ("c", "gcc -o main x.c", "./main")),
        ({"README": "", "y.py": ""}, {}, ("python", "", "python y.py")),
        ({"y.py": "", "x.c": ""}, {"language": "c"}, ("c", "gcc -o main x.c", "./main")),
        ({"x.c": ""}, {"build": "", "command": "ls"}, ("c", "", "ls")),
        ({"x.c": "", "Makefile": "all:\n"}, {}, ("c", "make", "./main")),
        ({"x.c": "", "Makefile": "all:\nrun: all\n"}, {}, ("c", "make", "make -s run")),
        ({"x.c": "", "Makefile": "all:\n"}, {"build": "cc x.c"}, ("c", "cc x.c", "./main")),
    ],
)
def test_what_is_not_said_follows(files: dict[str, str], more: dict[str, Any], expected: tuple[str, ...]) -> None:
    made = make_order("poly", files, **more)
    assert (made.language, made.build, made.command) == expected


def test_limits_that_are_no_numbers_are_refused() -> None:
    for value in (float("nan"), float("inf"), -1.0):
        with pytest.raises(Problem, match="time_s"):
            make_order("poly", {}, limits={"time_s": value})


@pytest.mark.parametrize(
    "records",
    [
        [b""],
        [b"x"],
        [b"brun", b"bbuild"],
        [b"b\xff"],
        [b"sok"],
        [b"s" + json.dumps(ENDED).encode()],
        [b"brun", b"s" + json.dumps(ENDED | {"cpu_ms": -1}).encode()],
        [b"brun", b"s" + json.dumps(ENDED | {"cause": "luck"}).encode()],
        [b"brun", b"1" + b"x" * 11],
        [b"brun", b"1" + b"x" * 6, b"2" + b"x" * 6],
        [b"f\xff\xffx"],
        [pack_file("../x", b"")],
        [pack_file("/x", b"")],
        [pack_file(str(n), b"") for n in range(MOST_FILES + 1)],
        [pack_file(str(n), b"x" * (1 << 19)) for n in range(3)],
    ],
)
def test_a_runner_that_lies_is_not_believed(records: list[bytes]) -> None:
    tally = Tally(10)
    for record in records[:-1]:
        tally.take(record)
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
        tally.take(records[-1])


@pytest.mark.parametrize(
    ("steps", "causes", "refused", "failed", "verdict"),
    [
        ([], [], [], "", "internal_error"),
        ([("run", 0)], [""], [], "The disk is full.", "internal_error"),
        ([("run", 0)], [""], ["tracing"], "", "ok"),
        ([("build", 1)], [""], [], "", "compile_error"),
        ([("build", 0), ("run", 1)], ["", ""], [], "", "runtime_error"),
        ([("run", None)], [""], [], "", "runtime_error"),
        ([("run", 1)], [""], ["kernel", "processes"], "", "runtime_error"),
        ([("run", 1)], [""], ["kernel", "tracing"], "", "denied"),
        ([("run", None)], ["memory_limit"], ["tracing"], "", "memory_limit"),
        ([("build", None)], ["time_limit"], [], "", "time_limit"),
        ([("build", 0)], [""], [], "", "internal_error"),
    ],
)
def test_verdicts(
    steps: list[tuple[str, int | None]], causes: list[Cause], refused: list[str], failed: str, verdict: str
) -> None:
    assert judge([{"name": name, "exit_code": code} for name, code in steps], causes, refused, failed) == verdict
