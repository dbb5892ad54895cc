"""Who may do what with a project, at every entry: a stranger, a viewer, an editor, a former member, the owner."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.directory import PortalProjects, find_by_slug
from portal.models import Project, User
from portal.people import NoSuchMember, let_in, put_out, set_role
from portal.projects import create_project, delete_project
from portal.roles import Role, role_of
from sessions.models import Kernel, Session
from sessions.projects import NoSuchProject, Right
from tests.portal.conftest import signed_in

PEOPLE = ("stranger", "viewer", "editor", "former", "owner")
HIDDEN, REFUSED = 404, 403


@pytest.fixture
def as_(project: Project, alice: User, db: None) -> Callable[[str], tuple[User, Client]]:
    """Somebody who is this to the project, and their browser."""

    def become(part: str) -> tuple[User, Client]:
        if part == "owner":
            return alice, signed_in(alice)
        user = User.objects.create_user(f"{part}@example.org", name=part.title())
        if part in ("viewer", "editor"):
            let_in(project, user, Role(part))
        if part == "former":
            let_in(project, user, Role.EDITOR)
            put_out(project, user)
        return user, signed_in(user)

    return become


def statuses(stranger: int, viewer: int, editor: int, owner: int) -> dict[str, int]:
    return {"stranger": stranger, "former": stranger, "viewer": viewer, "editor": editor, "owner": owner}


VIEW = statuses(HIDDEN, 200, 200, 200)
EDIT = statuses(HIDDEN, REFUSED, 200, 200)
MANAGE = statuses(HIDDEN, REFUSED, REFUSED, 200)


def with_status(expected: dict[str, int], status: int) -> dict[str, int]:
    return {part: status if code == 200 else code for part, code in expected.items()}


# Method, address ({id}: the project, {name}: its folder for this user), JSON to send, who gets what.
ENTRIES = [
    ("GET", "/p/{id}/", None, VIEW),
    ("GET", "/projects/{id}/settings", None, MANAGE),
    ("POST", "/projects/{id}/delete", None, with_status(MANAGE, 302)),
    ("GET", "/api/v1/projects/{id}", None, VIEW),
    ("PATCH", "/api/v1/projects/{id}", {"name": "Other"}, MANAGE),
    ("DELETE", "/api/v1/projects/{id}", None, with_status(MANAGE, 204)),
    ("GET", "/jupyter/api/contents/{name}", None, VIEW),
    ("GET", "/jupyter/api/contents/{name}/main.py", None, VIEW),
    ("GET", "/jupyter/files/{name}/main.py", None, VIEW),
    ("PUT", "/jupyter/api/contents/{name}/main.py", {"type": "file", "format": "text", "content": "1"}, EDIT),
    (
        "PUT",
        "/jupyter/api/contents/{name}/new.py",
        {"type": "file", "format": "text", "content": "1", "chunk": 1},
        EDIT,
    ),
    ("POST", "/jupyter/api/contents/{name}", {"type": "notebook"}, with_status(EDIT, 201)),
    ("PATCH", "/jupyter/api/contents/{name}/main.py", {"path": "{name}/other.py"}, EDIT),
    ("DELETE", "/jupyter/api/contents/{name}/main.py", None, with_status(EDIT, 204)),
    ("GET", "/jupyter/api/contents/{name}/main.py/checkpoints", None, VIEW),
    ("POST", "/jupyter/api/contents/{name}/main.py/checkpoints", None, with_status(EDIT, 201)),
]


@pytest.mark.parametrize("part", PEOPLE)
@pytest.mark.parametrize(("method", "address", "body", "expected"), ENTRIES)
def test_each_entry(
    as_: Any, project: Project, part: str, method: str, address: str, body: Any, expected: dict[str, int]
) -> None:
    user, browser = as_(part)
    names = {"{id}": str(project.pk), "{name}": project.name_for(user)}
    text = json.dumps(body) if body is not None else ""
    for mark, name in names.items():
        address, text = address.replace(mark, name), text.replace(mark, name)
    answer = browser.generic(method, address, text, content_type="application/json")
    assert answer.status_code == expected[part], answer.content
    if expected[part] in (HIDDEN, REFUSED):
        assert (project.directory / "main.py").exists()
        assert not Project.objects.get(pk=project.pk).deleted_at


@pytest.mark.parametrize("part", PEOPLE)
def test_the_page_of_a_preview_and_stopping(as_: Any, project: Project, alice: User, part: str) -> None:
    user, browser = as_(part)
    session = live_session(alice, project)
    works = part in ("editor", "owner")
    assert browser.get(f"/sessions/{session.pk}/ports/8000/").status_code == (302 if works else 404)
    sees = part in ("viewer", "editor", "owner")
    assert browser.post(f"/sessions/{session.pk}/stop").status_code == (302 if sees else 404)
    assert Session.objects.open_to(user, Right.RUN).filter(pk=session.pk).exists() is works
    assert Session.objects.seen_by(user).filter(pk=session.pk).exists() is sees


def live_session(user: User, project: Project) -> Session:
    slots = {"cpu": 1.0, "memory": 1 << 30, "disk": 1 << 30, "processes": 64}
    return Session.objects.create(
        user=user, project=project.pk, image=project.image, slots=slots, state="running", idle_timeout=60
    )


def test_who_paid_and_is_out_sees_the_session_in_the_bill_only(as_: Any, project: Project) -> None:
    editor, _browser = as_("editor")
    session = live_session(editor, project)
    Kernel.objects.create(session=session, name="python3")
    assert Kernel.objects.open_to(editor).exists()
    put_out(project, editor)
    assert Session.objects.of(editor).get() == session
    assert not Session.objects.open_to(editor, Right.VIEW).exists()
    assert not Kernel.objects.open_to(editor).exists()


@pytest.mark.parametrize(
    ("role", "view", "edit", "run", "manage"),
    [
        (Role.OWNER, True, True, True, True),
        (Role.EDITOR, True, True, True, False),
        (Role.VIEWER, True, False, False, False),
    ],
)
def test_the_rights_of_a_role(role: Role, view: bool, edit: bool, run: bool, manage: bool) -> None:
    assert (role.can_view, role.can_edit, role.can_run, role.can_manage) == (view, edit, run, manage)


def test_a_role_is_lost_with_the_project_the_account_or_the_membership(
    project: Project, alice: User, bob: User
) -> None:
    let_in(project, bob, Role.VIEWER)
    assert role_of(bob, project) is Role.VIEWER
    set_role(project, bob, Role.EDITOR)
    assert role_of(bob, project) is Role.EDITOR
    bob.is_active = False
    assert role_of(bob, project) is None
    bob.is_active = True
    delete_project(project)
    project.refresh_from_db()
    assert role_of(bob, project) is None
    assert role_of(alice, project) is None
    assert not Project.objects.of(bob).exists()


def test_nobody_is_raised_or_lowered_by_being_let_in_again(project: Project, alice: User, bob: User) -> None:
    assert let_in(project, bob, Role.EDITOR) is True
    assert let_in(project, bob, Role.VIEWER) is False
    assert role_of(bob, project) is Role.EDITOR
    assert let_in(project, alice, Role.VIEWER) is False
    assert role_of(alice, project) is Role.OWNER


def test_only_members_can_be_changed(project: Project, alice: User, bob: User) -> None:
    for person in (alice, bob):
        with pytest.raises(NoSuchMember):
            set_role(project, person, Role.EDITOR)
        with pytest.raises(NoSuchMember):
            put_out(project, person)


def test_two_projects_of_one_slug_are_told_apart(project: Project, alice: User, bob: User, image: str) -> None:
    own = create_project(bob, "Penguins", image)
    let_in(project, bob, Role.VIEWER)
    name = project.name_for(bob)
    assert find_by_slug(bob, "penguins") == own
    assert find_by_slug(bob, name) == project
    assert find_by_slug(alice, name) == project
    assert find_by_slug(bob, f"penguins~{uuid.uuid4().hex[:8]}") is None
    listed = signed_in(bob).get("/jupyter/api/contents/").json()["content"]
    assert {one["name"] for one in listed} == {"penguins", name}
    assert PortalProjects().by_path(bob, f"{name}/a/b.py")[0].rights == {Right.VIEW}
    put_out(project, bob)
    with pytest.raises(NoSuchProject):
        PortalProjects().by_path(bob, f"{name}/a/b.py")


def test_files_are_not_copied_out_of_what_one_may_not_see(
    project: Project, bobs: Client, bob: User, image: str
) -> None:
    own = create_project(bob, "Mine", image)
    source = f"{project.slug}~{project.pk.hex[:8]}/main.py"
    answer = bobs.post(
        f"/jupyter/api/contents/{own.slug}", json.dumps({"copy_from": source}), content_type="application/json"
    )
    assert answer.status_code == 404
    let_in(project, bob, Role.VIEWER)
    answer = bobs.post(
        f"/jupyter/api/contents/{own.slug}", json.dumps({"copy_from": source}), content_type="application/json"
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("part", ["viewer", "editor", "owner"])
def test_a_client_is_told_what_it_may_write(as_: Any, project: Project, part: str) -> None:
    user, browser = as_(part)
    folder = browser.get(f"/jupyter/api/contents/{project.name_for(user)}").json()
    file = browser.get(f"/jupyter/api/contents/{project.name_for(user)}/main.py").json()
    assert [folder["writable"], file["writable"], *(one["writable"] for one in folder["content"])] == [
        part != "viewer"
    ] * 3
