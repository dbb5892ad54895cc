"""Which Python the tools start with."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bin.lib import launch, packages, setup
from bin.lib.console import Console, StepFailed


@pytest.fixture
def pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All programs that there are: none yet, and a Python 3.11 that runs us."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in (launch.CHOICE, launch.OTHERWISE, "PYENV_VERSION"):
        monkeypatch.delenv(name, raising=False)
    running = {"version_info": (3, 11, 2), "executable": "/usr/bin/python3", "argv": ["bin/up"], "exit": sys.exit}
    monkeypatch.setattr(launch, "sys", SimpleNamespace(**running))
    monkeypatch.setattr(launch, "ENVIRONMENT", str(tmp_path / ".venv"))
    return folder


def have(folder: Path, version: str, script: str = "") -> str:
    """A program that says it is Python ``version``; returns where it says it lies."""
    path = folder / f"python{version}"
    path.write_text(f"#!/bin/sh\n{script}\necho /opt/python{version} {version.replace('.', ' ')}\n")
    path.chmod(0o755)
    return f"/opt/python{version}"


def started(monkeypatch: pytest.MonkeyPatch, prefer: bool = True) -> str:
    """The Python that a tool goes on with."""
    monkeypatch.setattr(launch, "import_module", lambda name: SimpleNamespace(main=lambda: "the one that runs"))
    asked: list[str] = []

    def execute(path: str, arguments: list[str]) -> None:
        assert arguments == [path, "bin/up"]
        asked.append(path)

    monkeypatch.setattr(os, "execv", execute)
    running = launch.launch("bin.lib.up", prefer)
    return asked[0] if asked else str(running)


def test_the_best_of_the_tested_ones_is_preferred(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(pythons, "3.12")
    have(pythons, "3.99")
    best = have(pythons, "3.13")
    assert started(monkeypatch) == best
    assert os.environ[launch.OTHERWISE] == "/usr/bin/python3"


def test_a_tool_that_prefers_none_takes_the_one_that_runs_it(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(pythons, "3.13")
    assert started(monkeypatch, prefer=False) == "the one that runs"


def test_without_better_ones_it_is_the_one_that_runs(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(pythons, "3.13", "exit 1")  # one that lacks a module that we need
    have(pythons, "3.12", "echo 3.11 3 11; exit")  # one that is another
    assert started(monkeypatch) == "the one that runs"
    assert launch.OTHERWISE not in os.environ


def test_a_version_that_pyenv_keeps_is_asked_for(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = have(pythons, "3.12", '[ "$PYENV_VERSION" = 3.12 ] || exit 127')
    assert started(monkeypatch) == kept


def test_the_environment_keeps_its_python(pythons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(pythons, "3.13")
    settings = tmp_path / ".venv" / "pyvenv.cfg"
    settings.parent.mkdir()
    settings.write_text(f"home = {pythons}\nversion = 3.12.1\nexecutable = {pythons}/python3.12\n")
    assert started(monkeypatch) == "/opt/python3.13"  # the one it was made with is gone
    have(pythons, "3.12")
    assert started(monkeypatch) == f"{pythons}/python3.12"
    assert started(monkeypatch, prefer=False) == f"{pythons}/python3.12"


def test_the_operator_may_name_one(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(pythons, "3.13")
    monkeypatch.setenv(launch.CHOICE, "python3.12")
    with pytest.raises(SystemExit, match=r"MADANG_PYTHON=python3\.12 is no Python"):
        started(monkeypatch)
    named = have(pythons, "3.12")
    assert started(monkeypatch) == named
    have(pythons, "3.8")
    monkeypatch.setenv(launch.CHOICE, str(pythons / "python3.8"))
    with pytest.raises(SystemExit, match=r"older than 3\.11"):
        started(monkeypatch)


def test_an_old_one_looks_for_one_that_is_recent_enough(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = {"version_info": (3, 8, 1), "executable": "/usr/bin/python3", "argv": ["bin/up"], "exit": sys.exit}
    monkeypatch.setattr(launch, "sys", SimpleNamespace(**running))
    with pytest.raises(SystemExit, match="apt-get install python3"):
        started(monkeypatch, prefer=False)
    found = have(pythons, "3.14")
    assert started(monkeypatch, prefer=False) == started(monkeypatch) == found


def test_an_old_one_can_read_it() -> None:
    ast.parse(Path(launch.__file__).read_text(encoding="utf-8"), feature_version=(3, 4))


@pytest.mark.parametrize("step", ["python_packages", "images"])
def test_where_packages_cannot_be_had_the_other_one_goes_on(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise StepFailed("no wheel")

    class Replaced(BaseException):
        """The process is another program now."""

    def execute(path: str, arguments: list[str], env: dict[str, str]) -> None:
        raise Replaced(path, arguments[0], env[launch.CHOICE], launch.OTHERWISE in env)

    for name in ("python_packages", "images", "front_end", "translations", "database"):
        monkeypatch.setattr(setup, name, fail if name == step else lambda *arguments: None)
    monkeypatch.setattr(packages, "ensure_packages", lambda *arguments: None)
    monkeypatch.setattr(os, "execve", execute)
    console = Console(tmp_path / "log")
    monkeypatch.delenv(launch.OTHERWISE, raising=False)
    with pytest.raises(StepFailed):
        setup.set_up(console)
    monkeypatch.setenv(launch.OTHERWISE, "/usr/bin/python3")
    with pytest.raises(Replaced) as replaced:
        setup.set_up(console)
    assert replaced.value.args == ("/usr/bin/python3", "/usr/bin/python3", "/usr/bin/python3", False)
    assert "going on with /usr/bin/python3" in capsys.readouterr().out
