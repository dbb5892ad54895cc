"""Signing up, in and out, and what goes wrong there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from portal.models import User
from tests.portal.conftest import PASSWORD

NEW = {"email": "dana@example.org", "password1": "a long enough phrase", "name": "Dana"}


def test_sign_up_leads_to_the_dashboard(charlies: Client) -> None:
    answer = charlies.post("/accounts/signup/", NEW)
    assert (answer.status_code, answer["Location"]) == (302, "/dashboard")
    user = User.objects.get()
    assert (user.email, user.name, user.check_password(NEW["password1"])) == ("dana@example.org", "Dana", True)
    assert charlies.get("/dashboard").status_code == 200


def test_sign_up_sends_a_confirmation_that_confirms(charlies: Client) -> None:
    charlies.post("/accounts/signup/", NEW)
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(mail.outbox[0].body))
    assert link
    assert charlies.get(link[1]).status_code == 200
    charlies.post(link[1])
    assert EmailAddress.objects.get().verified


def test_an_address_counts_once_whatever_its_case(charlies: Client, alice: User) -> None:
    answer = charlies.post("/accounts/signup/", {**NEW, "email": "ALICE@example.org"})
    assert answer.status_code == 200
    assert "already" in answer.content.decode()
    assert User.objects.count() == 1


def test_a_name_of_ten_thousand_characters(charlies: Client) -> None:
    answer = charlies.post("/accounts/signup/", {**NEW, "name": "x" * 10_000})
    assert answer.status_code == 200
    assert "Keep it to 80 characters: this has 10000." in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("changed", [{"email": "no address"}, {"email": ""}, {"password1": "123"}, {"password1": ""}])
def test_what_is_wrong_stands_at_its_field(charlies: Client, changed: dict[str, str]) -> None:
    answer = charlies.post("/accounts/signup/", {**NEW, **changed})
    page = answer.content.decode()
    assert 'aria-invalid="true"' in page
    assert "errorlist" in page
    assert not User.objects.exists()


def test_a_wrong_password_is_told_without_telling_who_exists(charlies: Client, alice: User) -> None:
    pages = []
    for email in (alice.email, "nobody@example.org"):
        answer = charlies.post("/accounts/login/", {"login": email, "password": "wrong"})
        assert answer.status_code == 200
        errors = re.findall(r'<ul class="errorlist nonfield.*?</ul>', answer.content.decode(), re.DOTALL)
        pages.append(errors)
    assert pages[0]
    assert pages[0] == pages[1]
    assert "_auth_user_id" not in charlies.session


def test_too_many_wrong_passwords_are_stopped(charlies: Client, alice: User) -> None:
    for _try in range(10):
        charlies.post("/accounts/login/", {"login": alice.email, "password": "wrong"})
    answer = charlies.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert "_auth_user_id" not in charlies.session
    assert answer.status_code in {200, 429}
    assert "Too many" in answer.content.decode()


def test_who_cannot_sign_in_while_redis_is_away_is_told(charlies: Client, alice: User, settings: Any) -> None:
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    settings.CACHES = settings.CACHES | {"default": away}
    answer = charlies.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert answer.status_code == 503
    assert "Try again in a minute." in answer.content.decode()
    assert charlies.get("/dashboard").status_code == 302
    assert charlies.get("/").status_code == 200


def test_closed_sign_up_says_so_and_takes_nobody(charlies: Client, settings) -> None:
    settings.MADANG_SIGNUP = "closed"
    assert "Sign-up is closed" in charlies.get("/accounts/signup/").content.decode()
    charlies.post("/accounts/signup/", NEW)
    assert not User.objects.exists()
    assert "/accounts/signup/" not in charlies.get("/").content.decode()


def test_a_forgotten_password_is_replaced(charlies: Client, alice: User) -> None:
    charlies.post("/accounts/password/reset/", {"email": alice.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link
    form = charlies.get(link[1], follow=True)
    charlies.post(form.redirect_chain[-1][0], {"password1": "another long phrase", "password2": "another long phrase"})
    alice.refresh_from_db()
    assert alice.check_password("another long phrase")


def test_an_unknown_address_is_not_given_away(charlies: Client, alice: User) -> None:
    known = charlies.post("/accounts/password/reset/", {"email": alice.email})
    unknown = charlies.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_an_old_reset_link_says_so(charlies: Client, db) -> None:
    answer = charlies.get("/accounts/password/reset/key/1-abc-def/")
    assert "This link does not work any more" in answer.content.decode()


def test_a_closed_account_does_not_get_in(charlies: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    answer = charlies.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, follow=True)
    assert "This account is closed" in answer.content.decode()
    assert "_auth_user_id" not in charlies.session


def test_signing_out_needs_a_post(alices: Client) -> None:
    alices.get("/accounts/logout/")
    assert alices.get("/dashboard").status_code == 200
    alices.post("/accounts/logout/")
    assert alices.get("/dashboard").status_code == 302


PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/wrong/",
    "/accounts/inactive/",
]
INNER_PAGES = ["/accounts/email/", "/accounts/password/change/", "/accounts/logout/", "/accounts/reauthenticate/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_account_page_is_ours(charlies: Client, path: str, language: str) -> None:
    answer = charlies.get(path, headers={"Accept-Language": language})
    page = answer.content.decode()
    assert answer.status_code in {200, 404}
    assert f'<html lang="{language}">' in page
    assert "portal/site.css" in page


@pytest.mark.parametrize("path", INNER_PAGES)
def test_every_inner_account_page_is_ours(alices: Client, path: str) -> None:
    answer = alices.get(path)
    assert answer.status_code == 200
    assert "portal/site.css" in answer.content.decode()


def test_the_language_is_kept_in_cookie_and_profile(alices: Client, alice: User) -> None:
    answer = alices.post("/language", {"language": "ko", "next": "/dashboard"})
    assert (answer.status_code, answer["Location"]) == (302, "/dashboard")
    alice.refresh_from_db()
    assert alice.language == "ko"
    assert '<html lang="ko">' in alices.get("/dashboard", headers={"Accept-Language": "en"}).content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_language_switch_leads_nowhere_else(charlies: Client, target: str) -> None:
    assert charlies.post("/language", {"language": "ko", "next": target})["Location"] == "/"


def test_an_unknown_language_changes_nothing(alices: Client, alice: User) -> None:
    alices.post("/language", {"language": "x" * 10_000})
    alice.refresh_from_db()
    assert alice.language == ""
