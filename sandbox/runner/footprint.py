"""What a sandbox's programs may have left where they can write, and its removal."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST = 4000
"""Files and folders: to remove more takes longer than a new sandbox."""
_IPC = ("shm", "sem", "msg")
_Identity = tuple[int, ...]


class Footprint:
    """What lies in ``folders`` now, to which :meth:`restore` goes back."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = [folder for folder in folders if os.path.isdir(folder)]
        self._before = dict(self._all())
        self._kept = _kept_by_the_kernel()

    def restore(self) -> bool:
        """Remove all that was added; whether everything is as it was.

        False where something that was there before is gone or changed, where there is too much to remove, or where the
        kernel keeps something more, or less, for programs that have ended (System V's shared memory, semaphores and
        queues).
        """
        left = dict(self._before)
        try:
            return self._look(left) and not left and _kept_by_the_kernel() == self._kept
        except (OSError, RecursionError):
            return False

    def _look(self, left: dict[str, _Identity]) -> bool:
        """Take what is as it was out of ``left``, and remove what was added; False where something is changed."""
        room = MOST
        for folder in self._folders:
            if left.pop(folder, None) != _identity(folder):
                return False
            room = self._look_below(folder, left, room)
        return room > 0

    def _look_below(self, folder: str, left: dict[str, _Identity], room: int) -> int:
        """How much of ``room`` is left, nothing where something is changed."""
        for entry in list(os.scandir(folder)):
            if entry.path not in self._before:
                room = _remove(entry.path, room)
            elif left.pop(entry.path, None) != _identity(entry.path):
                return 0
            elif _is_folder_of(folder, entry):
                room = self._look_below(entry.path, left, room)
            if room <= 0:
                return 0
        return room

    def _all(self) -> Iterator[tuple[str, _Identity]]:
        for folder in self._folders:
            yield folder, _identity(folder)
            yield from _below(folder)


def _below(folder: str) -> Iterator[tuple[str, _Identity]]:
    for entry in os.scandir(folder):
        yield entry.path, _identity(entry.path)
        if _is_folder_of(folder, entry):
            yield from _below(entry.path)


def _is_folder_of(folder: str, entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, and of the same file system: what is mounted there nobody inside can write to."""
    return entry.is_dir(follow_symlinks=False) and os.lstat(entry.path).st_dev == os.lstat(folder).st_dev


def _identity(path: str) -> _Identity:
    """What changes with any change to it but, of a folder, to what is in it."""
    status = os.lstat(path)
    if stat.S_ISDIR(status.st_mode):
        return status.st_ino, status.st_mode
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _remove(path: str, room: int) -> int:
    """Remove ``path`` and all below; returns how much of ``room`` is left, nothing where it was too little."""
    if room <= 0:
        return 0
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return room - 1
    os.chmod(path, 0o700)
    for name in os.listdir(path):
        room = _remove(os.path.join(path, name), room)
        if room <= 0:
            return 0
    os.rmdir(path)
    return room - 1


def _kept_by_the_kernel() -> list[tuple[str, str]]:
    """The kind and identifier of each System V object in this IPC namespace (proc_sysvipc(5))."""
    tables = ((kind, Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]) for kind in _IPC)
    return [(kind, line.split()[1]) for kind, lines in tables for line in lines]
