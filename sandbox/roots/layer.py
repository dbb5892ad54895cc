"""One layer of an image, a tar of changes, onto a root. See the image specification of the Open Container Initiative.

What is written beneath the root is there for sandboxes to read: owners, devices, sockets and extended attributes are
left out, and of a file's mode what gives it somebody's rights, or lets others write.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, cast

from sandbox.roots import Bounds, Echo, RootError
from sandbox.roots.blobs import Member
from sandbox.roots.paths import links_beneath, parts, resolve
from sandbox.roots.reading import DAMAGED, Readable

_WHITEOUT, _OPAQUE, _OTHERS = ".wh.", ".wh..wh..opq", ".wh..wh."
_MODE = 0o755
_CHUNK = 1 << 20
_TELL_EVERY = 5_000

Place = tuple[str, ...]
"""The parts of a path beneath the root."""


class Tree:
    """A root that layers are applied to. Nobody else may write beneath ``root`` meanwhile."""

    def __init__(self, root: Path, bounds: Bounds, echo: Echo) -> None:
        self._root, self._bounds, self._echo = str(root), bounds, echo
        self.size = self.entries = self.skipped = 0

    def apply(self, layer: Readable, whiteouts: bool = True) -> None:
        """Apply a layer, an uncompressed tar; without ``whiteouts`` names that ask for removal are ordinary ones.

        Raises:
            RootError: it makes no sense, or the image becomes larger than it may.
        """
        made: set[Place] = set()
        try:
            with tarfile.open(fileobj=cast(IO[bytes], layer), mode="r|", tarinfo=Member) as archive:
                for member in archive:
                    self._take(archive, member, made, whiteouts)
        except (tarfile.TarError, OverflowError) as error:
            raise RootError(f"A layer is no tar, or damaged: {error}.") from error
        except (OSError, ValueError, *DAMAGED) as error:
            raise RootError(f"A layer could not be unpacked: {error}.") from error

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo, made: set[Place], whiteouts: bool) -> None:
        wanted = parts(member.name)
        if not wanted:
            return  # the root itself
        if whiteouts and wanted[-1].startswith(_WHITEOUT):
            self._remove(wanted, made)
            return
        self._count(member.size if member.isreg() else 0)
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            self.skipped += 1
            return
        path = (*self._folder(wanted[:-1], made), wanted[-1])
        self._clear(path, keep_folder=member.isdir())
        self._make(archive, member, path)
        made.update(path[:length] for length in range(1, len(path) + 1))

    def _count(self, size: int) -> None:
        """One more, of ``size`` bytes."""
        self.entries += 1
        self.size += size
        if self.size > self._bounds.size or self.entries > self._bounds.entries or size < 0:
            raise RootError(
                f"The image holds more than {self._bounds.size:,} bytes or {self._bounds.entries:,} files and folders."
            )
        if self.entries % _TELL_EVERY == 0:
            self._echo(f"  {self.entries:,} files and folders, {self.size >> 20:,} MiB")

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Place) -> None:
        name = self._at(path)
        if member.isdir():
            os.makedirs(name, exist_ok=True)
            os.chmod(name, (member.mode & _MODE) | 0o700)
        elif member.issym():
            os.symlink(member.linkname, name)
        elif member.islnk():
            os.link(self._linked(member.linkname), name, follow_symlinks=False)
        else:
            self._write(archive, member, name)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        source = archive.extractfile(member)
        assert source is not None  # it is a file
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600), "wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
            os.fchmod(file.fileno(), (member.mode & _MODE) | 0o400)
        moment = max(0, int(member.mtime))
        os.utime(name, (moment, moment))  # compiled modules are trusted by their source's

    def _linked(self, linkname: str) -> str:
        """What a hard link names: a file or link of the image, found without following the last step."""
        wanted = parts(linkname)
        path = self._at((*self._folder(wanted[:-1], None), wanted[-1])) if wanted else self._root
        if (os.path.isdir(path) and not os.path.islink(path)) or not os.path.lexists(path):
            raise RootError(f"The archive links to what is no file of it: {linkname[:200]!r}.")
        return path

    def _folder(self, wanted: Place, made: set[Place] | None) -> Place:
        """The folder that ``wanted`` leads to, made if need be and ``made`` is given.

        Raises:
            RootError: something else is there.
        """
        path = resolve(wanted, links_beneath(self._root))
        if made is not None and path not in made and path:
            for length in range(1, len(path) + 1):
                if not os.path.lexists(self._at(path[:length])):
                    self._count(0)
                    os.mkdir(self._at(path[:length]), 0o755)
        name = self._at(path)
        if not os.path.isdir(name) or os.path.islink(name):
            raise RootError(f"The archive has a file beneath what is no folder: {'/'.join(wanted)[:200]!r}.")
        return path

    def _clear(self, path: Place, keep_folder: bool = False) -> None:
        name = self._at(path)
        if os.path.isdir(name) and not os.path.islink(name):
            if not keep_folder:
                shutil.rmtree(name)
        elif os.path.lexists(name):
            os.unlink(name)

    def _remove(self, wanted: Place, made: set[Place]) -> None:
        """Carry out a whiteout: what lower layers have goes, what this one has made stays."""
        try:
            folder = self._folder(wanted[:-1], None)
        except RootError:
            return  # nothing is there to be removed
        if wanted[-1] == _OPAQUE:
            self._clear_all(((*folder, name) for name in sorted(os.listdir(self._at(folder)))), made)
        elif not wanted[-1].startswith(_OTHERS):
            name = wanted[-1].removeprefix(_WHITEOUT)
            if name in ("", ".", ".."):
                raise RootError(f"The archive removes what cannot be: {'/'.join(wanted)[:200]!r}.")
            self._clear_all([(*folder, name)], made)

    def _clear_all(self, paths: Iterable[Place], made: set[Place]) -> None:
        for path in paths:
            if path not in made:
                self._clear(path)
            elif os.path.isdir(self._at(path)) and not os.path.islink(self._at(path)):
                self._clear_all(((*path, name) for name in sorted(os.listdir(self._at(path)))), made)

    def _at(self, path: Place) -> str:
        return "/".join([self._root, *path])
