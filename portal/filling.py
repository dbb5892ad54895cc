"""Filling the folder of a project that nobody has yet: bounded like every project, whatever the source says.

Nobody else knows the folder while it is filled, so plain paths will do on this side; the source is hostile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import gettext as _

from portal.files import BLOCK, Files
from portal.walk import Walk
from sandbox.room import most_entries
from sessions.problems import Problem


class Filling:
    """A new project's ``folder``, which may take ``limit`` bytes. Every method raises Problem 507 beyond it."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self._left, self._entries_left = folder, limit, most_entries(limit)

    def make_folder(self, path: str) -> None:
        """Make ``path`` and what is missing above it. Raises FileExistsError where a file is in the way."""
        at = self.folder
        for part in Path(path).parts:
            at = at / part
            if not at.is_dir():
                self._count(0)
                at.mkdir(mode=0o777)

    def write(self, path: str, blocks: Iterable[bytes], executable: bool = False) -> None:
        """A new file of ``blocks``. Raises FileExistsError where something has that name."""
        self.make_folder(str(Path(path).parent))
        self._count(0)
        mode = 0o777 if executable else 0o666
        fd = os.open(self.folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            for block in blocks:
                self._count(len(block), entries=0)
                file.write(block)

    def link(self, path: str, target: str) -> None:
        """A link, as it is: whoever opens it inside follows it there, and nobody does from outside."""
        self._count(len(target.encode(errors="surrogateescape")))
        os.symlink(target, self.folder / path)

    def _count(self, size: int, entries: int = 1) -> None:
        self._left -= size
        self._entries_left -= entries
        if self._left < 0 or self._entries_left < 0:
            raise too_much()


def too_much() -> Problem:
    return Problem(
        507, "disk_full", _("Too much for a project"), _("The files take more room than a project may have here."),
        _("Leave out what can be made or fetched again, such as build folders and packages."),
    )  # fmt: skip


DOWNLOADED = ".madang/cache"
"""What pip has downloaded for a project's sessions: it can be had again."""


def copy_tree(source: Files, filling: Filling) -> None:
    """Copy all files of a project but what was :data:`DOWNLOADED`, with links as links and who may execute."""
    for found in Walk(source, skip=frozenset(), most=sys.maxsize):  # the filling is what bounds it
        if f"{found.path}/".startswith(f"{DOWNLOADED}/"):
            continue
        try:
            _copy(source, filling, found.path, found.entry.kind)
        except Problem as problem:
            if problem.status == 507:
                raise
            # it has gone or changed its kind since it was listed


def _copy(source: Files, filling: Filling, path: str, kind: str) -> None:
    if kind == "directory":
        filling.make_folder(path)
    elif kind == "link":
        filling.link(path, source.read_link(path))
    elif kind == "file":
        with source.reading(path) as (fd, status):
            filling.write(path, blocks_of(fd, status.st_size), bool(status.st_mode & 0o100))


def blocks_of(fd: int, size: int) -> Iterable[bytes]:
    """At most ``size`` bytes of a descriptor: a file that grows while it is read does not read for ever."""
    while size > 0 and (block := os.read(fd, min(BLOCK, size))):
        size -= len(block)
        yield block
