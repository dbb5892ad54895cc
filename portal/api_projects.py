"""``/api/v1/projects``: the caller's projects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import StringConstraints

from portal.models import NAME_LENGTH, Project
from portal.projects import UnknownImage, create_project, delete_project, rename_project
from portal.running import stop_sessions_of
from sandbox.images import images
from sessions.problems import Problem, not_found

router = Router()
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH)]


class ProjectIn(Schema):
    name: Name
    image: str


class ProjectPatch(Schema):
    name: Name


class ProjectOut(Schema):
    id: UUID
    slug: str
    name: str
    image: str
    created: datetime
    last_opened: datetime


class ProjectPage(Schema):
    items: list[ProjectOut]
    count: int


def own_project(request: HttpRequest, id: UUID) -> Project:
    """The caller's project of that id.

    Raises:
        Problem: there is none, or it is somebody else's.
    """
    project: Project | None = Project.objects.of(request.user).filter(pk=id).first()
    if project is None:
        raise not_found("project")
    return project


@router.get("", response=ProjectPage, summary="List projects")
def list_projects(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> dict[str, object]:
    """The caller's projects, last opened first; ``count`` is how many there are in all."""
    mine = Project.objects.of(request.user)
    return {"items": list(mine.order_by("-last_opened", "id")[offset : offset + limit]), "count": mine.count()}


@router.post("", response={201: ProjectOut}, summary="Make a project")
def create(request: HttpRequest, body: ProjectIn) -> Status[Project]:
    try:
        return Status(201, create_project(request.user, body.name, body.image))  # type: ignore[arg-type]
    except UnknownImage as error:
        raise Problem(
            422,
            "unknown_image",
            _("Unknown image"),
            _("This site has no image “%s”.") % body.image[:100],
            _("It has: %s.") % ", ".join(images()),
        ) from error


@router.get("/{uuid:id}", response=ProjectOut, summary="One project")
def get(request: HttpRequest, id: UUID) -> Project:
    return own_project(request, id)


@router.patch("/{uuid:id}", response=ProjectOut, summary="Rename a project")
def patch(request: HttpRequest, id: UUID, body: ProjectPatch) -> Project:
    """Its slug stays, so that the paths of its files stay."""
    project = own_project(request, id)
    rename_project(project, body.name)
    return project


@router.delete("/{uuid:id}", response={204: None}, summary="Delete a project")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    """Its session stops; for 7 days the dashboard can bring it back."""
    project = own_project(request, id)
    delete_project(project)
    stop_sessions_of(request.user, project)
    return HttpResponse(status=204)
