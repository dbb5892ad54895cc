"""Jupyter's contents API: the user's projects as folders, and the files in them.

``/jupyter/api/contents/<slug>/a/b.py`` is ``a/b.py`` of the project with that slug; the list of
the top is the list of projects. What the messages mean is Jupyter's; how files are touched is in
``portal/files.py``.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal import checkpoints
from portal.contents_models import decode, entry_model, file_model, folder_model, project_model
from portal.directory import find_by_slug
from portal.documents.disk import moving
from portal.files import Files, split
from portal.models import Project
from portal.roles import require, role_of
from portal.room import disk_limit
from portal.uploads import take_chunk
from sessions.problems import Problem, bad_request, not_signed_in
from sessions.projects import Right

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
KINDS = {"file", "notebook", "directory"}


@dataclass(frozen=True)
class Place:
    """A path of this API, taken apart: the project, its name for this user, and the path within it.

    The path is "" for the project's folder.
    """

    project: Project
    name: str
    path: str
    writable: bool = True

    @property
    def full(self) -> str:
        return f"{self.name}/{self.path}".rstrip("/")

    def files(self) -> AbstractContextManager[Files]:
        return Files(self.project.directory, disk_limit(self.project))


@require_http_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
def contents(request: HttpRequest, path: str = "") -> HttpResponse:
    """``/jupyter/api/contents[/path]``."""
    if not request.user.is_authenticated:
        raise not_signed_in()
    path = "/".join(split(path))
    if request.method == "GET":
        return _get(request, path)
    if not path:
        raise _projects_elsewhere()
    place = find_place(request, path, Right.EDIT)
    if not place.path and request.method != "POST":
        raise _projects_elsewhere()
    actions = {"POST": _post, "PUT": _put, "PATCH": _patch, "DELETE": _delete}
    return actions[str(request.method)](request, place)


def find_place(request: HttpRequest, path: str, right: Right) -> Place:
    """The project that ``path`` starts with, on which the asking user has ``right``.

    Raises:
        Problem: they have no such project (404), or their role in it is not enough (403).
    """
    slug, _slash, rest = path.partition("/")
    project = find_by_slug(request.user, slug)
    if project is None:
        raise Problem(
            404,
            "no_project",
            _("No such project"),
            _("You have no project “%(slug)s”.") % {"slug": slug},
            _("Your projects are the folders at the top; new ones are made on the dashboard."),
        )
    require(request.user, project, right)
    role = role_of(request.user, project)
    return Place(project, project.name_for(request.user), rest, role is not None and role.can_edit)


def _projects_elsewhere() -> Problem:
    return Problem(
        403,
        "projects_elsewhere",
        _("Not here"),
        _("Projects are made, renamed and deleted on the dashboard or through /api/v1/projects."),
    )


def _get(request: HttpRequest, path: str) -> HttpResponse:
    content = request.GET.get("content", "1") != "0"
    wanted, format = request.GET.get("type"), request.GET.get("format")
    if wanted not in {None, "", *KINDS} or format not in {None, "", "text", "base64", "json"}:
        raise bad_request(_("“type” is file, directory or notebook; “format” is text, base64 or json."))
    if not path:
        projects = list(Project.objects.of(request.user).order_by("slug")) if content else []
        return JsonResponse(
            folder_model(
                "", None, [project_model(project.name_for(request.user), project) for project in projects], content
            )
        )
    place = find_place(request, path, Right.VIEW)
    with place.files() as files:
        entry = files.entry(place.path)
        if entry.kind == "directory":
            if wanted in {"file", "notebook"}:
                raise Problem(400, "is_a_folder", _("A folder"), _("“%(path)s” is a folder.") % {"path": path})
            below = [entry_model(f"{place.full}/{e.name}", e) for e in files.list(place.path)] if content else []
            return JsonResponse(as_allowed(place, folder_model(place.full, entry, below, content)))
        if wanted == "directory":
            raise Problem(400, "not_a_folder", _("Not a folder"), _("“%(path)s” is not a folder.") % {"path": path})
        return JsonResponse(
            as_allowed(place, file_model(files, place.path, place.full, entry, wanted, format, content))
        )


def as_allowed(place: Place, model: dict[str, Any]) -> dict[str, Any]:
    """``model`` with nothing writable in it for those who may only look: clients then offer no editing."""
    if not place.writable:
        model["writable"] = False
        if model["type"] == "directory":
            for below in model["content"] or ():
                below["writable"] = False
    return model


def _post(request: HttpRequest, place: Place) -> HttpResponse:
    """A new untitled file, notebook or folder in the folder ``place``, or a copy of a file."""
    body = read_json(request)
    with place.files() as files:
        if (source := body.get("copy_from")) is not None:
            origin = find_place(request, "/".join(split(_text(source, "copy_from"))), Right.VIEW)
            with origin.files() as others:
                data = others.read(origin.path, settings.MADANG_UPLOAD_LIMIT)
            path = free_name(files, place.path, origin.path.rpartition("/")[2], "-Copy")
            files.write(path, data)
        else:
            path = _new_untitled(files, place, body)
        return _described(files, place, path, created=True)


def _new_untitled(files: Files, place: Place, body: dict[str, Any]) -> str:
    kind = body.get("type") or "file"
    ending = _text(body.get("ext") or "", "ext")
    if kind == "directory":
        path = free_name(files, place.path, "Untitled Folder", " ")
        files.make_folder(path)
    elif kind == "notebook" or ending == ".ipynb":
        path = free_name(files, place.path, "Untitled.ipynb", "")
        files.write(path, json.dumps(NOTEBOOK).encode())
    elif kind == "file":
        path = free_name(files, place.path, f"untitled{ending}", "")
        files.write(path, b"")
    else:
        raise bad_request(_("“type” is file, directory or notebook."))
    return path


def free_name(files: Files, folder: str, name: str, before_number: str) -> str:
    """A path in ``folder`` that nothing has yet: ``name``, else ``name`` with a number before its ending."""
    stem, dot, ending = name.partition(".") if not name.startswith(".") else (name, "", "")
    taken = {entry.name for entry in files.list(folder)}
    numbers = [""] if before_number != "-Copy" else []
    for suffix in [*numbers, *(f"{before_number}{n}" for n in range(1, 10000))]:
        candidate = f"{stem}{suffix}{dot}{ending}"
        if candidate not in taken:
            return f"{folder}/{candidate}".lstrip("/")
    raise Problem(409, "exists", _("The name is taken"), _("There are too many files called like “%s”.") % name)


def _put(request: HttpRequest, place: Place) -> HttpResponse:
    """Save a whole file, or take one piece (``chunk``) of a large one; or make a folder."""
    body = read_json(request)
    with place.files() as files:
        if body.get("type") == "directory":
            created = not files.exists(place.path)
            if created:
                files.make_folder(place.path)
            elif files.entry(place.path).kind != "directory":
                raise Problem(409, "exists", _("The name is taken"), _("A file has that name."))
            return _described(files, place, place.path, created)
        if "content" not in body:
            return _post_at(files, place, body)
        data = decode(body, place.full)
        if len(data) > settings.MADANG_UPLOAD_LIMIT:
            raise upload_too_large()
        chunk = body.get("chunk")
        if chunk is None:
            return _described(files, place, place.path, files.write(place.path, data))
        if type(chunk) is not int or (chunk != -1 and chunk < 1):
            raise bad_request(_("“chunk” is 1, 2, 3 and so on, and -1 for the last piece."))
        created_now = take_chunk(files, place.path, chunk, data, settings.MADANG_UPLOAD_LIMIT)
        if created_now is None:
            return JsonResponse({"name": place.path.rpartition("/")[2], "path": place.full, "type": "file"})
        return _described(files, place, place.path, created_now)


def _post_at(files: Files, place: Place, body: dict[str, Any]) -> HttpResponse:
    """A new empty file at a chosen path: Jupyter's PUT without content."""
    if files.exists(place.path):
        raise bad_request(_("A file of that name exists; send its new content."))
    notebook = body.get("type") == "notebook" or place.path.endswith(".ipynb")
    created = files.write(place.path, json.dumps(NOTEBOOK).encode() if notebook else b"")
    return _described(files, place, place.path, created)


def _patch(request: HttpRequest, place: Place) -> HttpResponse:
    """Rename or move, within one project."""
    target = find_place(request, "/".join(split(_text(read_json(request).get("path"), "path"))), Right.EDIT)
    if target.project.pk != place.project.pk:
        raise bad_request(_("Files move within one project."), _("Copy the file, then delete the old one."))
    if not target.path:
        raise _projects_elsewhere()
    with place.files() as files:
        with moving(place.project, place.path, target.path):
            files.rename(place.path, target.path)
        checkpoints.move_checkpoint(place.project, place.path, target.path)
        return _described(files, target, target.path, created=False)


def _delete(request: HttpRequest, place: Place) -> HttpResponse:
    with place.files() as files:
        files.remove(place.path)
    checkpoints.forget_checkpoint(place.project, place.path)
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
def all_checkpoints(request: HttpRequest, path: str) -> HttpResponse:
    """``/jupyter/api/contents/<path>/checkpoints``."""
    place = _checkpoint_place(request, path)
    if request.method == "GET":
        found = checkpoints.checkpoint(place.project, place.path)
        return JsonResponse([found] if found else [], safe=False)
    with place.files() as files:
        return JsonResponse(checkpoints.make_checkpoint(place.project, files, place.path), status=201)


@require_http_methods(["POST", "DELETE"])
def one_checkpoint(request: HttpRequest, path: str, id: str) -> HttpResponse:
    """``/jupyter/api/contents/<path>/checkpoints/<id>``: go back to it, or forget it."""
    place = _checkpoint_place(request, path)
    if id != checkpoints.NAME or checkpoints.checkpoint(place.project, place.path) is None:
        raise checkpoints.no_checkpoint(path)
    if request.method == "POST":
        with place.files() as files:
            checkpoints.restore_checkpoint(place.project, files, place.path)
    else:
        checkpoints.forget_checkpoint(place.project, place.path)
    return HttpResponse(status=204)


def _checkpoint_place(request: HttpRequest, path: str) -> Place:
    if not request.user.is_authenticated:
        raise not_signed_in()
    place = find_place(request, "/".join(split(path)), Right.VIEW if request.method == "GET" else Right.EDIT)
    if not place.path:
        raise bad_request(_("Only files have checkpoints."))
    return place


def _described(files: Files, place: Place, path: str, created: bool) -> HttpResponse:
    """The model of ``path`` without its content: 201 with its address where it is new."""
    full = f"{place.name}/{path}"
    response = JsonResponse(entry_model(full, files.entry(path)), status=201 if created else 200)
    if created:
        response["Location"] = f"/jupyter/api/contents/{quote(full)}"
    return response


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The body, which must be a JSON object or empty.

    Raises:
        Problem: it is something else.
    """
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise bad_request(_("The body is not JSON."), _("Send a JSON object.")) from error
    if not isinstance(body, dict):
        raise bad_request(_("The body must be a JSON object."))
    return body


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise bad_request(_("“%(name)s” must be text.") % {"name": name})
    return value


def upload_too_large() -> Problem:
    return Problem(
        413,
        "too_large",
        _("Too large"),
        _("A file may have at most %d MiB here.") % max(1, settings.MADANG_UPLOAD_LIMIT >> 20),
        _("Fetch it from within the sandbox, or split it."),
    )
