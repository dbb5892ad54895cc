"""The disk limit of a project where web writes: saves and uploads stop, reading and deleting do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from portal import room
from portal.models import Project, User
from portal.people import let_in
from portal.projects import create_project
from portal.roles import Role
from sandbox.images import images
from sandbox.slots import MIB, Slots
from sessions.models import Session

BASE = "/jupyter/api/contents"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "disk_limit", lambda project: MIB)
    monkeypatch.setattr("portal.contents.disk_limit", lambda project: MIB)


def put(client: Client, path: str, **body: Any) -> Any:
    return client.put(f"{BASE}/{path}", json.dumps(body), content_type="application/json")


def save(client: Client, path: str, size: int, **more: Any) -> Any:
    return put(client, f"penguins/{path}", type="file", format="text", content="x" * size, **more)


def test_saving_stops_at_the_limit_and_deleting_goes_on(alices: Client, project: Project) -> None:
    assert save(alices, "a.txt", 900_000).status_code == 201
    refused = save(alices, "b.txt", 300_000)
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert [path.name for path in project.directory.iterdir() if "madang" in path.name] == []
    assert alices.get(f"{BASE}/penguins/a.txt").status_code == 200
    assert alices.delete(f"{BASE}/penguins/a.txt").status_code == 204
    assert save(alices, "b.txt", 300_000).status_code == 201


def test_quick_saves_within_one_look_count(alices: Client, project: Project) -> None:
    answers = [save(alices, f"{n}.txt", 200_000).status_code for n in range(8)]
    assert answers.count(201) in (4, 5)
    assert answers[-1] == 507


def test_the_pieces_of_an_upload_count(alices: Client, project: Project) -> None:
    assert save(alices, "big.bin", 400_000, chunk=1).status_code == 200
    assert save(alices, "big.bin", 400_000, chunk=2).status_code == 200
    assert save(alices, "big.bin", 400_000, chunk=3).status_code == 507


def test_a_full_project_takes_a_shorter_file(alices: Client, project: Project) -> None:
    (project.directory / "big.txt").write_bytes(bytes(2 * MIB))
    assert save(alices, "main.py", 3000).status_code == 507
    assert save(alices, "big.txt", 3000).status_code == 200
    assert save(alices, "main.py", 3000).status_code == 200


def test_what_others_write_is_not_mine(alices: Client, bobs: Client, project: Project, bob: User, image: str) -> None:
    create_project(bob, "Penguins", image)
    assert save(alices, "a.txt", 900_000).status_code == 201
    assert save(bobs, "a.txt", 900_000).status_code == 201


def test_the_limit_is_the_images_or_what_the_live_session_has(project: Project, alice: User, monkeypatch: Any) -> None:
    monkeypatch.undo()
    usual = images()[project.image].slots.disk
    assert room.disk_limit(project) == usual
    slots = Slots(disk=usual * 2).as_dict()
    Session.objects.create(
        user=alice, project=project.pk, image=project.image, slots=slots, state="running", idle_timeout=60
    )
    assert room.disk_limit(project) == usual * 2


def test_who_sees_a_project_sees_what_it_uses_of_its_disk(
    alices: Client, bobs: Client, charlies: Client, project: Project, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.api_files.disk_limit", lambda project: MIB)
    monkeypatch.setattr(room, "_FRESH_SECONDS", 0)
    monkeypatch.setattr(room, "_SHARE", 0)
    path = f"/api/v1/projects/{project.pk}/room"
    before = alices.get(path).json()
    assert (before["limit"], before["most_entries"]) == (MIB, 20_000)
    (project.directory / "big.bin").write_bytes(bytes(MIB))
    after = alices.get(path).json()
    assert after["size"] - before["size"] >= MIB
    assert after["entries"] == before["entries"] + 1
    assert bobs.get(path).status_code == 404, "a stranger"
    assert charlies.get(path).status_code == 401
    let_in(project, bob, Role.VIEWER)
    assert bobs.get(path).json() == after
