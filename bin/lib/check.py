"""``bin/test``: every check of the project, or the named ones, and a table of how they ended."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bin.lib import packages, setup
from bin.lib.console import Console, StepFailed
from bin.lib.layout import state
from bin.lib.stages import MUST_WORK, ON_REQUEST, STAGES, Outcome, Run, run_stage

NEEDS_ENGINE = {"docker", "containers", "exhaustion"}
NEEDS_FRONT_END = {"jail", "docker", "e2e"}
NEEDS_IMAGES = NEEDS_FRONT_END | {"fast", "postgres"}


def main(arguments: list[str] | None = None) -> int:
    options, pytest_arguments = _parser().parse_known_args(arguments)
    os.environ.setdefault(MUST_WORK, "1" if os.environ.get("CI") else "0")
    console = Console(state() / "log" / "setup.log")
    names = options.stage or [name for name in STAGES if name not in ON_REQUEST]
    if unknown := [name for name in names if name not in STAGES]:
        console.say(f"There is no stage {', '.join(unknown)}; there are: {', '.join(STAGES)}")
        return 2
    try:
        if not options.no_setup:
            _set_up(console, names)
        return _run(console, names, pytest_arguments)
    except StepFailed as error:
        console.say(f"\n{error.tail.rstrip()}\n{console.bad_mark} {error.message}")
        return 1
    except KeyboardInterrupt:
        console.say("\nStopped.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description="Run every check of the project, or only the named stages.",
        epilog=f"Stages: {', '.join(STAGES)}. Unknown options go to pytest (bin/test fast -k ledger). "
        f"{MUST_WORK}=1, as in CI, lets no test be skipped.",
    )
    parser.add_argument("stage", nargs="*", help=f"a stage to run (default: all but {', '.join(sorted(ON_REQUEST))})")
    parser.add_argument("--no-setup", action="store_true", help="run at once, without looking what is missing")
    return parser


def _set_up(console: Console, names: list[str]) -> None:
    """Only what the chosen stages need."""
    console.say("Set-up")
    if set(names) & {"postgres", "docker", "e2e"}:
        packages.ensure_packages(console, packages.FOR_TESTS)
    if set(names) & NEEDS_ENGINE:
        packages.ensure_packages(console, packages.FOR_ENGINE)
    if set(names) & NEEDS_FRONT_END:
        packages.ensure_packages(console, packages.FOR_TERMINALS)
    setup.python_packages(console, "requirements-dev.txt")
    setup.translations(console)
    if set(names) & NEEDS_FRONT_END:
        setup.front_end(console)
    if set(names) & NEEDS_IMAGES:
        setup.images(console)


def _run(console: Console, names: list[str], pytest_arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="madang-reports-") as reports:
        run = Run(console, Path(reports), pytest_arguments)
        outcomes = [run_stage(STAGES[name], run) for name in names]
    _table(console, outcomes)
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def _table(console: Console, outcomes: list[Outcome]) -> None:
    console.say("\n── summary")
    for outcome in outcomes:
        mark = console.bad_mark if outcome.problem else console.done_mark
        tests = outcome.passed + outcome.failed + outcome.skipped
        counts = f"{outcome.passed} passed" if tests else ""
        counts += f", {outcome.skipped} skipped" if outcome.skipped else ""
        console.say(f"  {mark} {outcome.name:<10} {outcome.seconds:>7.1f} s  {outcome.problem or counts}")
    totals = {key: sum(getattr(outcome, key) for outcome in outcomes) for key in ("passed", "failed", "skipped")}
    if any(totals.values()):
        console.say("\n{passed} passed, {failed} failed, {skipped} skipped".format(**totals))


if __name__ == "__main__":
    sys.exit(main())
