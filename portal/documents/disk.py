"""The file on disk as one more author of its document. Synchronous; safe in many processes at once.

Two things must never happen: that what a program wrote is overwritten unseen, and that what we wrote is taken
for a program's and merged a second time. So the row knows the file's digest and which updates it equals, a save
is announced in the row before it happens, and one process at a time does any of this (a lock of the kernel's,
let go of even by ``kill -9``).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from pycrdt import Doc

from portal.documents import kinds, log
from portal.documents.models import PATH_LENGTH, Document
from portal.files import Files, split
from portal.models import Project
from portal.room import disk_limit
from sessions.problems import Problem

Stamp = tuple[int, int, int] | None
"""What tells whether a file may have changed: inode, size and time; None where there is no file."""
LOOK_AGAIN: Stamp = (0, 0, 0)
_SETTLED_NS = 100_000_000
"""A file that was written so short a time ago may be written still: half of it is no version of it."""


@dataclass(frozen=True)
class Outcome:
    """What :func:`sync` found and did; ``merged`` says whether it appended to the log.

    ``unsettled``: somebody is just writing the file, and nothing was done.
    """

    path: str
    saved: int
    stamp: Stamp
    merged: bool = False
    problem: Problem | None = None
    unsettled: bool = False

    @property
    def gone(self) -> bool:
        return self.stamp is None and self.problem is None


def open_document(project: Project, path: str) -> Document:
    """The document of the file ``path``, made from it where it is opened for the first time.

    Raises:
        Problem: 404, there is no such file; 413 ``too_large``; 415 ``not_a_document``.
    """
    path = "/".join(split(path))
    kind = kinds.kind_of(path)
    if len(path) > PATH_LENGTH:
        raise _not_a_document(path)
    with _files(project) as files:
        entry = files.entry(path)
        found = Document.objects.select_related("project").filter(project=project, path=path).first()
        if found is not None and entry.kind == "file":
            return found
        data = files.read(path, kinds.MAX_BYTES[kind])
    doc: Doc[Any] = Doc()
    try:
        kinds.fill(doc, kind, data)
        newline = kinds.newline_of(kind, data)
    except kinds.NotADocument as error:
        raise _not_a_document(path) from error
    row = Document(project=project, path=path, kind=kind, newline=newline, digest=digest(data), saved=1)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            log.add(row, [log.Change(doc.get_update(), None, log.DISK)])
    except IntegrityError:
        return Document.objects.select_related("project").get(
            project=project, path=path
        )  # somebody else opened it at the same moment
    return row


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def stamp(project: Project, path: str) -> Stamp:
    """The file's stamp as it is now; None where no regular file is there."""
    try:
        with _files(project) as files, files.reading(path) as (_fd, status):
            return _stamp(status)
    except Problem:
        return None


def look(document: UUID) -> tuple[bool, Stamp]:
    """Whether the file is what the row says, so that no program has written it, and the file's stamp.

    Raises:
        log.Gone: the document was removed.
    """
    row = _row(document)
    try:
        with _files(row.project) as files:
            data, seen = _read(row, files)
    except Problem:
        return False, None
    return data is not None and _is_known(row, digest(data)), seen


def sync(document: UUID, state: Sequence[bytes], number: int, create: bool = False, patient: bool = False) -> Outcome:
    """Merge what a program wrote into the log, then write the document into the file where they differ.

    ``state`` are updates that make the document as it is with all up to ``number``. A file that is gone is made again
    only with ``create``; with ``patient`` one that was written just now is left for the next time.

    Raises:
        log.Gone: the document was removed.
    """
    with _lock(document):
        row = _row(document)
        try:
            with Files(row.project.directory, disk_limit(row.project)) as files:
                return _Sync(row, files, state, number).run(create, patient)
        except kinds.NotADocument:
            return Outcome(row.path, row.saved, LOOK_AGAIN, problem=_not_a_document(row.path))
        except Problem as problem:
            return Outcome(row.path, row.saved, LOOK_AGAIN, problem=problem)


class _Sync:
    """One round of :func:`sync`, under the lock."""

    def __init__(self, row: Document, files: Files, state: Sequence[bytes], number: int) -> None:
        self._row, self._files, self._state, self._number = row, files, state, number
        self._merged: int | None = None

    def run(self, create: bool, patient: bool) -> Outcome:
        row = self._row
        newer = log.since(row.pk, self._number)
        before, seen = _read(row, self._files)
        if before is None and not create:
            return Outcome(row.path, row.saved, None)
        found = None if before is None else digest(before)
        if found is not None and not newer and self._equal(found):
            return self._outcome(seen)
        self._doc = kinds.load(*self._state, *(data for _, data in newer))
        self._number = newer[-1][0] if newer else self._number
        if before is not None and found is not None:
            if patient and seen == LOOK_AGAIN and not _is_known(row, found):
                return Outcome(row.path, row.saved, LOOK_AGAIN, unsettled=True)
            self._recognise(before, found)
        made = kinds.render(self._doc, row.kind, row.newline, before or b"")
        if len(made) > kinds.MAX_BYTES[row.kind]:
            raise Problem(413, "too_large", _("Too large"), _("“%(path)s” is too large now.") % {"path": row.path})
        if made != before:
            self._announce(digest(made))
            if _read(row, self._files)[0] != before:
                return self._outcome(LOOK_AGAIN)  # a program wrote it just now
            self._files.write(row.path, made)
            seen = LOOK_AGAIN  # what a program writes from now on must not be taken for seen
        self._remember(digest(made))
        return self._outcome(seen)

    def _equal(self, now: str) -> bool:
        """Does the row say that the file of this digest is our document? Then neither needs to be read further."""
        row = self._row
        return (row.digest, row.saved, row.beyond, row.saving) == (now, self._number, [], None)

    def _recognise(self, data: bytes, now: str) -> None:
        """Is the file what the row says, a save of ours that was cut short, or written by a program?"""
        row = self._row
        if row.saving is not None and row.saving[0] == now:
            self._write_row(now, row.saving[1], row.saving[2])
        elif row.digest != now:
            self._take_in(data, now)

    def _take_in(self, data: bytes, now: str) -> None:
        """Make what a program wrote an update against the very state that it changed."""
        row = self._row
        bases = [(row.saved, row.beyond)]
        if row.saving is not None:  # nobody knows whether that save was done before the program wrote: the nearer one
            bases.append((row.saving[1], row.saving[2]))
        update, saved, beyond = min((self._against(data, *base) for base in bases), key=lambda found: len(found[0]))
        newline = kinds.newline_of(row.kind, data)

        def also(locked: Document) -> None:
            locked.digest, locked.saved, locked.beyond = now, saved, [*beyond, locked.number]
            locked.saving, locked.newline = None, newline
            locked.save(update_fields=["digest", "saved", "beyond", "saving", "newline"])
            row.beyond = locked.beyond

        (self._merged,) = log.append(row.pk, [log.Change(update, None, log.DISK)], also)
        self._doc.apply_update(update)
        row.digest, row.saved, row.saving, row.newline = now, saved, None, newline

    def _against(self, data: bytes, saved: int, beyond: list[int]) -> tuple[bytes, int, list[int]]:
        base = log.at(self._row.pk, saved, beyond)
        before = base.get_state()
        kinds.merge(base, self._row.kind, data)
        return base.get_update(before), saved, beyond

    def _held(self) -> tuple[int, list[int]]:
        """The updates that our document holds: all up to a number, and what was merged now."""
        if self._merged is None:
            return self._number, []
        return (self._merged, []) if self._merged == self._number + 1 else (self._number, [self._merged])

    def _announce(self, coming: str) -> None:
        self._row.saving = [coming, *self._held()]
        self._row.save(update_fields=["saving"])

    def _remember(self, now: str) -> None:
        row, (number, beyond) = self._row, self._held()
        if (row.digest, row.saved, row.beyond, row.saving) != (now, number, beyond, None):
            self._write_row(now, number, beyond)

    def _write_row(self, now: str, number: int, beyond: list[int]) -> None:
        row = self._row
        row.digest, row.saved, row.beyond, row.saving = now, number, beyond, None
        row.save(update_fields=["digest", "saved", "beyond", "saving"])

    def _outcome(self, seen: Stamp) -> Outcome:
        return Outcome(self._row.path, self._row.saved, seen, self._merged is not None)


def _row(document: UUID) -> Document:
    """The document's row, with its project.

    Raises:
        log.Gone: the document was removed.
    """
    row = Document.objects.select_related("project").filter(pk=document).first()
    if row is None:
        raise log.Gone
    return row


def _read(row: Document, files: Files) -> tuple[bytes | None, Stamp]:
    """The file, None where it is gone, and its stamp from before it was read."""
    try:
        with files.reading(row.path) as (_fd, status):
            seen = _stamp(status)
        return files.read(row.path, kinds.MAX_BYTES[row.kind]), seen
    except Problem as problem:
        if problem.status != 404:
            raise
        return None, None


def _is_known(row: Document, now: str) -> bool:
    """Whether we have written, or taken in, the file of this digest."""
    return now in (row.digest, *(row.saving or ())[:1])


def _stamp(status: os.stat_result) -> Stamp:
    if abs(time.time_ns() - status.st_mtime_ns) < _SETTLED_NS:
        return LOOK_AGAIN
    return status.st_ino, status.st_size, status.st_mtime_ns


def _files(project: Project) -> Files:
    return Files(project.directory)


def _locks() -> Path:
    return Path(settings.MADANG_STATE) / "run" / "documents"


def forget_locks(project: Project) -> None:
    """The project is removed for good."""
    for document in Document.objects.filter(project=project):
        (_locks() / str(document.pk)).unlink(missing_ok=True)


@contextmanager
def _lock(document: UUID) -> Iterator[None]:
    folder = _locks()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder / str(document), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def moving(project: Project, path: str, target: str) -> Iterator[None]:
    """Around the renaming of a file or a folder: its documents go with it, and none is saved meanwhile."""
    known = Document.objects.filter(project=project)
    here = [*known.filter(path=path), *known.filter(path__startswith=f"{path}/")]
    with ExitStack() as locks:
        for row in sorted(here, key=lambda row: row.pk):
            locks.enter_context(_lock(row.pk))
        yield
        with transaction.atomic():
            for row in here:
                new = target + row.path[len(path) :]
                known.filter(path=new).exclude(pk=row.pk).delete()
                known.filter(pk=row.pk).update(path=new)


def _not_a_document(path: str) -> Problem:
    return Problem(
        415,
        "not_a_document",
        _("Not a document"),
        _("“%(path)s” cannot be edited together: it is neither a notebook nor UTF-8 text whose lines all end alike.")
        % {"path": path},
        _("Open it plainly."),
    )
