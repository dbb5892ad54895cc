"""Projects: made, renamed, deleted and restored; as the dashboard, the API and the sessions see them."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from portal.directory import PortalProjects
from portal.files import remove_tree
from portal.models import GRACE, Project, User
from portal.projects import create_project, delete_project, purge_expired, restore_project, scratch_project, slug_of
from portal.token_bucket import TokenBuckets
from sandbox.images import images
from sessions.projects import NoSuchProject, project_directory


def test_a_project_starts_with_its_images_hello(project: Project) -> None:
    image = images()[project.image]
    assert (project.directory / image.hello_file).read_text() == image.hello


def test_folders_are_closed_to_other_users_of_the_host(project: Project) -> None:
    assert project.directory.parent.stat().st_mode & 0o077 == 0
    assert project.directory.stat().st_mode & 0o077 == 0


def test_slugs_are_unique_per_owner(alice: User, bob: User, image: str) -> None:
    slugs = [create_project(alice, "Heat  equation!", image).slug for _ in range(3)]
    assert slugs == ["heat-equation", "heat-equation-2", "heat-equation-3"]
    assert create_project(bob, "Heat equation", image).slug == "heat-equation"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("한글 노트", "한글-노트"),
        ("!!!", "project"),
        ("../..", "project"),
        ("a/b", "ab"),
        ("Scratch", "scratch-1"),
        ("x" * 80, "x" * 60),
    ],
)
def test_slugs_can_stand_in_a_path(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_long_name_twice_keeps_its_slug_in_bounds(alice: User, image: str) -> None:
    slugs = {create_project(alice, "x" * 80, image).slug for _ in range(12)}
    assert len(slugs) == 12
    assert max(map(len, slugs)) == 60


def test_a_slug_taken_at_the_same_moment(alice: User, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process inserts the same slug between our look and our insert."""
    save, rivals = Project.save, ["one"]

    def late(self: Project, *args: Any, **named: Any) -> None:
        if rivals:
            rivals.pop()
            rival = Project(owner=alice, name="rival", slug=self.slug, image=image)
            save(rival)
        save(self, *args, **named)

    monkeypatch.setattr(Project, "save", late)
    assert create_project(alice, "Penguins", image).slug == "penguins-2"


def test_the_database_refuses_a_slug_twice(project: Project, image: str) -> None:
    with pytest.raises(IntegrityError):
        Project.objects.create(owner=project.owner, name="x", slug=project.slug, image=image)


def test_there_is_one_scratch_project(alice: User) -> None:
    first = scratch_project(alice)
    assert scratch_project(alice) == first
    assert first.directory.is_dir()
    delete_project(first)
    second = scratch_project(alice)
    assert second != first
    assert restore_project(Project.objects.get(pk=first.pk)).slug == "scratch-1"


def test_a_deleted_project_is_gone_and_comes_back_whole(alice: User, project: Project, image: str) -> None:
    assert delete_project(project) is True
    assert delete_project(project) is False
    assert not Project.objects.of(alice).exists()
    taken = create_project(alice, "Penguins", image)
    back = restore_project(Project.objects.get(pk=project.pk))
    assert (taken.slug, back.slug) == ("penguins", "penguins-2")
    assert (back.directory / "main.py").exists()


def test_purge_removes_what_is_past_its_grace_alone(alice: User, project: Project, image: str) -> None:
    recent = create_project(alice, "Recent", image)
    delete_project(recent)
    kept = create_project(alice, "Kept", image)
    Project.objects.filter(pk=project.pk).update(deleted_at=timezone.now() - GRACE - timedelta(seconds=1))
    call_command("purge", verbosity=0)
    assert set(Project.objects.values_list("pk", flat=True)) == {recent.pk, kept.pk}
    assert not project.directory.exists()
    assert recent.directory.exists()


def test_one_folder_that_resists_does_not_stop_the_purge(
    alice: User, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = timezone.now() - GRACE - timedelta(days=1)
    first, second = (create_project(alice, name, image) for name in ("First", "Second"))
    Project.objects.update(deleted_at=old)

    def resisting(parent: int, name: str) -> None:
        if name == str(first.pk):
            raise PermissionError(13, "no")
        remove_tree(parent, name)

    monkeypatch.setattr("portal.projects.remove_tree", resisting)
    assert purge_expired() == 1
    assert Project.objects.get() == first
    assert not second.directory.exists()


def test_the_session_service_sees_projects_through_their_owner(alice: User, bob: User, project: Project) -> None:
    directory = project_directory()
    assert isinstance(directory, PortalProjects)
    reference, rest = directory.by_path(alice, "penguins/src/a.py")
    assert (reference.id, reference.slug, reference.image, reference.owner_id, rest) == (
        project.pk, "penguins", project.image, alice.pk, "src/a.py",
    )  # fmt: skip
    assert reference.directory == project.directory
    assert directory.by_id(alice, project.pk) == reference
    assert directory.by_path(alice, "")[0].slug == "scratch"
    for user, path in ((bob, "penguins"), (alice, "nothing"), (None, "penguins")):
        with pytest.raises(NoSuchProject):
            directory.by_path(user, path)
    with pytest.raises(NoSuchProject):
        directory.by_id(bob, project.pk)
    delete_project(project)
    with pytest.raises(NoSuchProject):
        directory.by_id(alice, project.pk)


API = "/api/v1/projects"


def send(client: Client, method: str, path: str, body: object = None):
    if body is None:
        return getattr(client, method)(path)
    return getattr(client, method)(path, json.dumps(body), content_type="application/json")


def test_the_api_makes_lists_renames_and_deletes(alices: Client, alice: User, image: str) -> None:
    made = send(alices, "post", API, {"name": "  Heat  ", "image": image})
    assert made.status_code == 201
    id = made.json()["id"]
    assert (made.json()["name"], made.json()["slug"]) == ("Heat", "heat")
    assert alices.get(API).json()["items"] == [made.json()]
    renamed = send(alices, "patch", f"{API}/{id}", {"name": "Cold"})
    assert (renamed.json()["name"], renamed.json()["slug"]) == ("Cold", "heat")
    assert alices.get(f"{API}/{id}").json() == renamed.json()
    assert alices.delete(f"{API}/{id}").status_code == 204
    assert alices.get(f"{API}/{id}").status_code == 404
    assert alices.get(API).json() == {"items": [], "count": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x" * 10_000, "image": "python"}, "name"),
        ({"name": "   ", "image": "python"}, "name"),
        ({"image": "python"}, "name"),
        ({"name": "x"}, "image"),
        ({"name": "x", "image": "cobol:60"}, "cobol:60"),
        ([], "body"),
    ],
)
def test_the_api_says_what_is_wrong(alices: Client, body: object, field: str) -> None:
    answer = send(alices, "post", API, body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["detail"]
    assert len(answer.content) < 2000
    assert not Project.objects.exists()


def test_a_body_that_is_no_json(alices: Client) -> None:
    answer = alices.post(API, b"{not json", content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=-1"])
def test_paging_out_of_bounds(alices: Client, query: str) -> None:
    assert alices.get(f"{API}?{query}").status_code == 422


def test_paging(alices: Client, alice: User, image: str) -> None:
    for number in range(5):
        create_project(alice, f"P{number}", image)
    pages = [alices.get(f"{API}?limit=2&offset={offset}").json() for offset in (0, 2, 4)]
    assert [item["name"] for page in pages for item in page["items"]] == ["P4", "P3", "P2", "P1", "P0"]
    assert {page["count"] for page in pages} == {5}


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_users_project_does_not_exist(bobs: Client, charlies: Client, project: Project, method: str) -> None:
    body = {"name": "stolen"} if method == "patch" else None
    for id in (project.pk, uuid.uuid4()):
        answer = send(bobs, method, f"{API}/{id}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert send(charlies, method, f"{API}/{id}", body).status_code == 401
    project.refresh_from_db()
    assert (project.name, project.deleted_at) == ("Penguins", None)
    assert bobs.get(API).json()["count"] == 0
    assert charlies.get(API).status_code == 401


def test_the_openapi_document_names_every_path(charlies: Client, db) -> None:
    document = charlies.get("/api/v1/openapi.json").json()
    assert {"/api/v1/projects", "/api/v1/projects/{id}", "/api/v1/sessions", "/api/v1/images"} <= set(document["paths"])


def test_the_api_counts_how_often_it_is_asked(alices: Client, bobs: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.api.allowed", TokenBuckets(2, 0.5))
    answers = [alices.get(API) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert bobs.get(API).status_code == 200, "each user is counted apart"
    assert int(answers[2]["Retry-After"]) >= 1
    assert answers[2].json()["code"] == "too_often"


def test_the_api_answers_while_the_cache_is_away(alices: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("nobody answers")

    for method in ("get", "set", "add", "incr"):
        monkeypatch.setattr(type(caches["default"]), method, away)
    assert alices.get(API).status_code == 200
    assert alices.get("/api/v1/images").status_code == 200
