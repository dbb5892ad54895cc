"""``/api/v1``: datasets and the secrets of projects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema
from pydantic import StringConstraints

from portal.api_projects import project_with
from portal.datasets import choose_datasets
from portal.models import Dataset, Secret
from portal.secrets import LONGEST, remove_secret, set_secret
from sessions.problems import not_found
from sessions.projects import Right

router = Router()
Name = Annotated[str, Path(max_length=100)]


class DatasetOut(Schema):
    name: str
    summary: str


class Chosen(Schema):
    datasets: list[Annotated[str, StringConstraints(max_length=60)]]


class SecretOut(Schema):
    """There is no way to have the value again."""

    name: str
    changed: datetime


class SecretIn(Schema):
    value: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


@router.get("/datasets", response=list[DatasetOut], tags=["datasets"], summary="What projects can have mounted")
def list_datasets(request: HttpRequest) -> list[Dataset]:
    return list(Dataset.objects.all())


@router.get("/projects/{uuid:id}/datasets", response=Chosen, tags=["datasets"], summary="What a project has mounted")
def get_datasets(request: HttpRequest, id: UUID) -> dict[str, list[str]]:
    project = project_with(request, id, Right.VIEW)
    return {"datasets": list(project.datasets.values_list("name", flat=True))}


@router.put("/projects/{uuid:id}/datasets", response=Chosen, tags=["datasets"], summary="Choose what is mounted")
def put_datasets(request: HttpRequest, id: UUID, body: Chosen) -> dict[str, list[str]]:
    """From the next session on. Names that this site does not offer are left out of the answer."""
    project = project_with(request, id, Right.MANAGE)
    choose_datasets(project, body.datasets)
    return {"datasets": list(project.datasets.values_list("name", flat=True))}


@router.get("/projects/{uuid:id}/secrets", response=list[SecretOut], tags=["secrets"], summary="Names of the secrets")
def list_secrets(request: HttpRequest, id: UUID) -> list[Secret]:
    return list(project_with(request, id, Right.MANAGE).secrets.all())


@router.put("/projects/{uuid:id}/secrets/{name}", response={204: None}, tags=["secrets"], summary="Set a secret")
def put_secret(request: HttpRequest, id: UUID, name: Name, body: SecretIn) -> HttpResponse:
    """An environment variable of sessions that start from now on."""
    set_secret(project_with(request, id, Right.MANAGE), name, body.value)
    return HttpResponse(status=204)


@router.delete("/projects/{uuid:id}/secrets/{name}", response={204: None}, tags=["secrets"], summary="Forget a secret")
def delete_secret(request: HttpRequest, id: UUID, name: Name) -> HttpResponse:
    if not remove_secret(project_with(request, id, Right.MANAGE), name):
        raise not_found("secret")
    return HttpResponse(status=204)
