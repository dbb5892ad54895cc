"""The checks of the project, in the order from quick to slow. ``bin/test`` runs them; ``bin/test NAME`` runs one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bin.lib import servers, setup
from bin.lib.console import Console, StepFailed
from bin.lib.engine import docker_engine
from bin.lib.layout import FRONTEND, PYTHON, ROOT, VENV
from sandbox.images import installed
from sandbox.jail.scope import delegated

MUST_WORK = "MADANG_MUST_WORK"
PYTEST_FOUND_NONE = 5
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")
"""For tests that share nothing but the processor."""
FILES_SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile")
"""For tests that share what their file sets up, and a machine that has to bear it: they wait more than they compute."""


@dataclass
class Outcome:
    """How a stage ended. Counts are of tests; a stage of plain checks has none."""

    name: str
    seconds: float = 0.0
    problem: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass
class Run:
    """What a stage needs to know: where reports go, and what to hand to pytest besides."""

    console: Console
    reports: Path
    pytest_arguments: list[str] = field(default_factory=list)


Stage = Callable[[Run, Outcome], None]


def lint(run: Run, outcome: Outcome) -> None:
    """Format and lint of what is Python."""
    check([program("ruff"), "format", "--check", "."])
    check([program("ruff"), "check", "."])


def types(run: Run, outcome: Outcome) -> None:
    """Types, of the packages and of the tools."""
    check([program("mypy"), *_packages(), "bin/lib", "tests"])


def imports(run: Run, outcome: Outcome) -> None:
    """Who may import whom."""
    check([program("lint-imports")])


def django(run: Run, outcome: Outcome) -> None:
    """Django's own checks, as for a public site, and no model without its migration."""
    env = dict(os.environ, DJANGO_SETTINGS_MODULE="portal.settings", MADANG_STATE=str(run.reports / "state"))
    check([str(PYTHON), "manage.py", "check", "--fail-level", "WARNING"], env)
    public = dict(env, MADANG_ORIGINS="https://madang.example.org", MADANG_HOSTS="madang.example.org")
    check([str(PYTHON), "manage.py", "check", "--deploy", "--fail-level", "ERROR"], public)
    check([str(PYTHON), "manage.py", "makemigrations", "--check", "--dry-run"], env)


def frontend(run: Run, outcome: Outcome) -> None:
    """The front end's own checks and tests."""
    env = setup.front_end_packages(run.console)
    check(["npm", "run", "check"], env, FRONTEND)
    check(["npm", "test"], env, FRONTEND)


def fast(run: Run, outcome: Outcome) -> None:
    """All tests that need neither a jail nor a browser nor another database."""
    pytest(run, outcome, "not jail and not e2e and not postgres", options=SIDE_BY_SIDE)


def postgres(run: Run, outcome: Outcome) -> None:
    """The tests of what keeps data or sends events, against PostgreSQL and Redis."""
    with servers.database_and_channels() as urls:
        tests = [f"tests/{name}" for name in ("portal", "sessions") if (ROOT / "tests" / name).is_dir()]
        pytest(run, outcome, "not jail and not e2e", tests, urls, options=SIDE_BY_SIDE)


def jail(run: Run, outcome: Outcome) -> None:
    """Real sandboxes on this machine."""
    pytest(run, outcome, "jail and not e2e and not docker", within=delegated, options=FILES_SIDE_BY_SIDE)


def docker(run: Run, outcome: Outcome) -> None:
    """Real sandboxes in containers of a Docker Engine that is started for it."""
    with docker_engine(run.console) as env:
        pytest(run, outcome, "docker and not slow", ["tests/sandbox", "tests/attacks", "tests/e2e"], env)


def containers(run: Run, outcome: Outcome) -> None:
    """Every language in its container, built and tried: half an hour, so only when it is asked for."""
    with docker_engine(run.console, [image.directory.name for image in installed().values()]) as env:
        pytest(run, outcome, "docker and slow", ["tests/sandbox"], env)


def exhaustion(run: Run, outcome: Outcome) -> None:
    """What uses up a machine, in containers: a quarter of an hour, so only when it is asked for."""
    with docker_engine(run.console) as env:
        pytest(run, outcome, "docker and slow", ["tests/attacks"], env)


def e2e(run: Run, outcome: Outcome) -> None:
    """A real browser on a real site."""
    pytest(run, outcome, "e2e and not docker")


STAGES: dict[str, Stage] = {
    stage.__name__: stage
    for stage in (lint, types, imports, django, frontend, fast, postgres, jail, docker, containers, exhaustion, e2e)
}
ON_REQUEST = {"containers", "exhaustion"}


def run_stage(stage: Stage, run: Run) -> Outcome:
    """Run one stage; whatever goes wrong in it is its outcome."""
    outcome = Outcome(stage.__name__)
    began = time.monotonic()
    title = (stage.__doc__ or "").strip().rstrip(".")
    run.console.say(f"\n── {outcome.name}: {title}")
    try:
        stage(run, outcome)
    except StepFailed as error:
        run.console.say(error.tail)
        outcome.problem = error.message
        run.console.say(f"{run.console.bad_mark} {error.message}")
    outcome.seconds = time.monotonic() - began
    return outcome


def program(name: str) -> str:
    """A tool of the virtual environment."""
    return str(VENV / "bin" / name)


def check(command: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a check, its output on the console.

    Raises:
        StepFailed: it found something.
    """
    status = _run(command, env, cwd)
    if status:
        raise StepFailed(f"{Path(command[0]).name} {' '.join(command[1:3])} ended with {status}")


def pytest(
    run: Run,
    outcome: Outcome,
    marks: str,
    paths: list[str] | None = None,
    env: dict[str, str] | None = None,
    within: Callable[[list[str]], list[str]] = list,
    options: tuple[str, ...] = (),
) -> None:
    """Run the tests with these marks, the command changed by ``within``, and count them into ``outcome``.

    Raises:
        StepFailed: one failed, or there was none.
    """
    report = run.reports / f"{outcome.name}.xml"
    command = [str(PYTHON), "-m", "pytest", "-q", "-m", marks, f"--junitxml={report}", *options, *(paths or [])]
    status = _run(within(command + run.pytest_arguments), {**os.environ, **(env or {})}, ROOT)
    _count(report, outcome)
    if status == PYTEST_FOUND_NONE:
        raise StepFailed(f"there are no tests with the marks: {marks}")
    if status:
        raise StepFailed(f"{outcome.failed} tests failed (pytest ended with {status})")
    if outcome.skipped and os.environ.get(MUST_WORK) == "1":
        raise StepFailed(f"{outcome.skipped} tests were skipped, and {MUST_WORK}=1 lets none be")


def _count(report: Path, outcome: Outcome) -> None:
    if not report.exists():
        return
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 - pytest wrote it
        number = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        outcome.failed += number["failures"] + number["errors"]
        outcome.skipped += number["skipped"]
        outcome.passed += number["tests"] - number["failures"] - number["errors"] - number["skipped"]


def _run(command: list[str], env: dict[str, str] | None, cwd: Path) -> int:
    with _interruptible(), subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL) as process:
        return process.wait()


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends us as Ctrl-C does, so that what was started is stopped."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _packages() -> list[str]:
    names = ("portal", "sessions", "sandbox", "classroom", "billing", "bench")
    return [name for name in names if any((ROOT / name).rglob("*.py"))]
