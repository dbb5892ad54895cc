"""Every page, asked the same questions by Alice (owner), Bob (another user) and Charlie (a stranger)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone, translation

from portal.models import Project, User
from portal.projects import create_project, delete_project
from portal.templatetags.madang import gibihours, milliseconds, money
from portal.views.usage import PRICE_WORDS
from sandbox.images import images
from sandbox.usage import Usage
from sessions.models import Session, UsageLine
from sessions.prices import PRICED, Prices

OWN_PAGES = ["/dashboard", "/projects/new", "/keys", "/usage", "/accounts/profile"]
OBJECT_PAGES = ["/p/{id}/", "/projects/{id}/settings", "/projects/{id}/people", "/projects/{id}/download"]
OBJECT_ACTS = [
    f"/projects/{{id}}/{act}"
    for act in (
        "settings",
        "image",
        "packages",
        "delete",
        "restore",
        "fork",
        "archive",
        "people",
        "leave",
        "give",
        "offer",
        "links/viewer",
        "datasets",
        "secrets",
    )
]
ELSEWHERE = {"projects/{id}/people/{id}", "projects/{id}/invitations/{id}", "join/{id}", "imports/{id}"}


def text(answer) -> str:
    return unescape(answer.content.decode())


@pytest.mark.parametrize("path", OWN_PAGES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_pages_of_ones_own(alices, charlies, project: Project, path: str, language: str) -> None:
    answer = alices.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in text(answer)
    stranger = charlies.get(path)
    assert stranger["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("path", OBJECT_PAGES)
def test_pages_of_a_project(alices, bobs, charlies, project: Project, path: str) -> None:
    path = path.format(id=project.pk)
    assert alices.get(path).status_code == 200
    assert bobs.get(path).status_code == 404
    assert "Penguins" not in text(bobs.get(path))
    assert charlies.get(path).status_code == 302
    assert alices.get(path.replace(str(project.pk), str(uuid.uuid4()))).status_code == 404


@pytest.mark.parametrize("path", OBJECT_ACTS)
def test_acts_on_a_project(bobs, charlies, project: Project, path: str) -> None:
    path = path.format(id=project.pk)
    assert bobs.post(path, {"name": "stolen"}).status_code == 404
    assert charlies.post(path, {"name": "stolen"}).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.deleted_at) == ("Penguins", None)


def test_every_page_with_an_id_is_asked_about() -> None:
    """A new page about one object belongs into the lists above (or has its own test, below)."""
    with_id = {
        re.sub(r"<[^>]+>", "{id}", str(pattern.pattern))
        for pattern in get_resolver().url_patterns
        if "<" in str(pattern.pattern) and not str(pattern.pattern).startswith(("jupyter/", "api/"))
    }
    listed = {path.lstrip("/") for path in OBJECT_PAGES + OBJECT_ACTS}
    listed = {path.replace("links/viewer", "links/{id}") for path in listed} | ELSEWHERE
    assert with_id == listed | {"keys/{id}/revoke", "sessions/{id}/stop", "sessions/{id}/ports/{id}/"}


def test_acts_need_a_post_and_its_token(alice: User, project: Project) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    for path in ("delete", "restore"):
        assert browser.get(f"/projects/{project.pk}/{path}").status_code == 405
    refused = browser.post(f"/projects/{project.pk}/delete")
    assert refused.status_code == 403
    assert "We could not tell that this came from you" in text(refused)
    project.refresh_from_db()
    assert project.deleted_at is None


def test_the_first_page(alices: Client, charlies: Client) -> None:
    page = text(charlies.get("/"))
    assert "/accounts/signup/" in page
    assert alices.get("/")["Location"] == "/dashboard"
    assert charlies.head("/").status_code == 200


def test_a_new_project_opens(alices: Client, alice: User, image: str) -> None:
    answer = alices.post("/projects/new", {"name": "Heat", "image": image})
    made = Project.objects.get(owner=alice)
    assert answer["Location"] == f"/p/{made.pk}/"
    page = text(alices.get(answer["Location"]))
    assert re.search(
        rf'<madang-workspace project="{made.pk}" slug="heat" name="Heat" image="{image}" kernel="python3"', page
    )
    assert re.search(r'csrf="\w{64}"', page)


def test_a_new_project_may_be_in_any_language_of_this_host(alices: Client, alice: User) -> None:
    page = text(alices.get("/projects/new"))
    titles = re.findall(r"<b>([^<]+)</b>", page)
    assert titles == [image.title for image in images().values()]
    assert titles[0].startswith("Python")
    answer = alices.post("/projects/new", {"name": "Shell", "image": "bash"})
    made = Project.objects.get(owner=alice)
    assert (made.directory / "main.sh").exists()
    page = text(alices.get(answer["Location"]))
    assert 'image="bash" kernel="bash" runs=".sh" first="main.sh"' in page


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "x" * 10_000}, "80 characters"),
        ({"name": " "}, "required"),
        ({"image": "cobol:60"}, "not one of the available choices"),
    ],
)
def test_a_new_project_that_makes_no_sense(alices: Client, image: str, data: dict[str, str], said: str) -> None:
    answer = alices.post("/projects/new", {"name": "Heat", "image": image, **data})
    assert answer.status_code == 400
    assert said in text(answer)
    assert not Project.objects.exists()


def test_names_are_shown_not_run(alices: Client, alice: User, image: str) -> None:
    name = '"><script>alert(1)</script>'
    made = create_project(alice, name, image)
    for path in ("/dashboard", f"/p/{made.pk}/", f"/projects/{made.pk}/settings"):
        assert b"<script>alert" not in alices.get(path).content


def test_rename(alices: Client, project: Project) -> None:
    alices.post(f"/projects/{project.pk}/settings", {"name": "Pinguine"})
    project.refresh_from_db()
    assert (project.name, project.slug) == ("Pinguine", "penguins")


def test_delete_offers_to_undo(alices: Client, project: Project) -> None:
    page = text(alices.post(f"/projects/{project.pk}/delete", follow=True))
    assert f'action="/projects/{project.pk}/restore"' in page
    assert f'href="/p/{project.pk}/"' not in page
    alices.post(f"/projects/{project.pk}/restore")
    assert f'href="/p/{project.pk}/"' in text(alices.get("/dashboard"))


def test_what_is_past_its_grace_cannot_be_restored(alices: Client, project: Project) -> None:
    delete_project(project)
    Project.objects.update(deleted_at=timezone.now() - timedelta(days=8))
    assert alices.post(f"/projects/{project.pk}/restore").status_code == 404


def test_an_empty_dashboard_has_one_thing_to_do(alices: Client, bobs: Client, project: Project) -> None:
    page = text(bobs.get("/dashboard"))
    assert "Your first project" in page
    assert "Penguins" not in page


def test_the_dashboard_searches_sorts_and_pages(alices: Client, alice: User, image: str) -> None:
    for number in range(30):
        create_project(alice, f"Project {number:02}", image)
    names = re.findall(r'class="name"[^>]*>([^<]+)<', text(alices.get("/dashboard?sort=name")))
    assert names == [f"Project {number:02}" for number in range(25)]
    names = re.findall(r'class="name"[^>]*>([^<]+)<', text(alices.get("/dashboard?sort=name&page=2")))
    assert names == [f"Project {number:02}" for number in range(25, 30)]
    names = re.findall(r'class="name"[^>]*>([^<]+)<', text(alices.get("/dashboard?q=ect+07")))
    assert names == ["Project 07"]
    assert "No project is called anything like" in text(alices.get("/dashboard?q=%25"))
    assert alices.get("/dashboard?page=x&sort=x&q=" + "x" * 5000).status_code == 200


def test_the_dashboards_queries_do_not_grow(
    alices: Client, alice: User, image: str, django_assert_max_num_queries
) -> None:
    for number in range(20):
        made = create_project(alice, f"P{number}", image)
        add_session(alice, made, "running")
    with django_assert_max_num_queries(14):
        alices.get("/dashboard")


def add_session(user: User, project: Project | None, state: str, **usage: int) -> Session:
    now = timezone.now()
    return Session.objects.create(
        user=user,
        project=project.pk if project else None,
        image=project.image if project else "python:3.11",
        slots={"cpu": 1.0, "memory": 1 << 30},
        state=state,
        idle_timeout=60,
        created=now - timedelta(milliseconds=20),
        started=now,
        ended=now if state in {"stopped", "failed"} else None,
        usage=Usage(**usage).as_dict(),
    )


def test_the_dashboard_shows_what_runs(alices: Client, bobs: Client, alice: User, project: Project) -> None:
    session = add_session(alice, project, "running", cpu_ms=1500, memory_kib=212 * 1024)
    page = text(alices.get("/dashboard"))
    assert f'action="/sessions/{session.pk}/stop"' in page
    assert "1.5 s" in page
    assert "212.0 MiB" in page or "212 MiB" in page
    assert str(session.pk) not in text(bobs.get("/dashboard"))


def test_stopping_is_for_the_owner(alices, bobs, charlies, alice: User, project: Project, monkeypatch) -> None:
    called = []

    async def call(method: str, **params: object) -> dict[str, object]:
        called.append((method, params))
        return {}

    monkeypatch.setattr("portal.running.client.call", call)
    session = add_session(alice, project, "running")
    assert bobs.post(f"/sessions/{session.pk}/stop").status_code == 404
    assert charlies.post(f"/sessions/{session.pk}/stop").status_code == 302
    assert called == []
    assert alices.post(f"/sessions/{session.pk}/stop").status_code == 302
    assert called == [("session.stop", {"id": str(session.pk), "reason": "owner"})]


def test_deleting_a_project_stops_its_session(alices: Client, alice: User, project: Project, monkeypatch) -> None:
    called = []

    async def call(method: str, **params: object) -> dict[str, object]:
        called.append(params["id"])
        return {}

    monkeypatch.setattr("portal.running.client.call", call)
    session = add_session(alice, project, "running")
    alices.post(f"/projects/{project.pk}/delete")
    assert called == [str(session.pk)]


def test_a_session_service_that_is_away_is_told(alices: Client, alice: User, project: Project, monkeypatch) -> None:
    monkeypatch.setattr("sessions.client.AWAY_SECONDS", 0.05)
    session = add_session(alice, project, "running")
    page = text(alices.post(f"/sessions/{session.pk}/stop", follow=True))
    assert "The session service does not answer" in page


def test_usage_adds_up(alices: Client, bobs: Client, alice: User, project: Project) -> None:
    now = timezone.now()
    session = add_session(alice, project, "stopped", cpu_ms=2000, wall_ms=60_000)
    for sequence, cpu in enumerate((1500, 500)):
        UsageLine.objects.create(
            session=session, sequence=sequence, begin=now, end=now, cpu_ms=cpu, wall_ms=30_000,
            memory_kib_s=1024 * 1024 * 3600, bytes_read=0, bytes_written=1024, memory_peak_kib=2048,
            bytes_received=1536, bytes_sent=512,
        )  # fmt: skip
    page = text(alices.get("/usage"))
    assert "<dd>2.0 s</dd>" in page
    assert "2.00 GiB·h" in page
    assert "<dd>2.0 KiB</dd>" in page
    assert "<dd>3.0 KiB</dd>" in page
    assert "<dd>1.0 KiB</dd>" in page
    assert "Nothing used yet" in text(bobs.get("/usage"))


def test_what_was_used_has_its_cost_where_it_has_a_price(
    alices: Client, bobs: Client, alice: User, project: Project, settings: Any
) -> None:
    now = timezone.now()
    session = add_session(alice, project, "stopped", cpu_ms=2000)
    Session.objects.filter(pk=session.pk).update(cost=12_345)
    UsageLine.objects.create(
        session=session, sequence=0, begin=now, end=now, cpu_ms=2000, wall_ms=0, memory_kib_s=0, bytes_read=0,
        bytes_written=0, memory_peak_kib=0, cost=12_345, final=True,
    )  # fmt: skip
    running = add_session(alice, create_project(alice, "Other", project.image), "running")
    Session.objects.filter(pk=running.pk).update(cost=7)
    assert "Cost" not in text(alices.get("/usage")) + text(alices.get("/dashboard"))
    settings.MADANG_PRICES = Prices.parse("USD cpu=0.04 sent=0.09")
    page = text(alices.get("/usage"))
    assert "<dd>$0.0123</dd>" in page
    assert page.count("$0.0123") == 2
    assert "CPU, an hour of a core in use" in page
    assert "$0.09" in page
    assert "$0.000007" in text(alices.get("/dashboard"))
    theirs = text(bobs.get("/usage"))
    assert "$0.04" in theirs, "who has used nothing yet wants to know the prices most"
    assert "$0.0123" not in theirs


def test_everything_that_may_have_a_price_has_words() -> None:
    assert PRICE_WORDS.keys() == PRICED.keys()


@pytest.mark.parametrize(
    ("micros", "language", "shown"),
    [(0, "en", "$0.00"), (40_000, "en", "$0.04"), (40_000, "ko", "US$0.04"), (114, "en", "$0.00011"),
     (1_234_500_000, "en", "$1,234.50"), (None, "en", "$0.00")],
)  # fmt: skip
def test_money_is_shown_as_in_the_workspace(micros: int | None, language: str, shown: str, settings: Any) -> None:
    settings.MADANG_PRICES = Prices.parse("USD cpu=1")
    with translation.override(language):
        assert money(micros) == shown


def test_usage_of_what_runs_is_that_of_now(
    alices: Client, alice: User, project: Project, settings, monkeypatch
) -> None:
    now = timezone.now()
    settings.MADANG_PRICES = Prices.parse("USD cpu=0.04")
    session = add_session(alice, project, "running", cpu_ms=1000)
    UsageLine.objects.create(
        session=session, sequence=0, begin=now, end=now, cpu_ms=1000, wall_ms=0, memory_kib_s=0, bytes_read=0,
        bytes_written=0, memory_peak_kib=0, cost=11,
    )  # fmt: skip

    async def call(method: str, id: str) -> dict[str, object]:
        cost = {"currency": "USD", "micros": 40_000}
        return {"state": "running", "usage": Usage(cpu_ms=3_600_000).as_dict(), "cost": cost}

    assert "<dd>1.0 s</dd>" in text(alices.get("/usage")), "the session service is away: what is written"
    monkeypatch.setattr("portal.running.client.call", call)
    page = text(alices.get("/usage"))
    assert "<dd>1.0 h</dd>" in page
    assert "<dd>$0.04</dd>" in page
    assert ">1.0 h</td>" in page


@pytest.mark.parametrize(
    ("shown", "amount", "english", "korean"),
    [
        (milliseconds, 90_000, "1.5 min", "1.5분"),
        (milliseconds, 5_400_000, "1.5 h", "1.5시간"),
        (gibihours, 5 * 1024 * 3600, "5.00 MiB·h", "5.00 MiB·시간"),
        (gibihours, 5 * 1024 * 1024 * 3600, "5.00 GiB·h", "5.00 GiB·시간"),
    ],
)
def test_times_are_told_in_ones_language(shown: Callable[[int], str], amount: int, english: str, korean: str) -> None:
    assert shown(amount) == english
    with translation.override("ko"):
        assert shown(amount) == korean


def test_figures_are_counted_or_left_out(charlies: Client, alice: User, project: Project) -> None:
    assert "until a session runs" not in text(charlies.get("/"))
    for _ in range(5):
        add_session(alice, project, "stopped")
    caches["process"].clear()
    page = text(charlies.get("/"))
    assert "20 ms" in page
    assert "sessions run on this site so far" in page


@pytest.mark.parametrize("path", ["/nope", "/p/not-a-uuid/", "/static/none.css"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_not_there_has_a_page(charlies: Client, db, path: str, language: str) -> None:
    answer = charlies.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert ("There is nothing here" in text(answer)) == (language == "en")


def test_our_fault_has_a_page_and_a_problem(alices: Client, monkeypatch) -> None:
    alices.raise_request_exception = False
    monkeypatch.setattr("portal.views.dashboard.running_sessions", lambda user: 1 / 0)
    monkeypatch.setattr("portal.contents.Project.objects.of", lambda user: 1 / 0, raising=False)
    page = alices.get("/dashboard")
    assert (page.status_code, "Something broke on our side" in text(page)) == (500, True)
    problem = alices.get("/jupyter/api/contents")
    assert (problem.status_code, problem.json()["code"]) == (500, "our_fault")


def test_a_host_that_is_not_ours(charlies: Client, db) -> None:
    answer = charlies.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400


def test_every_page_is_protected(alices: Client, project: Project) -> None:
    workspace = f"/p/{project.pk}/"
    for path in ["/", *OWN_PAGES, workspace, "/nope"]:
        answer = alices.get(path, follow=True)
        policy = answer["Content-Security-Policy"]
        allowed = "'self' 'wasm-unsafe-eval'" if path == workspace else "'self'"
        assert f"script-src {allowed};" in policy + ";"
        assert "frame-ancestors 'self'" in policy
        assert (answer["X-Frame-Options"], answer["Referrer-Policy"]) == ("SAMEORIGIN", "same-origin")
        scripts = re.findall(r"<script[^>]*>([^<]*)</script>", text(answer))
        assert not any(script.strip() for script in scripts)
        assert not re.search(r"\son\w+=", text(answer))


def test_times_are_in_the_browsers_zone(alices: Client, project: Project) -> None:
    delete_project(project)
    Project.objects.update(deleted_at=timezone.now().replace(hour=23, minute=30))
    pages = []
    for zone in ("UTC", "Asia/Seoul", "../../etc/passwd", "x" * 5000):
        alices.cookies["madang_timezone"] = zone
        pages += re.findall(r"gone for good on ([^<]+)<", text(alices.get("/dashboard")))
    assert pages[0] != pages[1]
    assert pages[0] == pages[2] == pages[3]
