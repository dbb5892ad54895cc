"""Saved environments: the packages that somebody installed in a session, kept with the project by name.

An environment is a lock file of the project, ``.madang/environments/NAME.lock``, so whatever copies the project's
files, a fork among them, has it. ``.madang/environment`` names the one that sessions begin with: they install it in a
terminal that everybody sees.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

from channels.db import database_sync_to_async
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.files import Files
from portal.filling import DOWNLOADED
from portal.lockfiles import NoLock, Pinned, left_out, lock_text, pinned_of, read_lock
from portal.models import Project
from portal.room import disk_limit
from sandbox.images import images
from sessions.commands import run_command
from sessions.models import Session
from sessions.problems import Problem, invalid, not_found

FOLDER, CHOICE, CACHE = ".madang/environments", ".madang/environment", DOWNLOADED
TERMINAL = "packages"
"""The terminal in which a session installs its environment."""
MOST = 20
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?", re.ASCII)
_MOST_BYTES = 1 << 20
_SECONDS = 300.0  # pip starts twice, in a session that may have little of a processor


@dataclass(frozen=True)
class Saved:
    """``packages`` is None where the file is no lock file (any more)."""

    name: str
    changed: datetime
    packages: list[Pinned] | None
    chosen: bool

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.name}.lock"


def environments(project: Project) -> list[Saved]:
    """Those that the project has, by name."""
    with _files(project) as files:
        try:
            entries = files.list(FOLDER)
        except Problem:
            return []
        chosen = _chosen(files)
        names = [entry for entry in entries if entry.kind == "file" and entry.name.endswith(".lock")]
        return [
            Saved(name, entry.modified, _read(files, name), name == chosen)
            for entry in names
            if _NAME.fullmatch(name := entry.name.removesuffix(".lock"))
        ]


def choose(project: Project, name: str) -> None:
    """Let sessions begin with the environment ``name``, from the next one on; "" for none.

    Raises:
        Problem: there is none of that name, or it could not be written.
    """
    with _files(project) as files:
        if not name:
            _discard(files, CHOICE)
            return
        if not files.exists(_path(name)):
            raise not_found("environment")
        files.write(CHOICE, f"{name}\n".encode())


def remove(project: Project, name: str) -> None:
    """Forget an environment.

    Raises:
        Problem: 404, there is none of that name.
    """
    with _files(project) as files:
        files.remove(_path(name))
        if _chosen(files) == name:
            _discard(files, CHOICE)


def live_session(project: Project) -> Session | None:
    return Session.objects.live().filter(project=project.pk).first()


async def save_from_session(project: Project, name: str) -> tuple[Saved, list[str]]:
    """Save what the project's live session has as ``name``; and what cannot be had again from an index.

    Raises:
        Problem: no session runs, it has none, or they could not be kept.
    """
    _path(name)
    session = await database_sync_to_async(live_session)(project)
    if session is None:
        raise Problem(
            409,
            "no_session",
            _("No session runs"),
            _("Packages are saved from the project's session."),
            _("Open the project and install them."),
        )
    packages, others = await look(session)
    await database_sync_to_async(save)(project, name, session.image, packages)
    return Saved(name, timezone.now(), packages, True), others


async def look(session: Session) -> tuple[list[Pinned], list[str]]:
    """The packages that the user of a live session has installed, and what cannot be locked.

    Raises:
        Problem: the session could not say, or there are none.
    """
    image = images().get(session.image)
    own_root = image is not None and image.root is not None
    program = resources.files("portal.inside").joinpath("freeze.py").read_text(encoding="utf-8")
    command = ["python3", "-c", program, "--user"] if own_root else ["python", "-c", program, "--local"]
    done = await run_command(str(session.pk), command, "", "", _SECONDS, 4 << 20)
    try:
        told = json.loads(done.stdout)
        packages = pinned_of(told)
    except ValueError as error:  # NoLock is one
        slow = _("It took more than %d seconds.") % _SECONDS if done.cause == "time_limit" else ""
        why = slow or done.stderr.strip()[-300:] or str(error)
        raise Problem(409, "not_saved", _("The packages could not be listed"), why, _("Try again.")) from error
    if not packages:
        raise Problem(
            409,
            "nothing_installed",
            _("Nothing is installed"),
            _("Nobody has installed packages in this session that an index has."),
            _("Install some first: pip install …"),
        )
    return packages, left_out(told)


def save(project: Project, name: str, image: str, packages: list[Pinned]) -> None:
    """Keep ``packages`` as the environment ``name``, and have sessions begin with it.

    Raises:
        Problem: the name cannot be one, there are too many, or it could not be written.
    """
    path = _path(name)
    with _files(project) as files:
        for folder in (".madang", FOLDER):
            if not files.exists(folder):
                files.make_folder(folder)
        if not files.exists(path) and len(files.list(FOLDER)) >= MOST:
            raise Problem(409, "too_many", _("Too many environments"), _("A project has at most %d.") % MOST)
        heading = f"Saved from a session of {image}, {timezone.now():%Y-%m-%d}: pip install --require-hashes -r FILE"
        files.write(path, lock_text(packages, heading).encode())
        files.write(CHOICE, f"{name}\n".encode())


def setup_of(project: Project) -> tuple[str, str]:
    """The terminal and the shell command with which a session of the project begins, or nothing."""
    try:
        with _files(project) as files:
            name = _chosen(files)
            if not name or not files.exists(_path(name)):
                return "", ""
    except Problem:
        return "", ""
    image = images().get(project.image)
    python = "python3" if image is not None and image.root is not None else "python"
    options = f"--no-deps --require-hashes --disable-pip-version-check --no-input --cache-dir {CACHE}"
    return TERMINAL, f"{python} -m pip install {options} -r {shlex.quote(_path(name))}"


def _files(project: Project) -> Files:
    return Files(project.directory, disk_limit(project))


def _path(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise invalid(_("A name has small letters, digits, . _ and -, at most 40."))
    return f"{FOLDER}/{name}.lock"


def _chosen(files: Files) -> str:
    try:
        name = files.read(CHOICE, 100).decode("ascii", "replace").strip()
    except Problem:
        return ""
    return name if _NAME.fullmatch(name) else ""


def _read(files: Files, name: str) -> list[Pinned] | None:
    try:
        return read_lock(files.read(_path(name), _MOST_BYTES).decode())
    except (Problem, NoLock, UnicodeDecodeError):
        return None


def _discard(files: Files, path: str) -> None:
    try:
        files.remove(path)
    except Problem as problem:
        if problem.status != 404:
            raise
