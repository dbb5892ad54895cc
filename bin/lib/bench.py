"""``bin/bench``: set up what is missing, then measure with the virtual environment's Python."""

from __future__ import annotations

import os
import sys

from bin.lib import setup
from bin.lib.console import Console, StepFailed
from bin.lib.layout import PYTHON, ROOT, state


def main() -> int:
    """Exit status 1 where the set-up failed; else this process goes on as the bench."""
    console = Console(state() / "log" / "setup.log")
    if not (PYTHON.exists() and {"-h", "--help"} & set(sys.argv)):
        try:
            setup.set_up(console, "requirements-dev.txt")
        except StepFailed as error:
            console.say(f"\n{error.tail.rstrip()}\n{console.bad_mark} {error.message}")
            return 1
    console.log.close()
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", "bench", *sys.argv[1:]])  # noqa: S606
    raise AssertionError("execv does not return")
