"""How much room a project's files take, measured from outside while hostile code changes them.

Like all that touches a project from outside, this works beneath a folder's descriptor and follows no link;
one folder is open at a time, however deep somebody made the tree. What a file holds is what it takes on
the disk (``st_blocks``): a sparse file counts by its blocks, an inode with several names counts once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 512
_BYTES_PER_ENTRY = 16 * 1024
_FEWEST_ENTRIES = 20_000


@dataclass(frozen=True)
class Room:
    """``size`` in bytes; ``entries`` counts files, folders and links."""

    size: int = 0
    entries: int = 0

    def over(self, limit: int, more: int = 0) -> bool:
        """Whether it is over a disk limit of ``limit`` bytes, or would be with ``more``."""
        return self.size + more > limit or self.entries > most_entries(limit)


def most_entries(limit: int) -> int:
    """How many files, folders and links a project of ``limit`` bytes may have."""
    return max(_FEWEST_ENTRIES, limit // _BYTES_PER_ENTRY)


@dataclass
class _Level:
    """A folder that is being looked at, and those in it that are still to come."""

    identity: tuple[int, int]
    waiting: list[str] = field(default_factory=list)


class Look:
    """One look at all that is beneath ``folder`` (a descriptor, which stays the caller's).

    Iterating does the work in small steps, so that a caller with more to do can do it in between;
    afterwards ``room`` holds the result. It ends early once ``enough`` entries are counted.
    """

    def __init__(self, folder: int, enough: int = 1 << 62) -> None:
        self.room = Room()
        self._folder, self._enough = folder, enough
        self._device = os.fstat(folder).st_dev
        self._linked: set[int] = set()
        self._size = self._entries = 0

    def __iter__(self) -> Iterator[None]:
        fd = os.open(".", _FOLDER, dir_fd=self._folder)
        try:
            levels = [self._scan(fd)]
            while levels and self._entries < self._enough:
                if levels[-1].waiting:
                    below = self._enter(fd, levels[-1].waiting.pop())
                    if below is not None:
                        os.close(fd)
                        fd = below
                        levels.append(self._scan(fd))
                        yield
                    continue
                levels.pop()
                if levels:
                    above = os.open("..", _FOLDER, dir_fd=fd)
                    os.close(fd)
                    fd = above
                    if _identity(os.fstat(fd)) != levels[-1].identity:
                        break  # it was moved while we were in it: the next look sees it where it is
        finally:
            os.close(fd)
            self.room = Room(self._size, self._entries)

    def _scan(self, fd: int) -> _Level:
        level = _Level(_identity(os.fstat(fd)))
        try:
            with os.scandir(fd) as names:
                for entry in names:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue  # gone since it was listed
                    if self._count(status):
                        level.waiting.append(entry.name)
                    if self._entries >= self._enough:
                        break
        except OSError:
            pass  # removed while it was read: what it held is gone
        return level

    def _count(self, status: os.stat_result) -> bool:
        """Count an entry; whether it is a folder to look into."""
        self._entries += 1
        if status.st_dev != self._device:
            return False
        folder = stat.S_ISDIR(status.st_mode)
        if status.st_nlink > 1 and not folder:
            if status.st_ino in self._linked:
                return False
            self._linked.add(status.st_ino)
        self._size += status.st_blocks * _BLOCK
        return folder

    def _enter(self, fd: int, name: str) -> int | None:
        try:
            return os.open(name, _FOLDER, dir_fd=fd)
        except PermissionError:
            return _unlocked(fd, name)
        except OSError:
            return None  # no longer a folder


def measure(folder: int, enough: int = 1 << 62) -> Room:
    """The room that everything beneath the descriptor ``folder`` takes."""
    look = Look(folder, enough)
    for _ in look:
        continue
    return look.room


def _unlocked(fd: int, name: str) -> int | None:
    """A folder that forbids its owner to list it hides what it holds: make it readable and open it."""
    try:
        path = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    except OSError:
        return None
    try:
        os.chmod(f"/proc/self/fd/{path}", 0o700)  # exactly what was opened
        return os.open(".", _FOLDER, dir_fd=path)
    except OSError:
        return None
    finally:
        os.close(path)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
