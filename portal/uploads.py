"""Files that arrive in pieces, as JupyterLab sends large ones.

The pieces gather in one hidden file beside the target, whose name carries the target's
and the number of the last piece: ``.~madang-<digest>.<n>``. So any web process can take the next
piece, a piece out of order is noticed, and the target changes at once at the end.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time

from django.utils.translation import gettext as _

from portal.files import HIDDEN, Files, keep_mode, not_a_file, replaceable, told, too_large, write_all
from sessions.problems import Problem

FORGOTTEN_AFTER = 86400.0
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MORE = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def take_chunk(files: Files, path: str, chunk: int, data: bytes, limit: int) -> bool | None:
    """Take piece number ``chunk`` (1, 2, … and -1 for the last) of the file ``path``.

    Returns None until the last one is there, then whether the file is new.

    Raises:
        Problem: out of order, too large in all, or something that is no file has that name.
    """
    with files.parent(path) as (parent, name), told(path):
        before = replaceable(parent, name, path)
        files.admit(path, len(data))
        base = _base(name)
        if chunk == 1:
            _sweep(parent, base)
            held = f"{base}1"
            fd = os.open(held, _NEW, 0o666, dir_fd=parent)
        else:
            gathered = _latest(parent, base)
            if gathered is None or (chunk != -1 and gathered != chunk - 1):
                raise _out_of_order(path)
            held = f"{base}{gathered}"
            fd = os.open(held, _MORE, dir_fd=parent)
        try:
            _write(fd, before, data, path, limit)
        except BaseException:
            os.unlink(held, dir_fd=parent)
            raise
        os.rename(held, name if chunk == -1 else f"{base}{chunk}", src_dir_fd=parent, dst_dir_fd=parent)
        return before is None if chunk == -1 else None


def gathered(files: Files, path: str) -> tuple[int, int]:
    """The number of the last piece of ``path`` that is here, and the bytes up to there; (0, 0) where none is."""
    with files.parent(path) as (parent, name), told(path):
        base = _base(name)
        number = _latest(parent, base)
        if number is None:
            return 0, 0
        return number, os.stat(f"{base}{number}", dir_fd=parent, follow_symlinks=False).st_size


def _base(name: str) -> str:
    return f"{HIDDEN}{hashlib.sha256(name.encode()).hexdigest()[:24]}."


def _out_of_order(path: str) -> Problem:
    return Problem(
        409,
        "out_of_order",
        _("A piece is missing"),
        _("The pieces of “%(path)s” did not arrive in their order.") % {"path": path},
        _("Upload the file again."),
    )


def _write(fd: int, before: os.stat_result | None, data: bytes, path: str, limit: int) -> None:
    """Append a piece and close ``fd``."""
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise not_a_file(path)
        if status.st_size + len(data) > limit:
            raise too_large(path, limit)
        keep_mode(fd, before)
        write_all(fd, data)
    finally:
        os.close(fd)


def _latest(parent: int, base: str) -> int | None:
    numbers = [name.removeprefix(base) for name in os.listdir(parent) if name.startswith(base)]
    return max((int(number) for number in numbers if number.isdecimal()), default=None)


def _sweep(parent: int, base: str) -> None:
    """Forget an upload of the same file that was left, and old ones of any."""
    now = time.time()
    for name in os.listdir(parent):
        if not name.startswith(HIDDEN):
            continue
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode) and (name.startswith(base) or now - status.st_mtime > FORGOTTEN_AFTER):
            os.unlink(name, dir_fd=parent)
