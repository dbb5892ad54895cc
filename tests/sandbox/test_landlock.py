"""Landlock alone, without the mounts of a sandbox: in a plain child of this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.jail import landlock, linux
from tests.settings import ROOT

CHILD = """
import os, sys
from sandbox.jail import landlock, linux
linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
inside, outside = sys.argv[1:]
if os.environ.get("RESTRICT") == "1":
    landlock.restrict([inside])
def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
print(attempt(lambda: open(inside + "/made", "w").write("x")))
print(attempt(lambda: (os.mkdir(inside + "/folder"), os.rename(inside + "/made", inside + "/folder/made"))))
print(attempt(lambda: open(outside + "/made", "w")))
print(attempt(lambda: os.unlink(outside + "/kept")))
print(attempt(lambda: open(outside + "/kept").read()))
"""


@pytest.mark.skipif(linux.landlock_abi() < landlock.USABLE, reason="this kernel has no Landlock")
@pytest.mark.parametrize(("restrict", "outside_writes"), [("1", "PermissionError"), ("0", "done")])
def test_writing_is_for_the_listed_places(restrict: str, outside_writes: str, tmp_path: Path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("x")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(inside), str(outside)],
        cwd=ROOT,
        env={"RESTRICT": restrict, "PATH": ""},
        capture_output=True,
        text=True,
    )
    reading = "done" if restrict == "1" else "FileNotFoundError"
    assert done.stdout.split() == ["done", "done", outside_writes, outside_writes, reading], done.stderr
