"""``/api/v1/projects/{id}/environments``: the packages that a project's sessions begin with, saved by name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema, Status
from pydantic import ConfigDict, StringConstraints

from portal.api_projects import project_with
from portal.models import Project
from portal.packages import Saved, choose, environments, remove, save_from_session
from portal.roles import require
from sessions.access import signed_in
from sessions.projects import Right

router = Router()
Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]
InPath = Annotated[str, Path(max_length=40)]


class PackageOut(Schema):
    name: str
    version: str


class EnvironmentOut(Schema):
    """``packages`` is null where its file, ``path``, is no lock file (any more)."""

    name: str
    path: str
    changed: datetime
    chosen: bool
    packages: list[PackageOut] | None


class SavedOut(EnvironmentOut):
    """``left_out``: what is installed and cannot be had again from an index."""

    left_out: list[str]


class SaveIn(Schema):
    model_config = ConfigDict(extra="forbid")

    name: Name


class ChoiceIn(Schema):
    """ "" for none."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(max_length=40)]


@router.get("/{uuid:id}/environments", response=list[EnvironmentOut], summary="Saved packages of a project")
def list_environments(request: HttpRequest, id: UUID) -> list[Saved]:
    return environments(project_with(request, id, Right.VIEW))


@router.post("/{uuid:id}/environments", response={201: SavedOut}, summary="Save what a session has installed")
async def save_environment(request: HttpRequest, id: UUID, body: SaveIn) -> Any:
    """The packages of its live session, exactly, as a lock file. Sessions begin with them from now on."""
    project = await database_sync_to_async(_project)(await signed_in(request), id)
    saved, left_out = await save_from_session(project, body.name)
    return Status(201, {**vars(saved), "path": saved.path, "left_out": left_out})


def _project(user: Any, id: UUID) -> Project:
    return require(user, Project.objects.filter(pk=id).first(), Right.RUN)


@router.put("/{uuid:id}/environment", response=list[EnvironmentOut], summary="Choose what sessions begin with")
def choose_environment(request: HttpRequest, id: UUID, body: ChoiceIn) -> list[Saved]:
    project = project_with(request, id, Right.EDIT)
    choose(project, body.name)
    return environments(project)


@router.delete("/{uuid:id}/environments/{name}", response={204: None}, summary="Forget saved packages")
def delete_environment(request: HttpRequest, id: UUID, name: InPath) -> HttpResponse:
    remove(project_with(request, id, Right.EDIT), name)
    return HttpResponse(status=204)
