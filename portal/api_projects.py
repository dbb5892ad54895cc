"""``/api/v1/projects``: the caller's projects, and those of others that they may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Field, File, Form, Query, Router, Schema, Status, UploadedFile
from pydantic import StringConstraints

from portal.beginnings import examples
from portal.downloads import zip_response
from portal.fetching import LONGEST, check_address
from portal.imports import start_import, state_of
from portal.listing import Wanted, listed
from portal.making import from_example, from_zip, name_of
from portal.models import NAME_LENGTH, Project, User
from portal.projects import (
    UnknownImage,
    archive_project,
    create_project,
    delete_project,
    fork_project,
    rename_project,
    restore_project,
    set_tags,
)
from portal.roles import Role, require, role_of
from portal.running import stop_sessions_in
from portal.switching import switch_image
from sandbox.images import images
from sessions.problems import Problem, not_found
from sessions.projects import Right

router = Router()
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\x00]*$")
]
Word = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")]


class ProjectIn(Schema):
    """``example`` says what to begin with and brings its image; without it an ``image`` is needed."""

    name: Name
    image: str = ""
    example: str = ""


class ProjectPatch(Schema):
    """What is not sent stays."""

    name: Name | None = None
    image: str | None = Field(None, description="A live session with another image stops; files stay.")
    tags: Annotated[list[Word], Field(max_length=50)] | None = None
    archived: bool | None = None


class ProjectOut(Schema):
    """``slug`` is its folder in the caller's paths under ``/jupyter/``; ``origin`` what it was forked from."""

    id: UUID
    slug: str
    name: str
    image: str
    role: Role | None
    owner: str
    tags: list[str]
    size: int
    created: datetime
    last_opened: datetime
    archived: datetime | None = Field(None, alias="archived_at")
    deleted: datetime | None = Field(None, alias="deleted_at")
    origin: UUID | None = Field(None, alias="origin_id")

    @staticmethod
    def resolve_slug(project: Project, context: Any) -> str:
        return project.name_for(context["request"].user)

    @staticmethod
    def resolve_role(project: Project, context: Any) -> Role | None:
        mine = project.owner_id == context["request"].user.pk
        return Role.OWNER if mine else role_of(context["request"].user, project)

    @staticmethod
    def resolve_owner(project: Project) -> str:
        return project.owner.display_name

    @staticmethod
    def resolve_tags(project: Project) -> list[str]:
        return [tag.word for tag in project.tags.all()]

    @staticmethod
    def resolve_last_opened(project: Project) -> datetime:
        return getattr(project, "opened", None) or project.last_opened


class ProjectPage(Schema):
    items: list[ProjectOut]
    count: int


class ForkIn(Schema):
    name: Name | None = None


class AddressIn(Schema):
    """``kind``: a git repository, or a notebook. ``image`` defaults to the site's first."""

    kind: Literal["git", "notebook"]
    address: Annotated[str, StringConstraints(max_length=LONGEST)]
    name: Name | None = None
    image: str = ""


class ImportOut(Schema):
    id: UUID
    state: Literal["running", "done", "failed"]
    step: str = ""
    error: str = ""
    project: UUID | None = None


class ExampleOut(Schema):
    name: str
    title: str
    summary: str
    image: str


def project_with(request: HttpRequest, id: UUID, right: Right) -> Project:
    """The project of that id, on which the caller has ``right``.

    Raises:
        Problem: 404 for a stranger, 403 where their role is not enough.
    """
    return require(request.user, Project.objects.filter(pk=id).first(), right)


@contextmanager
def known_image(name: str) -> Iterator[None]:
    """Tell of an image that this site does not have."""
    try:
        yield
    except UnknownImage as error:
        raise Problem(
            422,
            "unknown_image",
            _("Unknown image"),
            _("This site has no image “%s”.") % name[:100],
            _("It has: %s.") % ", ".join(images()),
        ) from error


@router.get("", response=ProjectPage, summary="List projects")
def list_projects(
    request: HttpRequest,
    show: Literal["all", "mine", "shared", "archived"] = "all",
    q: Annotated[str, Query(max_length=100)] = "",
    tag: Annotated[str, Query(max_length=30)] = "",
    sort: Literal["recent", "name", "created", "size"] = "recent",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> dict[str, object]:
    """Those the caller may see, last opened first; ``count`` is how many there are in all."""
    found = listed(request.user, Wanted(show, q.replace("\0", ""), tag.replace("\0", ""), sort))
    return {"items": list(found[offset : offset + limit]), "count": found.count()}


@router.post("", response={201: ProjectOut}, summary="Make a project")
def create(request: HttpRequest, body: ProjectIn) -> Status[Project]:
    with known_image(body.image):
        if body.example:
            return Status(201, from_example(_caller(request), body.example, get_language() or "en", body.name))
        return Status(201, create_project(_caller(request), body.name, body.image))


@router.get("/examples", response=list[ExampleOut], summary="What a project can begin with")
def list_examples(request: HttpRequest) -> list[dict[str, str]]:
    language = get_language() or "en"
    return [{**one.described(language), "image": one.image.name if one.image else ""} for one in examples()]


@router.get("/deleted", response=list[ProjectOut], summary="What can still be restored")
def list_deleted(request: HttpRequest) -> list[Project]:
    return list(Project.objects.deleted_of(request.user).order_by("-deleted_at")[:200])


@router.post("/zip", response={201: ProjectOut}, summary="Make a project from a zip archive")
def create_from_zip(
    request: HttpRequest, file: File[UploadedFile], image: Form[str], name: Form[str] = ""
) -> Status[Project]:
    """As multipart form data. Archives with links, special files or names that lead out are refused."""
    with known_image(image):
        return Status(
            201, from_zip(_caller(request), file, " ".join(name.replace("\0", " ").split())[:NAME_LENGTH], image)
        )


@router.post("/import", response={202: ImportOut}, summary="Make a project from an address")
def create_from_address(request: HttpRequest, body: AddressIn) -> Status[dict[str, object]]:
    """It goes on by itself: ask ``/projects/import/{id}`` how far it is."""
    address = check_address(body.address)
    image = body.image or next(iter(images()), "")
    with known_image(image):
        id = start_import(_caller(request), body.kind, address, body.name or name_of(address), image)
    return Status(202, {"id": id, "state": "running"})


@router.get("/import/{uuid:id}", response=ImportOut, summary="How far an import is")
def get_import(request: HttpRequest, id: UUID) -> dict[str, object]:
    state = state_of(_caller(request), id)
    if state is None:
        raise not_found("import")
    return {"id": id, **state}


@router.get("/{uuid:id}", response=ProjectOut, summary="One project")
def get(request: HttpRequest, id: UUID) -> Project:
    return project_with(request, id, Right.VIEW)


@router.patch("/{uuid:id}", response=ProjectOut, summary="Rename, tag or archive a project, or give it another image")
def patch(request: HttpRequest, id: UUID, body: ProjectPatch) -> Project:
    """Its slug stays, so that the paths of its files stay."""
    project = project_with(request, id, Right.MANAGE)
    if body.image is not None:
        with known_image(body.image):
            switch_image(project, body.image)
    if body.name is not None:
        rename_project(project, body.name)
    if body.tags is not None:
        set_tags(project, body.tags)
    if body.archived is not None:
        archive_project(project, body.archived)
        project.refresh_from_db()
    return project


@router.delete("/{uuid:id}", response={204: None}, summary="Delete a project")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    """Its session stops; for 7 days it can be restored."""
    project = project_with(request, id, Right.MANAGE)
    delete_project(project)
    stop_sessions_in(project)
    return HttpResponse(status=204)


@router.post("/{uuid:id}/restore", response=ProjectOut, summary="Restore a deleted project")
def restore(request: HttpRequest, id: UUID) -> Project:
    project = Project.objects.deleted_of(request.user).filter(pk=id).first()
    if project is None:
        raise not_found("project")
    return restore_project(project)


@router.post("/{uuid:id}/fork", response={201: ProjectOut}, summary="Fork a project")
def fork(request: HttpRequest, id: UUID, body: ForkIn) -> Status[Project]:
    """A copy of its files for the caller, on its own from now on. Secrets and people stay behind."""
    source = project_with(request, id, Right.VIEW)
    with known_image(source.image):
        return Status(201, fork_project(_caller(request), source, body.name or ""))


@router.get("/{uuid:id}/zip", summary="A project as a zip archive")
def get_zip(request: HttpRequest, id: UUID) -> HttpResponseBase:
    return zip_response(project_with(request, id, Right.VIEW))


def _caller(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]
