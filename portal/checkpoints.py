"""One checkpoint per file: a copy a person can go back to, kept outside the project.

``<state>/checkpoints/<project>/<digest of the path>``; JupyterLab makes one at each save by hand.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from portal.files import BLOCK, Files, too_large
from portal.models import Project
from sessions.problems import Problem

NAME = "checkpoint"
LIMIT = 64 * 1024 * 1024


def _place(project: Project, path: str) -> Path:
    digest = hashlib.sha256(path.encode()).hexdigest()
    return Path(settings.MADANG_STATE) / "checkpoints" / str(project.pk) / digest


def checkpoint(project: Project, path: str) -> dict[str, Any] | None:
    """The checkpoint of ``path`` as Jupyter describes one, or None."""
    try:
        status = _place(project, path).stat()
    except FileNotFoundError:
        return None
    return {"id": NAME, "last_modified": datetime.fromtimestamp(status.st_mtime, UTC).isoformat()}


def make_checkpoint(project: Project, files: Files, path: str) -> dict[str, Any] | None:
    """Copy the file as it is now; the copy replaces the last one at once."""
    place = _place(project, path)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = place.with_name(f"{place.name}.{secrets.token_hex(8)}")
    with files.reading(path) as (source, status):
        if status.st_size > LIMIT:
            raise too_large(path, LIMIT)
        try:
            with temporary.open("xb") as copy:
                while (block := os.read(source, BLOCK)) and copy.tell() <= LIMIT:
                    copy.write(block)
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    return checkpoint(project, path)


def restore_checkpoint(project: Project, files: Files, path: str) -> None:
    """Put the copy back in the file's place.

    Raises:
        Problem: there is none.
    """
    try:
        data = _place(project, path).read_bytes()
    except FileNotFoundError as error:
        raise no_checkpoint(path) from error
    files.write(path, data)


def forget_checkpoint(project: Project, path: str) -> None:
    _place(project, path).unlink(missing_ok=True)


def move_checkpoint(project: Project, path: str, target: str) -> None:
    """A renamed file keeps its checkpoint."""
    place = _place(project, path)
    if place.exists():
        place.replace(_place(project, target))


def forget_project(project: Project) -> None:
    """Remove all checkpoints of a project that is removed for good."""
    folder = _place(project, "").parent
    if folder.exists():
        shutil.rmtree(folder)


def no_checkpoint(path: str) -> Problem:
    return Problem(404, "no_checkpoint", _("No checkpoint"), _("“%(path)s” has no checkpoint.") % {"path": path})
