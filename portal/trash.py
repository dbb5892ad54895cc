"""What people delete, kept outside the project for a while so that it can be had back.

``<state>/trash/<project>/<id>/`` holds ``note.json`` (what it was) and ``item`` (what it is). The note comes first
and the item last: an item without a note cannot be, and a note without an item is one that did not get that far.

A folder is not moved but made anew with the files moved into it: a program inside that stands in the old folder
would otherwise go on writing in the new place, beyond every limit.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from portal.files import Files, remove_tree, told
from portal.models import GRACE, Project
from portal.walk import MOST_LEVELS
from sandbox.room import measure, most_entries
from sessions.problems import Problem, not_found

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ITEM, _NOTE = "item", "note.json"


@dataclass(frozen=True)
class Thrown:
    """``path`` is where it was; ``size`` in bytes on the disk; ``at`` ISO 8601."""

    id: str
    path: str
    kind: str
    size: int
    entries: int
    at: str

    @property
    def until(self) -> datetime:
        """When it is removed for good."""
        return datetime.fromisoformat(self.at) + GRACE


def folder_of(project: Project) -> Path:
    return Path(settings.MADANG_STATE) / "trash" / str(project.pk)


def throw(project: Project, files: Files, path: str, limit: int) -> Thrown:
    """Put ``path`` into the trash. The oldest leave it where all of it would take more than ``limit`` bytes.

    Raises:
        Problem: there is no such thing, or it is too deep or has too many entries to be kept.
    """
    entry = files.entry(path)
    id = secrets.token_hex(8)
    place = folder_of(project) / id
    with files.parent(path) as (parent, name), told(path):
        size, entries = _measured(parent, name, path, limit) if entry.kind == "directory" else (entry.size, 1)
        thrown = Thrown(id, path, entry.kind, size, entries, datetime.now(UTC).isoformat())
        place.mkdir(parents=True, mode=0o700)
        write_note(place, asdict(thrown))
        with _opened(place) as target:
            _move(parent, name, target, _ITEM)
    _make_room(project, limit)
    return thrown


def listed(project: Project) -> list[Thrown]:
    """What is in the trash, the latest first."""
    found = [thrown for place in _places(project) if (thrown := _read(place))]
    return sorted(found, key=lambda thrown: thrown.at, reverse=True)


def find(project: Project, id: str) -> Thrown:
    """What has that id.

    Raises:
        Problem: nothing has.
    """
    thrown = next((one for one in listed(project) if one.id == id), None)
    if thrown is None:
        raise not_found("thing in the trash")
    return thrown


def put_back(project: Project, files: Files, id: str) -> str:
    """Put something back where it was, under a name of its own where that is taken; the path it has now.

    Raises:
        Problem: it is not there, or the project has no room for it.
    """
    thrown = find(project, id)
    files.admit(thrown.path, thrown.size)
    folder, _slash, name = thrown.path.rpartition("/")
    _make_folders(files, folder)
    path = _free(files, folder, name)
    place = folder_of(project) / id
    with files.parent(path) as (parent, free), told(path), _opened(place) as source:
        os.rename(_ITEM, free, src_dir_fd=source, dst_dir_fd=parent)
    shutil.rmtree(place)
    return path


def forget(project: Project, id: str) -> None:
    """Remove something for good.

    Raises:
        Problem: it is not there.
    """
    find(project, id)
    _remove(folder_of(project) / id)


def forget_all(project: Project) -> None:
    for place in _places(project):
        _remove(place)


def forget_expired() -> int:
    """Remove for good what has been in any trash for :data:`GRACE`; how many that were."""
    count = 0
    trash = Path(settings.MADANG_STATE) / "trash"
    for place in trash.glob("*/*"):
        if datetime.now(UTC) - datetime.fromtimestamp(place.stat().st_mtime, UTC) > GRACE + timedelta(minutes=1):
            _remove(place)
            count += 1
    return count


def write_note(place: Path, note: object) -> None:
    (place / _NOTE).write_text(json.dumps(note), encoding="utf-8")


def _read(place: Path) -> Thrown | None:
    try:
        note = json.loads((place / _NOTE).read_text(encoding="utf-8"))
        os.lstat(place / _ITEM)
        return Thrown(**note)
    except (OSError, ValueError, TypeError):
        return None  # it did not get that far, or is another kind of note


def _places(project: Project) -> list[Path]:
    try:
        return list(folder_of(project).iterdir())
    except FileNotFoundError:
        return []


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    fd = os.open(folder, _FOLDER)
    try:
        yield fd
    finally:
        os.close(fd)


def _measured(parent: int, name: str, path: str, limit: int) -> tuple[int, int]:
    fd = os.open(name, _FOLDER, dir_fd=parent)
    try:
        most = most_entries(limit)
        room = measure(fd, most + 1)
    finally:
        os.close(fd)
    if room.entries > most:
        raise _too_much(path)
    return room.size, room.entries + 1


def _too_much(path: str) -> Problem:
    return Problem(
        400,
        "too_much",
        _("Too much to keep"),
        _("“%(path)s” is too deep or holds too many files for the trash.") % {"path": path},
        _("Remove it in the terminal: rm -r FOLDER."),
    )


def _move(source: int, name: str, target: int, new_name: str, level: int = 0) -> None:
    """Move ``name``; at each moment each file is in one of the two places."""
    status = os.stat(name, dir_fd=source, follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode):
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
        return
    if level > MOST_LEVELS:
        raise _too_much(name)
    os.mkdir(new_name, 0o777, dir_fd=target)
    old = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
    os.chmod(f"/proc/self/fd/{old}", 0o700)  # it may forbid its owner to list it
    os.close(old)
    old, new = os.open(name, _FOLDER, dir_fd=source), os.open(new_name, _FOLDER, dir_fd=target)
    try:
        for below in os.listdir(old):
            _move(old, below, new, below, level + 1)
    finally:
        os.close(old)
        os.close(new)
    os.rmdir(name, dir_fd=source)


def _make_room(project: Project, limit: int) -> None:
    size = entries = 0
    for thrown in listed(project):
        size, entries = size + thrown.size, entries + thrown.entries
        if (size > limit or entries > most_entries(limit)) and size > thrown.size:
            _remove(folder_of(project) / thrown.id)


def _remove(place: Path) -> None:
    with _opened(place.parent) as parent:
        remove_tree(parent, place.name)


def _make_folders(files: Files, folder: str) -> None:
    parts = folder.split("/") if folder else []
    for end in range(1, len(parts) + 1):
        path = "/".join(parts[:end])
        if not files.exists(path):
            files.make_folder(path)


def _free(files: Files, folder: str, name: str) -> str:
    stem, dot, ending = name.rpartition(".") if "." in name[1:] else (name, "", "")
    for number in range(1, 1000):
        path = f"{folder}/{stem}{'' if number == 1 else f' ({number})'}{dot}{ending}".lstrip("/")
        if not files.exists(path):
            return path
    raise Problem(409, "exists", _("The name is taken"), _("“%(path)s” exists already.") % {"path": name})
