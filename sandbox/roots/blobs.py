"""The parts of an archive by name, whether it is a folder or a tar of one."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from sandbox.roots import RootError
from sandbox.roots.manifest import MOST_BYTES
from sandbox.roots.paths import parts
from sandbox.roots.reading import Digested, Readable

_MOST_MEMBERS = 10_000  # of an archive of layers; one of files is read as a stream


class Blobs(Protocol):
    """Where parts are."""

    def has(self, name: str) -> bool: ...

    def open(self, name: str) -> AbstractContextManager[Readable]:
        """The part called ``name``.

        Raises:
            RootError: it is not there, or no file.
        """


class Folder:
    """A folder, such as ``skopeo copy ... oci:FOLDER`` makes. Links in it are not followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, name: str) -> bool:
        return (self._folder / name).is_file()

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise RootError(f"The archive's {name} is no file.")
                yield file
        except OSError as error:
            raise RootError(f"The archive's {name} cannot be read: {error.strerror}.") from error


class Tar:
    """A tar of such a folder, as ``docker save`` writes it, compressed or not."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        """``most`` bytes are looked at. Of an archive with many members the first are: it is none of layers."""
        self._members: dict[str, tarfile.TarInfo] = {}
        size = 0
        try:
            self._archive = tarfile.open(fileobj=file, mode="r:*", tarinfo=Member)  # noqa: SIM115 - its parts are read later
            for member in self._archive:
                self._members["/".join(parts(member.name))] = member
                size += member.size
                if size > most:
                    raise RootError(f"The archive holds more than {most:,} bytes.")
                if len(self._members) > _MOST_MEMBERS:
                    break
        except (tarfile.TarError, EOFError, OSError, OverflowError) as error:
            raise RootError(f"The archive is no tar: {error}.") from error

    def has(self, name: str) -> bool:
        member = self._members.get(name)
        return member is not None and member.isreg()

    @contextmanager
    def open(self, name: str) -> Iterator[Readable]:
        member = self._members.get(name)
        if member is not None and (member.issym() or member.islnk()):  # one layer twice: docker save links it
            above = parts(name)[:-1] if member.issym() else ()
            member = self._members.get(os.path.normpath("/".join([*above, member.linkname])))
        file = self._archive.extractfile(member) if member is not None and member.isreg() else None
        if file is None:
            raise RootError(f"The archive lacks a part that it speaks of: {name}.")
        with file:
            yield file


class Member(tarfile.TarInfo):
    """A member of a tar whose extended header must be of a size that names need: it is read into memory."""

    _EXTENDED = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, b"L", b"K")
    _MOST = 1 << 20

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in self._EXTENDED and self.size > self._MOST:
            raise RootError("The archive has a header that is too long.")
        return super()._proc_member(archive)  # type: ignore[misc]


def document(blobs: Blobs, name: str, digest: str = "") -> bytes:
    """The whole of a small part.

    Raises:
        RootError: it is not there, too large, or damaged.
    """
    with blobs.open(name) as source:
        reader = Digested(source, digest, MOST_BYTES, f"The archive's {name}")
        text = b"".join(iter(lambda: reader.read(1 << 16), b""))
        reader.finish()
    return text
