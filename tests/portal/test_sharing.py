"""Sharing a project: by invitation, by link, with a role; revoked, left, given away. Pages and API."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from portal.joining import make_link, open_way, token_of
from portal.models import INVITATION_LIFE, Invitation, JoinLink, Project, User
from portal.people import let_in, offer, put_out, take_over
from portal.projects import create_project
from portal.roles import Role, role_of
from tests.portal.conftest import signed_in


def api(browser: Client, method: str, path: str, body: Any = None) -> Any:
    text = json.dumps(body) if body is not None else ""
    return browser.generic(method, f"/api/v1/projects/{path}", text, content_type="application/json")


def invited(browser: Client, project: Project, email: str, role: str = "editor") -> str:
    """Invite ``email`` on the page; the address in the mail that comes."""
    mail.outbox.clear()
    assert browser.post(f"/projects/{project.pk}/people", {"email": email, "role": role}).status_code == 302
    (message,) = mail.outbox
    assert message.to == [email.lower()]
    address = re.search(r"http://testserver(/\S+)", str(message.body))
    assert address
    return address[1]


def test_an_account_is_in_at_once_and_is_told(alices: Client, project: Project, bob: User) -> None:
    address = invited(alices, project, "Bob@example.org")
    assert role_of(bob, project) is Role.EDITOR
    assert address == f"/p/{project.pk}/"
    assert "Penguins" in mail.outbox[0].subject
    assert signed_in(bob).get(address).status_code == 200


def test_others_get_an_invitation_which_opens_once(alices: Client, project: Project, bob: User) -> None:
    address = invited(alices, project, "dora@example.org", "viewer")
    assert signed_in(None).get(address).status_code == 302
    dora = User.objects.create_user("dora@home.example", name="Dora")
    page = signed_in(dora).get(address)
    assert "Penguins" in page.content.decode()
    assert role_of(dora, project) is None, "nobody joins by looking"
    assert signed_in(dora).post(address).status_code == 302
    assert role_of(dora, project) is Role.VIEWER
    assert signed_in(bob).get(address).status_code == 404
    assert signed_in(bob).post(address).status_code == 404
    assert role_of(bob, project) is None


@pytest.mark.parametrize("how", ["withdrawn", "again", "old", "deleted"])
def test_an_invitation_that_opens_no_more(alices: Client, project: Project, bobs: Client, bob: User, how: str) -> None:
    address = invited(alices, project, "dora@example.org")
    invitation = Invitation.objects.get()
    if how == "withdrawn":
        assert alices.post(f"/projects/{project.pk}/invitations/{invitation.pk}").status_code == 302
    if how == "again":
        assert invited(alices, project, "dora@example.org") != address
    if how == "old":
        Invitation.objects.update(created=timezone.now() - INVITATION_LIFE - timedelta(seconds=1))
    if how == "deleted":
        alices.post(f"/projects/{project.pk}/delete")
    assert bobs.post(address).status_code == 404
    assert role_of(bob, project) is None


def test_a_mail_that_cannot_be_sent_leaves_no_invitation(alices: Client, project: Project, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = alices.post(f"/projects/{project.pk}/people", {"email": "dora@example.org", "role": "viewer"})
    assert answer.status_code == 400
    assert not Invitation.objects.filter(ended_at=None).exists()
    assert api(alices, "POST", f"{project.pk}/people", {"email": "dora@example.org"}).status_code == 502


def test_nobody_is_flooded_with_mails(alices: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.joining.PER_DAY", 2)
    codes = [api(alices, "POST", f"{project.pk}/people", {"email": f"x{n}@example.org"}).status_code for n in range(3)]
    assert codes == [201, 201, 429]
    assert len(mail.outbox) == 2


def test_a_name_of_many_lines_makes_no_header(alices: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="a\nBcc: all@example.org")
    invited(alices, project, "dora@example.org")
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].bcc == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_a_link_lets_in_until_it_is_revoked(alices: Client, project: Project, bob: User, role: Role) -> None:
    alices.post(f"/projects/{project.pk}/links/{role}")
    page = alices.get(f"/projects/{project.pk}/people").content.decode()
    address = re.search(r'value="http://testserver(/join/[^"]+)"', page)
    assert address
    assert signed_in(bob).post(address[1]).url == f"/p/{project.pk}/"  # type: ignore[attr-defined]
    assert role_of(bob, project) is role
    carol = User.objects.create_user("carol@example.org")
    alices.post(f"/projects/{project.pk}/links/{role}", {"revoke": "1"})
    assert signed_in(carol).post(address[1]).status_code == 404
    assert role_of(carol, project) is None
    assert role_of(bob, project) is role
    alices.post(f"/projects/{project.pk}/links/{role}")
    assert signed_in(carol).post(address[1]).status_code == 404, "a new link is another one"


def test_forged_tokens_open_nothing(project: Project) -> None:
    token = token_of(make_link(project, Role.VIEWER))
    assert open_way(token)
    text, _, signature = token.rpartition(".")
    other = "i" + text[1:]
    for forged in (
        "",
        "x",
        text,
        f"{text}.",
        f"{text}.x{signature[1:]}",
        f"{other}.{signature}",
        f"{text}\0.{signature}",
    ):
        assert open_way(forged) is None
    JoinLink.objects.all().delete()
    assert open_way(token) is None


def test_roles_are_changed_and_people_put_out(alices: Client, project: Project, bob: User) -> None:
    let_in(project, bob, Role.VIEWER)
    alices.post(f"/projects/{project.pk}/people/{bob.pk}", {"role": "editor"})
    assert role_of(bob, project) is Role.EDITOR
    alices.post(f"/projects/{project.pk}/people/{bob.pk}", {"role": "owner"})
    assert role_of(bob, project) is Role.EDITOR, "nobody becomes an owner like that"
    alices.post(f"/projects/{project.pk}/people/{bob.pk}", {"role": ""})
    assert role_of(bob, project) is None
    assert alices.post(f"/projects/{project.pk}/people/{bob.pk}", {"role": "editor"}).status_code == 404


def test_a_member_changes_nobody_and_leaves(project: Project, bob: User, bobs: Client, alice: User) -> None:
    let_in(project, bob, Role.EDITOR)
    carol = User.objects.create_user("carol@example.org")
    let_in(project, carol, Role.VIEWER)
    here = f"/projects/{project.pk}"
    link = make_link(project, Role.EDITOR)
    for path, form in (
        ("people", {"email": "x@example.org", "role": "editor"}),
        (f"people/{carol.pk}", {"role": "editor"}),
        ("links/viewer", {}),
        ("links/editor", {"revoke": "1"}),
        ("give", {"user": bob.pk}),
    ):
        assert bobs.post(f"{here}/{path}", form).status_code == 403, path
    assert bobs.post(f"{here}/offer", {"accept": "1"}).status_code == 404
    page = bobs.get(f"{here}/people").content.decode()
    assert "carol@example.org" not in page
    assert token_of(link) not in page
    assert (role_of(carol, project), JoinLink.objects.get()) == (Role.VIEWER, link)
    assert bobs.post(f"{here}/leave").status_code == 302
    assert role_of(bob, project) is None
    assert bobs.get(f"{here}/people").status_code == 404


def test_an_owner_cannot_leave(alices: Client, alice: User, project: Project) -> None:
    assert alices.post(f"/projects/{project.pk}/leave", follow=True).status_code == 200
    assert role_of(alice, project) is Role.OWNER
    assert api(alices, "DELETE", f"{project.pk}/people/me").json()["code"] == "owner"


def test_a_project_is_given_away_when_the_other_accepts(
    alices: Client, alice: User, project: Project, bob: User, bobs: Client, image: str
) -> None:
    create_project(bob, "Penguins", image)
    let_in(project, bob, Role.VIEWER)
    here = f"/projects/{project.pk}"
    alices.post(f"{here}/give", {"user": bob.pk})
    assert role_of(bob, project) is Role.VIEWER
    bobs.post(f"{here}/offer", {"accept": "1"})
    project.refresh_from_db()
    assert (project.owner, project.slug) == (bob, "penguins-2")
    assert (role_of(bob, project), role_of(alice, project)) == (Role.OWNER, Role.EDITOR)
    assert alices.post(f"{here}/give", {"user": alice.pk}).status_code == 403


def test_an_offer_ends_when_it_is_taken_back_declined_or_its_member_is_out(
    project: Project, alice: User, bob: User
) -> None:
    let_in(project, bob, Role.EDITOR)
    for end in (lambda: offer(project, None), lambda: put_out(project, bob)):
        offer(project, bob)
        end()
        project.refresh_from_db()
        assert take_over(project, bob) is False
        assert project.owner == alice
    let_in(project, bob, Role.EDITOR)
    assert take_over(project, bob) is False, "an earlier offer is not there again"


def test_the_api_does_the_same(alices: Client, alice: User, project: Project, bob: User, bobs: Client) -> None:
    here = str(project.pk)
    assert api(alices, "POST", f"{here}/people", {"email": bob.email}).json() == {"invitation": None}
    made = api(alices, "POST", f"{here}/people", {"email": "dora@example.org", "role": "editor"}).json()["invitation"]
    link = api(alices, "PUT", f"{here}/links/viewer").json()
    hers, his = api(alices, "GET", f"{here}/people").json(), api(bobs, "GET", f"{here}/people").json()
    assert [(one["name"], one["role"]) for one in hers["people"]] == [("Alice", "owner"), ("Bob", "viewer")]
    assert ([one["id"] for one in hers["invitations"]], hers["links"]) == ([made["id"]], [link])
    assert (his["invitations"], his["links"]) == ([], [])
    assert [one["email"] for one in his["people"]] == [None, bob.email]
    for method, path, body in (
        ("POST", "people", {"email": "x@example.org"}),
        ("PATCH", f"people/{bob.pk}", {"role": "editor"}),
        ("PUT", "links/editor", None),
        ("DELETE", "links/viewer", None),
        ("PUT", "offer", {"user": bob.pk}),
        ("DELETE", "offer", None),
        ("DELETE", f"invitations/{made['id']}", None),
    ):
        assert api(bobs, method, f"{here}/{path}", body).status_code == 403, path
    assert api(alices, "PATCH", f"{here}/people/{bob.pk}", {"role": "editor"}).status_code == 204
    assert role_of(bob, project) is Role.EDITOR
    assert api(alices, "DELETE", f"{here}/invitations/{made['id']}").status_code == 204
    assert api(alices, "DELETE", f"{here}/links/viewer").status_code == 204
    assert api(bobs, "POST", f"{here}/offer/accept").json()["code"] == "no_offer"
    assert api(alices, "PUT", f"{here}/offer", {"user": bob.pk}).status_code == 204
    assert api(bobs, "DELETE", f"{here}/offer").status_code == 204
    assert api(bobs, "POST", f"{here}/offer/accept").status_code == 409
    assert api(alices, "PUT", f"{here}/offer", {"user": bob.pk}).status_code == 204
    assert api(bobs, "POST", f"{here}/offer/accept").status_code == 204
    assert api(alices, "DELETE", f"{here}/people/me").status_code == 204
    assert role_of(alice, Project.objects.get()) is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("people", {"email": "x"}),
        ("people", {"email": "a@b.org\nBcc: c@d.org"}),
        ("people", {"email": "x@example.org", "role": "owner"}),
        ("people", {"email": "x" * 300 + "@example.org"}),
        ("people", {}),
    ],
)
def test_garbage_is_refused(alices: Client, project: Project, path: str, body: Any) -> None:
    assert api(alices, "POST", f"{project.pk}/{path}", body).status_code == 422
    assert mail.outbox == []
    assert api(alices, "PUT", f"{project.pk}/links/owner").status_code == 422
    assert api(alices, "PATCH", f"{project.pk}/people/{10**30}", {"role": "editor"}).status_code in (404, 422)
