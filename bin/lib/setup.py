"""The steps of the set-up, in their order. Each looks first whether its work is done, so a second start is quick."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bin.lib import packages
from bin.lib.console import Console, StepFailed
from bin.lib.launch import CHOICE, OTHERWISE
from bin.lib.layout import (
    BUILD,
    FRONTEND,
    PYTHON,
    ROOT,
    VENV,
    digest,
    digest_files,
    is_fresh,
    is_root,
    state,
    write_stamp,
)

NODE_AT_LEAST = (20, 19)
IGNORED = {"node_modules", "dist", "coverage", ".vite", "test-results"}


def set_up(console: Console, requirements: str = "requirements.txt") -> None:
    """Do all that a checkout needs before it can run.

    Raises:
        StepFailed: something essential is missing; the message says what to do.
    """
    packages.ensure_packages(console, packages.FOR_TERMINALS)
    with _or_with_the_other_python(console):
        python_packages(console, requirements)
        images(console)
    front_end(console)
    translations(console)
    database(console)


@contextmanager
def _or_with_the_other_python(console: Console) -> Iterator[None]:
    """Where packages cannot be had for the Python that was preferred, start anew with the one we were started with."""
    other = os.environ.pop(OTHERWISE, "")
    try:
        yield
    except StepFailed:
        if not other:
            raise
        console.note(f"Not everything can be had for Python {platform.python_version()}: going on with {other}")
        os.execve(other, [other, *sys.argv], {**os.environ, CHOICE: other})  # noqa: S606


def python_packages(console: Console, requirements: str) -> None:
    """A virtual environment with the pinned packages of ``requirements``."""
    files = [ROOT / "requirements.txt", ROOT / requirements]
    stamp = digest([sys.version.encode(), *(file.read_bytes() for file in files)])
    name = f".madang-{requirements}"
    # What bin/test installs holds all that bin/up needs.
    if is_fresh(VENV, stamp, name) or (requirements == "requirements.txt" and _dev_is_fresh()):
        return
    with console.step("Python packages") as step:
        if not _has_pip():
            _need_venv(console)
            step.run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        step.run([*pip, "-r", str(ROOT / requirements)])
        write_stamp(VENV, stamp, name)


def _dev_is_fresh() -> bool:
    files = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
    stamp = digest([sys.version.encode(), *(file.read_bytes() for file in files)])
    return is_fresh(VENV, stamp, ".madang-requirements-dev.txt")


def _has_pip() -> bool:
    """Whether the environment is whole and of this Python: a killed set-up may have left half of one."""
    script = "import pip, sys; print(sys.version)"
    try:
        found = subprocess.run([str(PYTHON), "-c", script], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return found.returncode == 0 and found.stdout.strip() == sys.version


def _need_venv(console: Console) -> None:
    try:
        import ensurepip  # noqa: F401 - Debian ships it in a package of its own
    except ImportError:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if not is_root():
            raise StepFailed(
                f"This Python cannot make virtual environments. Install what is missing: sudo apt-get install {version}"
            ) from None
        console.note(f"Installing a Debian package: {version}, to make the virtual environment")
        packages.install(console, [version])


def front_end(console: Console) -> None:
    """The front end's build, as static files."""
    if not (FRONTEND / "package.json").exists():
        return
    built = digest_files(_frontend_sources())
    if is_fresh(BUILD, built):
        return
    env = front_end_packages(console)
    with console.step("Front end's build") as step:
        step.run(["npm", "run", "build"], env=env, cwd=FRONTEND)
        write_stamp(BUILD, built)


def front_end_packages(console: Console) -> dict[str, str]:
    """The front end's packages, as its lock file says; returns the environment in which ``npm`` works."""
    env = node_environment(console)
    manifest = digest_files([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    if not is_fresh(FRONTEND / "node_modules", manifest):
        with console.step("Front end's packages") as step:
            step.run(["npm", "ci", "--no-audit", "--no-fund"], env=env, cwd=FRONTEND)
            write_stamp(FRONTEND / "node_modules", manifest)
    return env


def _frontend_sources() -> list[Path]:
    found = []
    for folder, folders, files in os.walk(FRONTEND):
        folders[:] = [name for name in folders if name not in IGNORED]
        found += [Path(folder) / name for name in files]
    return found


def node_environment(console: Console) -> dict[str, str]:
    """The environment in which ``node`` and ``npm`` are recent enough: the machine's, else a wheel's in .venv."""
    env = dict(os.environ)
    if _node_version(env) >= NODE_AT_LEAST:
        return env
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    if _node_version(env) < NODE_AT_LEAST:
        with console.step("Node, from a Python wheel") as step:
            step.run([str(PYTHON), "-m", "pip", "install", "--no-input", "-r", str(ROOT / "requirements-node.txt")])
    return env


def _node_version(env: dict[str, str]) -> tuple[int, ...]:
    try:
        node = subprocess.run(["node", "--version"], env=env, capture_output=True, text=True, check=False)
        npm = subprocess.run(["npm", "--version"], env=env, capture_output=True, text=True, check=False)
    except OSError:
        return (0,)
    version = re.match(r"v(\d+)\.(\d+)", node.stdout)
    return tuple(map(int, version.groups())) if version and npm.returncode == 0 else (0,)


def translations(console: Console) -> None:
    """Compile what translators wrote, where it changed."""
    stale = [po for po in (ROOT / "locale").glob("*/LC_MESSAGES/*.po") if _is_stale(po)]
    if not stale:
        return
    with console.step("Translations") as step:
        for po in stale:
            pybabel = [str(PYTHON), "-m", "babel.messages.frontend", "compile"]
            step.run([*pybabel, "-i", str(po), "-o", str(po.with_suffix(".mo")), "-l", po.parent.parent.name])


def _is_stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime


def images(console: Console) -> None:
    """What the images of sandboxes need on this host."""
    install = [str(PYTHON), "-m", "sandbox.images.install", "--state", str(state())]
    if subprocess.run([*install, "--check"], cwd=ROOT, capture_output=True, check=False).returncode == 0:
        return
    with console.step("Images of sandboxes") as step:
        step.run(install, cwd=ROOT)


def database(console: Console) -> None:
    """The database's tables; what is due to be removed goes."""
    with console.step("Database") as step:
        step.run([str(PYTHON), "manage.py", "migrate", "--no-input", "-v", "1"], cwd=ROOT)
        step.run([str(PYTHON), "manage.py", "purge"], cwd=ROOT)


def doctor() -> None:
    """Stop where this host lacks what protects it from sandboxes.

    Raises:
        StepFailed: something essential is missing; the message is the doctor's findings of that.
    """
    found = subprocess.run([str(PYTHON), "manage.py", "doctor"], cwd=ROOT, capture_output=True, text=True, check=False)
    if not found.returncode:
        return
    by_hand = f"{PYTHON.relative_to(ROOT)} manage.py doctor"
    if findings := missing_of(found.stdout):
        raise StepFailed(f"This machine lacks something essential:\n\n{findings}\n\nAll findings: {by_hand}")
    raise StepFailed(f"{by_hand} failed", found.stdout + found.stderr)


def missing_of(report: str) -> str:
    """What the doctor calls missing, each with the command that mends it."""
    lines, kept = report.splitlines(), []
    for number, line in enumerate(lines):
        if line.startswith("  ✗"):
            kept.append(line)
            kept += [following for following in lines[number + 1 : number + 2] if "mend:" in following]
    return "\n".join(kept)
