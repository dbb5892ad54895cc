"""Debian's packages: what this machine lacks, installed as root, only told to anybody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bin.lib.console import Console, StepFailed
from bin.lib.layout import is_root


@dataclass(frozen=True)
class Package:
    """A package is missing when none of ``programs`` (names, or paths with ``*``) is there."""

    name: str
    programs: tuple[str, ...]
    why: str

    def is_missing(self) -> bool:
        return not any(_exists(program) for program in self.programs)


# What people expect in a terminal. Sandboxes see the host's programs, read-only.
FOR_TERMINALS = (
    Package("vim", ("vim",), "an editor in the terminal"),
    Package("less", ("less",), "pages long output"),
    Package("procps", ("top",), "top and ps"),
    Package("git", ("git",), "version control in the terminal"),
)
FOR_TESTS = (
    Package("postgresql", ("/usr/lib/postgresql/*/bin/postgres",), "the database tests"),
    Package("redis-server", ("redis-server",), "the channel layer tests"),
    Package("chromium", ("chromium",), "the browser tests"),
    Package("lua5.4", ("lua5.4",), "a language's kernel"),
    Package("node-typescript", ("tsc",), "a language's kernel"),
    Package("mmdebstrap", ("mmdebstrap",), "an image with a root of its own"),
    Package("fonts-noto-cjk", ("/usr/share/fonts/opentype/noto/NotoSansCJK*",), "Hangul in screenshots"),
)
FOR_ENGINE = (
    Package("docker.io", ("dockerd",), "the docker driver's tests"),
    Package("mmdebstrap", ("mmdebstrap",), "the base of its images"),
)
VENV_PACKAGE = Package("python3-venv", (), "virtual environments")


def ensure_packages(console: Console, wanted: Iterable[Package]) -> None:
    """Install what is missing where that is ours to do (root, apt); else say which command would.

    Nothing here is essential, so a failure is told and passed over.
    """
    missing = [package for package in wanted if package.is_missing()]
    if not missing or not shutil.which("apt-get"):
        return
    names = [package.name for package in missing]
    reasons = "; ".join(f"{package.name}: {package.why}" for package in missing)
    if not is_root():
        console.note(f"Nice to have, and missing here ({reasons}): sudo apt-get install {' '.join(names)}")
        return
    console.note(f"Installing Debian packages: {reasons}")
    try:
        install(console, names)
    except StepFailed as error:
        console.note(f"{error.message}; going on without {', '.join(names)}")


def install(console: Console, names: list[str]) -> None:
    """Install Debian packages by name.

    Raises:
        StepFailed: apt failed.
    """
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with console.step("Debian packages") as step:
        if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
            step.run(["apt-get", "update", "-q"], env=env)
        command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *names]
        try:
            step.run(command, env=env)
        except StepFailed:  # the lists may be older than the archive
            step.run(["apt-get", "update", "-q"], env=env)
            step.run(command, env=env)


def _exists(program: str) -> bool:
    if program.startswith("/"):
        found = Path(program)
        return any(Path("/").glob(str(found.relative_to("/"))))
    return shutil.which(program) is not None
