"""Every file of a project, one after another, however hostile the tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from portal.files import Entry, Files
from sessions.problems import Problem

MOST_ENTRIES = 20_000
MOST_LEVELS = 64
# What tools make by the thousand and nobody looks for by name.
PASSED_OVER = frozenset({".git", ".hg", "node_modules", "__pycache__", ".venv", ".ipynb_checkpoints", ".mypy_cache"})


@dataclass(frozen=True)
class Found:
    """``path`` is relative to the project's folder."""

    path: str
    entry: Entry


class Walk:
    """What is in the folder ``path`` and below it, folders before what they hold.

    ``more`` becomes True where something was left out: entries beyond ``most``, or levels beyond
    :data:`MOST_LEVELS`. Links are found and not followed.
    """

    def __init__(
        self, files: Files, path: str = "", *, skip: frozenset[str] = PASSED_OVER, most: int = MOST_ENTRIES
    ) -> None:
        self.more = False
        self._files, self._start, self._skip, self._most = files, path, skip, most

    def __iter__(self) -> Iterator[Found]:
        waiting, count = [self._start], 0
        while waiting:
            folder = waiting.pop()
            below = []
            for entry in self._list(folder):
                if entry.kind == "directory" and entry.name in self._skip:
                    continue
                count += 1
                if count > self._most:
                    self.more = True
                    return
                path = f"{folder}/{entry.name}".lstrip("/")
                if entry.kind == "directory":
                    below.append(path)
                yield Found(path, entry)
            waiting.extend(reversed(below))

    def _list(self, folder: str) -> list[Entry]:
        if folder.count("/") >= MOST_LEVELS:
            self.more = True
            return []
        try:
            return self._files.list(folder)
        except Problem:
            if folder == self._start:
                raise
            return []  # removed or closed since it was found
