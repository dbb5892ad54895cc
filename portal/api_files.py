"""``/api/v1/projects/{id}/…``: what a workspace does with files beyond Jupyter's contents API."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from portal import replacing, trash, uploads
from portal.api_projects import project_with
from portal.archives import zipped
from portal.files import Files, split
from portal.models import Project
from portal.room import disk_limit
from portal.search import Query as Wanted
from portal.search import Search
from portal.steps import Steps
from portal.walk import Walk
from sandbox.room import most_entries
from sessions.problems import bad_request
from sessions.projects import Right

router = Router()
Path = Annotated[str, Field(min_length=1, max_length=4096)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Id = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


def _to_read(request: HttpRequest, id: UUID) -> Project:
    return project_with(request, id, Right.VIEW)


def _to_change(request: HttpRequest, id: UUID) -> Project:
    return project_with(request, id, Right.EDIT)


def _clean(path: str) -> str:
    cleaned = "/".join(split(path))
    if not cleaned:
        raise bad_request("This is the project's folder itself.")
    return cleaned


class RoomOut(Schema):
    """Bytes on the disk, and how many files and folders; each with the most that there may be."""

    size: int
    limit: int
    entries: int
    most_entries: int


@router.get("/{uuid:id}/room", response=RoomOut, summary="How much of its disk a project uses")
def room(request: HttpRequest, id: UUID) -> RoomOut:
    """As it was a moment ago: large projects are looked at more rarely."""
    project = _to_read(request, id)
    limit = disk_limit(project)
    with Files(project.directory) as files:
        now = files.room(limit)
    return RoomOut(size=now.size, limit=limit, entries=now.entries, most_entries=most_entries(limit))


class Names(Schema):
    paths: list[str]
    more: bool


@router.get("/{uuid:id}/names", response=Names, summary="The paths of all files")
def names(request: HttpRequest, id: UUID) -> Names:
    """Without what tools make by the thousand (``.git``, ``node_modules``, …); ``more`` where some are left out."""
    with Files(_to_read(request, id).directory) as files:
        walk = Walk(files)
        paths = [found.path for found in walk if found.entry.kind != "directory"]
        return Names(paths=paths, more=walk.more)


@router.get("/{uuid:id}/files.zip", summary="Files and folders as one zip")
def archive(request: HttpRequest, id: UUID, path: Annotated[list[Path], Query(max_length=200)]) -> HttpResponse:
    project = _to_read(request, id)
    paths = [_clean(one) for one in path]
    with Files(project.directory) as files:
        for one in paths:
            files.entry(one)
    name = paths[0].rpartition("/")[2] if len(paths) == 1 else project.name
    response = StreamingHttpResponse(Steps(zipped(Files(project.directory), paths)), content_type="application/zip")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}.zip"
    response["Cache-Control"] = "private, no-store"
    return response  # type: ignore[return-value]


class SearchIn(Schema):
    text: Text
    regex: bool = False
    case: bool = False
    word: bool = False
    replacement: Annotated[str, Field(max_length=1000)] | None = None
    only: Annotated[list[Text], Field(max_length=20)] = []

    def wanted(self) -> Wanted:
        return Wanted(self.text, self.regex, self.case, self.word, self.replacement, tuple(self.only))


@router.post("/{uuid:id}/search", summary="Search in files")
def search(request: HttpRequest, id: UUID, body: SearchIn) -> HttpResponse:
    """Lines of JSON as they are found: ``{"type": "file", "path", "modified", "matches": [{"line", "column", "before",
    "match", "after", "replaced"?}]}``, at last ``{"type": "end", "matches", "files", "passed_over", "more"}``."""
    project, wanted = _to_read(request, id), body.wanted()
    wanted.pattern()  # what is wrong with it is told before anything is sent
    response = StreamingHttpResponse(Steps(_found(project, wanted)), content_type="application/x-ndjson")
    response["Cache-Control"] = "private, no-store"
    return response  # type: ignore[return-value]


def _found(project: Project, wanted: Wanted) -> Generator[bytes]:
    with Files(project.directory) as files:
        for record in Search(files, wanted):
            yield json.dumps(record, ensure_ascii=False).encode() + b"\n"


class ReplaceIn(SearchIn):
    replacement: Annotated[str, Field(max_length=1000)]
    seen: Annotated[dict[Path, str], Field(max_length=replacing.MOST_FILES)]


class ReplaceOut(Schema):
    undo: str
    files: list[str]
    count: int
    refused: dict[str, str]


@router.post("/{uuid:id}/replace", response=ReplaceOut, summary="Replace in files")
def replace(request: HttpRequest, id: UUID, body: ReplaceIn) -> dict[str, object]:
    """In the files that ``seen`` names, each with its ``modified`` of the search: one that changed since is left alone
    and named in ``refused``. ``undo`` takes it back for 7 days."""
    project = _to_change(request, id)
    seen = {_clean(path): modified for path, modified in body.seen.items()}
    with Files(project.directory, disk_limit(project)) as files:
        return asdict(replacing.replace_in(project, files, body.wanted(), seen))


@router.post("/{uuid:id}/replace/{undo}/undo", response=ReplaceOut, summary="Undo a replacement")
def undo_replace(request: HttpRequest, id: UUID, undo: Id) -> dict[str, object]:
    project = _to_change(request, id)
    with Files(project.directory, disk_limit(project)) as files:
        return asdict(replacing.undo(project, files, undo))


class ThrownOut(Schema):
    id: str
    path: str
    kind: str
    size: int
    at: str
    until: str


class TrashIn(Schema):
    paths: Annotated[list[Path], Field(min_length=1, max_length=200)]


class BackOut(Schema):
    path: str


def _thrown(thrown: trash.Thrown) -> ThrownOut:
    return ThrownOut(**{**asdict(thrown), "until": thrown.until.isoformat()})


@router.get("/{uuid:id}/trash", response=list[ThrownOut], summary="What was deleted")
def list_trash(request: HttpRequest, id: UUID) -> list[ThrownOut]:
    """The latest first. It is kept for 7 days, and as long as all of it takes no more than the project may."""
    return [_thrown(thrown) for thrown in trash.listed(_to_read(request, id))]


@router.post("/{uuid:id}/trash", response=list[ThrownOut], summary="Delete files and folders")
def throw(request: HttpRequest, id: UUID, body: TrashIn) -> list[ThrownOut]:
    project = _to_change(request, id)
    limit = disk_limit(project)
    with Files(project.directory, limit) as files:
        paths = [_clean(path) for path in body.paths]
        for path in paths:
            files.entry(path)
        return [_thrown(trash.throw(project, files, path, limit)) for path in paths]


@router.post("/{uuid:id}/trash/{thrown}/restore", response=BackOut, summary="Have something back")
def restore(request: HttpRequest, id: UUID, thrown: Id) -> BackOut:
    """``path`` is where it is now: its old place, or beside it where that is taken."""
    project = _to_change(request, id)
    with Files(project.directory, disk_limit(project)) as files:
        return BackOut(path=trash.put_back(project, files, thrown))


@router.delete("/{uuid:id}/trash/{thrown}", response={204: None}, summary="Delete something for good")
def forget(request: HttpRequest, id: UUID, thrown: Id) -> HttpResponse:
    trash.forget(_to_change(request, id), thrown)
    return HttpResponse(status=204)


@router.delete("/{uuid:id}/trash", response={204: None}, summary="Empty the trash")
def empty(request: HttpRequest, id: UUID) -> HttpResponse:
    trash.forget_all(_to_change(request, id))
    return HttpResponse(status=204)


class UploadOut(Schema):
    pieces: int
    size: int


@router.get("/{uuid:id}/upload", response=UploadOut, summary="How far an upload has come")
def upload(request: HttpRequest, id: UUID, path: Path) -> UploadOut:
    """How many pieces of the file are there and their bytes in all; 0 where none is or it is done."""
    with Files(_to_change(request, id).directory) as files:
        pieces, size = uploads.gathered(files, _clean(path))
        return UploadOut(pieces=pieces, size=size)
