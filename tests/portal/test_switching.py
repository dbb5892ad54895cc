"""Another image for a project: who may, what ends, what stays."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from portal.models import Project, User
from portal.people import let_in
from portal.roles import Role
from sandbox.images import images


@pytest.fixture
def other(project: Project) -> str:
    return next(name for name in images() if name != project.image)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The projects whose sessions were stopped."""
    found: list[Any] = []
    monkeypatch.setattr("portal.switching.stop_sessions_in", lambda project: found.append(project.pk))
    return found


def patch(client: Client, id: Any, image: str) -> tuple[int, Any]:
    answer = client.patch(f"/api/v1/projects/{id}", json.dumps({"image": image}), "application/json")
    return answer.status_code, answer.json()


def test_the_session_stops_and_files_stay(project: Project, alices: Client, other: str, stopped: list[Any]) -> None:
    (project.directory / "kept.txt").write_text("x")
    status, body = patch(alices, project.pk, other)
    assert (status, body["image"], body["slug"]) == (200, other, project.slug)
    assert stopped == [project.pk]
    assert (project.directory / "kept.txt").read_text() == "x"
    project.refresh_from_db()
    assert project.image == other


def test_the_same_image_ends_nothing(project: Project, alices: Client, stopped: list[Any]) -> None:
    assert patch(alices, project.pk, project.image)[0] == 200
    assert stopped == []


@pytest.mark.parametrize("name", ["", "nonsense", "../python", "x" * 10_000])
def test_what_is_not_offered_is_refused(project: Project, alices: Client, name: str, stopped: list[Any]) -> None:
    status, problem = patch(alices, project.pk, name)
    assert (status, problem["code"]) == (422, "unknown_image")
    page = alices.post(f"/projects/{project.pk}/image", {"image": name})
    assert page.status_code == 400
    assert stopped == []


def test_it_is_for_the_owner(
    project: Project, bob: User, bobs: Client, charlies: Client, alices: Client, other: str, stopped: list[Any]
) -> None:
    page = f"/projects/{project.pk}/image"
    assert patch(bobs, project.pk, other)[0] == bobs.post(page, {"image": other}).status_code == 404
    assert patch(charlies, project.pk, other)[0] == 401
    let_in(project, bob, Role.EDITOR)
    assert patch(bobs, project.pk, other)[0] == bobs.post(page, {"image": other}).status_code == 403
    assert patch(alices, uuid.uuid4(), other)[0] == 404
    project.refresh_from_db()
    assert (project.image == other, stopped) == (False, [])


def test_a_project_whose_image_is_gone_gets_another(project: Project, alices: Client, stopped: list[Any]) -> None:
    Project.objects.update(image="gone:1")
    assert alices.get(f"/p/{project.pk}/").status_code == 404
    offered = project.image
    answer = alices.post(f"/projects/{project.pk}/image", {"image": offered}, follow=True)
    assert "From now on its sessions have" in answer.content.decode()
    assert alices.get(f"/p/{project.pk}/").status_code == 200
