"""API keys, and who is asking."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.keys import KEY, create_key, digest, find_key, revoke_key
from portal.models import ApiKey, Project, User


def bearer(text: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {text}"}


def test_a_key_is_found_by_its_text_and_kept_as_hash(alice: User) -> None:
    key, text = create_key(alice, "laptop")
    assert KEY.fullmatch(text)
    assert find_key(text) == key
    assert key.digest == digest(text)
    assert not [field for field in key.__dict__.values() if isinstance(field, str) and text[-20:] in field]


def test_a_key_that_differs_in_one_character_is_nobody(alices_key: str) -> None:
    other = alices_key[:-1] + ("A" if alices_key[-1] != "A" else "B")
    assert find_key(other) is None


@pytest.mark.parametrize(
    "text", ["", "mdg_", "x" * 10_000, "mdg_12345678_" + "é" * 43, "mdg_12345678_" + "a" * 43 + "\n"]
)
def test_what_is_no_key(db, text: str) -> None:
    assert find_key(text) is None


def test_a_revoked_an_expired_and_a_closed_accounts_key(alice: User) -> None:
    revoked, revoked_text = create_key(alice, "revoked")
    revoke_key(revoked)
    _expired, expired_text = create_key(alice, "expired", timezone.now() - timedelta(seconds=1))
    _good, good_text = create_key(alice, "good", timezone.now() + timedelta(hours=1))
    assert [find_key(text) is not None for text in (revoked_text, expired_text, good_text)] == [False, False, True]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert find_key(good_text) is None


def test_last_use_is_written_at_most_once_a_minute(alice: User, django_assert_num_queries) -> None:
    key, text = create_key(alice, "laptop")
    with django_assert_num_queries(2):
        find_key(text)
    with django_assert_num_queries(1):
        find_key(text)
    ApiKey.objects.filter(pk=key.pk).update(last_used=timezone.now() - timedelta(seconds=61))
    with django_assert_num_queries(2):
        find_key(text)
    key.refresh_from_db()
    assert key.last_used
    assert timezone.now() - key.last_used < timedelta(seconds=10)


@pytest.mark.parametrize("path", ["/api/v1/projects", "/jupyter/api/contents"])
def test_a_bearer_key_is_its_user(charlies: Client, project: Project, alices_key: str, path: str) -> None:
    answer = charlies.get(path, headers=bearer(alices_key))
    assert answer.status_code == 200
    assert "penguins" in answer.content.decode()


def test_jupyters_forms_work_under_jupyter_only(charlies: Client, project: Project, alices_key: str) -> None:
    assert charlies.get("/jupyter/api/contents", headers=bearer(alices_key, "token")).status_code == 200
    assert charlies.get(f"/jupyter/api/contents?token={alices_key}").status_code == 200
    assert charlies.get("/api/v1/projects", headers=bearer(alices_key, "token")).status_code == 401
    assert charlies.get(f"/api/v1/projects?token={alices_key}").status_code == 401


@pytest.mark.parametrize("headers", [bearer("wrong"), bearer(""), bearer("x", "Basic"), bearer("y", "token")])
@pytest.mark.parametrize("path", ["/api/v1/projects", "/jupyter/api/contents"])
def test_a_wrong_key_is_refused_even_with_a_good_cookie(alices: Client, headers: dict[str, str], path: str) -> None:
    answer = alices.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "bad_key"


def test_a_key_does_not_sign_in_to_pages(charlies: Client, project: Project, alices_key: str) -> None:
    for path in ("/dashboard", "/keys", f"/p/{project.pk}/"):
        assert charlies.get(path, headers=bearer(alices_key)).status_code == 302


@pytest.mark.parametrize("path", ["/api/v1/projects", "/jupyter/api/contents/penguins"])
def test_an_unsafe_request_by_cookie_needs_its_token(alice: User, project: Project, alices_key: str, path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    body = json.dumps({"name": "x", "image": project.image, "type": "file"})
    refused = browser.post(path, body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
    browser.get(f"/p/{project.pk}/")
    token = browser.cookies["csrftoken"].value
    made = browser.post(path, body, content_type="application/json", headers={"X-CSRFToken": token})
    assert made.status_code == 201
    by_key = Client(enforce_csrf_checks=True)
    assert by_key.post(path, body, content_type="application/json", headers=bearer(alices_key)).status_code == 201


def test_a_key_is_shown_once(alices: Client, alice: User) -> None:
    made = alices.post("/keys", {"name": "laptop", "lifetime": "30"})
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    text = KEY.search(made.content.decode())
    assert text
    found = find_key(text[0])
    assert found
    assert found.user == alice
    page = alices.get("/keys").content.decode()
    assert "laptop" in page
    assert text[0] not in page


@pytest.mark.parametrize(
    "data", [{"name": "", "lifetime": "30"}, {"name": "x" * 81, "lifetime": "30"}, {"name": "x", "lifetime": "9"}]
)
def test_a_key_form_that_makes_no_sense(alices: Client, data: dict[str, str]) -> None:
    assert alices.post("/keys", data).status_code == 400
    assert not ApiKey.objects.exists()


def test_bob_cannot_revoke_alices_key(bobs: Client, charlies: Client, alice: User) -> None:
    key, text = create_key(alice, "laptop")
    assert bobs.post(f"/keys/{key.pk}/revoke").status_code == 404
    assert charlies.post(f"/keys/{key.pk}/revoke").status_code == 302
    assert find_key(text)
    assert "laptop" not in bobs.get("/keys").content.decode()


def test_alice_revokes_her_key(alices: Client, alice: User) -> None:
    key, text = create_key(alice, "laptop")
    assert alices.get(f"/keys/{key.pk}/revoke").status_code == 405
    assert alices.post(f"/keys/{key.pk}/revoke").status_code == 302
    assert find_key(text) is None


def test_the_command_prints_a_key_once(alice: User, capsys) -> None:
    call_command("apikey", "create", "Alice@example.org", "--name", "ci", "--days", "1")
    text = capsys.readouterr().out.strip()
    found = find_key(text)
    assert found
    assert found.name == "ci"
    call_command("apikey", "list", alice.email)
    listed = capsys.readouterr().out
    assert "ci" in listed
    assert text not in listed
    call_command("apikey", "revoke", text)
    assert find_key(text) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "nobody@example.org"],
        ["create", "alice@example.org", "--name", ""],
        ["create", "alice@example.org", "--days", "0"],
        ["revoke", "nonsense"],
    ],
)
def test_the_command_says_what_is_wrong(alice: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("apikey", *arguments)
    assert not ApiKey.objects.exists()
