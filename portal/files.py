"""Files of a project, read and written from outside its sandbox.

The code inside shares the folder and is hostile: it may put a link to ``/etc/shadow``, a
FIFO that never answers or a tree a million levels deep where a file is expected, and swap
one for the other while we look. So nothing here ever uses a whole path: every component is
opened beneath the descriptor of the folder before it, links are never followed, and what
was opened is asked (``fstat``) whether it is a regular file before a byte is read.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.utils.translation import gettext as _

from portal.room import has_room, room_of
from sandbox.room import Room
from sessions.problems import Problem

MAX_ENTRIES = 5000
BLOCK = 1024 * 1024
HIDDEN = ".~madang-"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking: opening a FIFO must not wait for its other end.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Entry:
    """One name in a folder. ``kind``: ``file``, ``directory``, ``link`` (never followed) or ``special``."""

    name: str
    kind: str
    size: int
    created: datetime
    modified: datetime
    writable: bool

    @classmethod
    def of(cls, name: str, status: os.stat_result) -> Entry:
        return cls(
            name=name,
            kind=_kind(status.st_mode),
            size=status.st_size,
            created=datetime.fromtimestamp(status.st_ctime, UTC),
            modified=datetime.fromtimestamp(status.st_mtime, UTC),
            writable=bool(status.st_mode & stat.S_IWUSR),
        )


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "special"


def split(path: str) -> list[str]:
    """The components of ``path``; [] is the project's folder itself.

    Raises:
        Problem: a component is one that may not be named (``..``, a NUL, too long).
    """
    parts = [part for part in path.split("/") if part]
    for part in parts:
        if part in {".", ".."} or "\0" in part or part.startswith(HIDDEN):
            raise Problem(400, "bad_path", _("Not a path"), _("A path may not hold “.”, “..” or a NUL."))
        try:
            size = len(part.encode())
        except UnicodeEncodeError as error:
            raise Problem(400, "bad_path", _("Not a path"), _("A name must be valid Unicode.")) from error
        if size > 255:
            raise Problem(400, "bad_path", _("Name too long"), _("A name may have at most 255 bytes."))
    return parts


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what the operating system refuses into a :class:`Problem` that speaks of ``path``."""
    try:
        yield
    except OSError as error:
        raise _problem(error.errno or 0, path) from error


def _problem(code: int, path: str) -> Problem:
    named = {"path": path}
    if code in {errno.ENOENT, errno.ENOTDIR}:
        return Problem(404, "not_found", _("No such file"), _("There is no “%(path)s” here.") % named)
    if code == errno.ELOOP:
        return not_a_file(path)
    if code in {errno.EEXIST, errno.ENOTEMPTY}:
        return Problem(409, "exists", _("The name is taken"), _("“%(path)s” exists already.") % named)
    if code in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Problem(
            403,
            "refused",
            _("Not allowed"),
            _("“%(path)s” is protected by its mode.") % named,
            _("Change it in the terminal: chmod u+rw FILE."),
        )
    if code in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return Problem(507, "disk_full", _("The disk is full"), _("“%(path)s” was not saved.") % named, _("Make room."))
    return Problem(400, "failed", _("That did not work"), f"{path}: {os.strerror(code)}.")


def not_a_file(path: str) -> Problem:
    return Problem(
        400,
        "not_a_file",
        _("Not a regular file"),
        _("“%(path)s” is a link or a special file. From outside the sandbox these are never followed.")
        % {"path": path},
        _("Open it in the terminal."),
    )


def too_large(path: str, limit: int) -> Problem:
    return Problem(
        413,
        "too_large",
        _("Too large"),
        _("“%(path)s” is larger than the %(limit)d MiB that may pass here.")
        % {"path": path, "limit": max(1, limit >> 20)},
        _("Work with it in the terminal, or split it."),
    )


class Files:
    """The files beneath one folder. Use as a context manager: it holds the folder's descriptor.

    Paths are relative and use ``/``. Every method raises :class:`Problem`. ``limit`` is the bytes that all
    files together may take; reading, removing and making files smaller goes on when it is reached.
    """

    def __init__(self, root: Path, limit: int | None = None) -> None:
        self._root, self._limit = root, limit
        self._fd = -1

    def __enter__(self) -> Files:
        with told(""):
            self._fd = os.open(self._root, _FOLDER)
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)

    def admit(self, path: str, more: int) -> None:
        """Refuse (507) to write ``more`` bytes for ``path`` where they are over the limit."""
        if self._limit is None or more <= 0:
            return
        status = os.fstat(self._fd)
        if not has_room(self._fd, (status.st_dev, status.st_ino), self._limit, more):
            raise _problem(errno.EDQUOT, path)

    def room(self, limit: int) -> Room:
        """What all of the project's files take, of the ``limit`` that it has."""
        status = os.fstat(self._fd)
        return room_of(self._fd, (status.st_dev, status.st_ino), limit)

    @contextmanager
    def folder(self, parts: list[str]) -> Iterator[int]:
        """A descriptor of the folder that ``parts`` lead to."""
        fd = os.dup(self._fd)
        try:
            with told("/".join(parts)):
                for part in parts:
                    below = os.open(part, _FOLDER, dir_fd=fd)
                    os.close(fd)
                    fd = below
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """The folder that holds ``path``, and its name in there."""
        parts = split(path)
        if not parts:
            raise Problem(400, "bad_path", _("Not a file"), _("This is the project's folder itself."))
        with self.folder(parts[:-1]) as fd:
            yield fd, parts[-1]

    def entry(self, path: str) -> Entry:
        """What ``path`` is, without following it."""
        parts = split(path)
        with self.folder(parts[:-1]) as fd, told(path):
            status = os.stat(parts[-1], dir_fd=fd, follow_symlinks=False) if parts else os.fstat(fd)
            return Entry.of(parts[-1] if parts else "", status)

    def exists(self, path: str) -> bool:
        try:
            self.entry(path)
        except Problem as problem:
            if problem.status == 404:
                return False
            raise
        return True

    def list(self, path: str) -> list[Entry]:
        """What a folder holds, by name: folders first; at most :data:`MAX_ENTRIES`."""
        found: list[Entry] = []
        with self.folder(split(path)) as fd, told(path), os.scandir(fd) as names:
            for item in names:
                if item.name.startswith(HIDDEN) or not _printable(item.name):
                    continue
                try:
                    found.append(Entry.of(item.name, item.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    continue  # gone since it was listed
                if len(found) >= MAX_ENTRIES:
                    break
        return sorted(found, key=lambda entry: (entry.kind != "directory", entry.name.casefold(), entry.name))

    @contextmanager
    def reading(self, path: str) -> Iterator[tuple[int, os.stat_result]]:
        """A descriptor to read a regular file from, and its state. Close nothing: leaving does."""
        with self.parent(path) as (parent, name), told(path):
            fd = os.open(name, _READ, dir_fd=parent)
            try:
                status = os.fstat(fd)
                if stat.S_ISDIR(status.st_mode):
                    raise Problem(400, "is_a_folder", _("A folder"), _("“%(path)s” is a folder.") % {"path": path})
                if not stat.S_ISREG(status.st_mode):
                    raise not_a_file(path)
                yield fd, status
            finally:
                os.close(fd)

    def read(self, path: str, limit: int) -> bytes:
        """A regular file's bytes, refused (413) where there are more than ``limit``."""
        with self.reading(path) as (fd, status):
            if status.st_size > limit:
                raise too_large(path, limit)
            blocks, size = [], 0
            while block := os.read(fd, BLOCK):
                size += len(block)
                if size > limit:  # it grew while we read
                    raise too_large(path, limit)
                blocks.append(block)
        return b"".join(blocks)

    def read_link(self, path: str) -> str:
        """Where a link says it leads. It is not followed."""
        with self.parent(path) as (parent, name), told(path):
            return os.readlink(name, dir_fd=parent)

    def write(self, path: str, data: bytes) -> bool:
        """Put ``data`` in place of the file at once, keeping its mode; True when the file is new."""
        with self.parent(path) as (parent, name), told(path):
            before = replaceable(parent, name, path)
            self.admit(path, len(data) - (before.st_size if before else -1))
            temporary = f"{HIDDEN}{secrets.token_hex(8)}"
            fd = os.open(temporary, _CREATE, 0o666, dir_fd=parent)
            try:
                try:
                    keep_mode(fd, before)
                    write_all(fd, data)
                    os.fsync(fd)
                finally:
                    os.close(fd)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                os.unlink(temporary, dir_fd=parent)
                raise
        return before is None

    def make_folder(self, path: str) -> None:
        with self.parent(path) as (parent, name), told(path):
            self.admit(path, 1)
            os.mkdir(name, 0o777, dir_fd=parent)

    def rename(self, path: str, target: str) -> None:
        """Move ``path`` within this project; refused (409) where ``target`` exists."""
        with self.parent(path) as (parent, name), self.parent(target) as (new_parent, new_name), told(target):
            if path != target and _status(new_parent, new_name) is not None:
                raise _problem(errno.EEXIST, target)
            os.rename(name, new_name, src_dir_fd=parent, dst_dir_fd=new_parent)

    def remove(self, path: str) -> None:
        """Remove a file, a link (not what it points to) or a folder with all it holds."""
        with self.parent(path) as (parent, name), told(path):
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                remove_tree(parent, name)
            else:
                os.unlink(name, dir_fd=parent)


def _printable(name: str) -> bool:
    """Names that are not UTF-8 cannot be said in JSON; the terminal shows them."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _status(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def replaceable(parent: int, name: str, path: str) -> os.stat_result | None:
    """The state of the regular file that a write would replace, None where nothing is.

    Raises:
        Problem: something else has that name.
    """
    status = _status(parent, name)
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise not_a_file(path)
    return status


def keep_mode(fd: int, before: os.stat_result | None) -> None:
    """Give what ``fd`` is the mode of what it replaces; what would run as somebody else is not kept."""
    if before is not None:
        os.fchmod(fd, stat.S_IMODE(before.st_mode) & 0o777)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view[:BLOCK]) :]


def remove_tree(parent: int, name: str) -> None:
    """Remove the folder ``name`` beneath the descriptor ``parent`` with all it holds.

    Folders inside are first moved up to ``parent``: however deep somebody made the tree, this
    needs few descriptors and no recursion. Raises OSError.
    """
    _unlock(parent, name)
    waiting = [name]
    while waiting:
        current = waiting.pop()
        fd = os.open(current, _FOLDER, dir_fd=parent)
        try:
            for below in os.listdir(fd):
                status = _status(fd, below)
                if status is None:
                    continue  # somebody else removed it
                if stat.S_ISDIR(status.st_mode):
                    _unlock(fd, below)
                    aside = f"{HIDDEN}{secrets.token_hex(8)}"
                    os.rename(below, aside, src_dir_fd=fd, dst_dir_fd=parent)
                    waiting.append(aside)
                else:
                    os.unlink(below, dir_fd=fd)
        finally:
            os.close(fd)
        os.rmdir(current, dir_fd=parent)


def _unlock(parent: int, name: str) -> None:
    """Make the folder ``name`` readable and writable for us: package caches like to forbid both."""
    fd = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{fd}", 0o700)  # names exactly what was opened, wherever it moved since
    finally:
        os.close(fd)
