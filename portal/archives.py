"""Zip archives: files and folders as one, and one as a project. What comes in is hostile until it is a file of ours.

Sources: PKWARE's APPNOTE (4.4.15 external attributes); D. Fifield, "A better zip bomb" (USENIX WOOT 2019),
against which only counting what comes out helps.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Generator, Iterator
from io import RawIOBase
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from portal.files import BLOCK, Entry, Files, split
from portal.filling import Filling, blocks_of
from portal.walk import Found, Walk
from sessions.problems import Problem

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for gigabytes of memory
_UNIX = 3
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # of zip's own clock
_NAMES_LEFT_OUT = "MISSING.txt"


def unpack(archive: IO[bytes], filling: Filling) -> None:
    """Put what is in ``archive`` into ``filling``; a single folder at its top is taken off.

    Raises:
        Problem: it is no zip, or holds what may not be: paths that lead out, links, special or encrypted files,
            more than a project may have.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [(_path(info), info) for info in opened.infolist()]
            top = _common_top([path for path, info in members if not info.is_dir()])
            for path, info in members:
                if (within := path[len(top) :]) or not info.is_dir():
                    _take(opened, info, "/".join(within), filling)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise refused(_("This is no zip archive, or it is damaged.")) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise refused(_("A name is in it twice.")) from error


def refused(why: str) -> Problem:
    return Problem(
        422, "bad_archive", _("This archive is not taken"), why,
        _("Pack plain files and folders again, as .zip."),
    )  # fmt: skip


def _path(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """The components of a member's path.

    Raises:
        Problem: it is none that may come in.
    """
    name, mode = info.filename, info.external_attr >> 16
    shown = name[:80]
    if name.startswith(("/", "\\")) or "\\" in name or (len(name) > 1 and name[1] == ":"):
        raise refused(_("“%s” leads out of the archive.") % shown)
    try:
        parts = tuple(split(name))
    except Problem as problem:
        raise refused(_("“%s” leads out of the archive, or is no name.") % shown) from problem
    if not parts and not info.is_dir():
        raise refused(_("“%s” leads out of the archive, or is no name.") % shown)
    kind = stat.S_IFMT(mode) if info.create_system == _UNIX else 0
    if kind == stat.S_IFLNK:
        raise refused(_("“%s” is a link; an archive may hold none.") % shown)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refused(_("“%s” is a special file.") % shown)
    if info.flag_bits & 0x1:
        raise refused(_("“%s” is encrypted.") % shown)
    if info.compress_type not in _METHODS:
        raise refused(_("“%s” is packed in a way that is not read here.") % shown)
    return parts


def _common_top(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The one folder that everything is in, as archives of repositories have it; () where there is none."""
    tops = {path[:1] for path in paths}
    return tops.pop() if len(tops) == 1 and all(len(path) > 1 for path in paths) else ()


def _take(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, filling: Filling) -> None:
    if info.is_dir():
        filling.make_folder(path)
        return
    with opened.open(info) as member:
        executable = info.create_system == _UNIX and bool(info.external_attr >> 16 & 0o100)
        filling.write(path, iter(lambda: member.read(BLOCK), b""), executable)


def zipped(files: Files, paths: list[str]) -> Generator[bytes]:
    """The zip's bytes. Names are relative to the folder that each of ``paths`` is in; what is no regular file or
    cannot be read is left out, and then a file ``MISSING.txt`` names it. Closes ``files`` at its end."""
    missing: list[str] = []
    with files:
        sink = _Sink()
        with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=4) as archive:
            for path in paths:
                above = len(path.rpartition("/")[0])
                for found in _below(files, path, missing):
                    name = found.path[above:].lstrip("/")
                    try:
                        yield from _add(archive, sink, files, found, name)
                    except Problem:
                        missing.append(found.path)
            if missing:
                archive.writestr(_NAMES_LEFT_OUT, "\n".join([*missing, ""]))
        yield sink.take()


def _below(files: Files, path: str, missing: list[str]) -> Iterator[Found]:
    entry = files.entry(path)
    if path:
        yield Found(path, entry)
    if entry.kind != "directory":
        return
    walk = Walk(files, path, skip=frozenset())
    yield from walk
    if walk.more:
        missing.append(f"{path}/…")


def _add(archive: ZipFile, sink: _Sink, files: Files, found: Found, name: str) -> Iterator[bytes]:
    if found.entry.kind == "directory":
        archive.writestr(_info(f"{name}/", found.entry, stat.S_IFDIR | 0o755), b"")
        return
    with files.reading(found.path) as (source, status):
        info = _info(name, found.entry, stat.S_IFREG | (0o755 if status.st_mode & 0o100 else 0o644))
        with archive.open(info, "w", force_zip64=status.st_size >= 1 << 31) as target:
            for block in blocks_of(source, status.st_size):
                target.write(block)
                yield sink.take()


def _info(name: str, entry: Entry, mode: int) -> ZipInfo:
    info = ZipInfo(name, max(_EARLIEST, entry.modified.timetuple()[:6]))
    info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, _UNIX, mode << 16
    return info


class _Sink(RawIOBase):
    """What the zip writes, until it is taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
