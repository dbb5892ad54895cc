"""Settings from the environment, logs without secrets, the doctor, and the Korean words."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages import pofile
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal.checkup import portal_findings
from portal.environment import Environment, postgresql
from portal.logs import ScrubFormatter, scrub


@pytest.mark.parametrize(
    ("value", "meaning"), [("1", True), ("Yes", True), ("off", False), ("0", False), ("", None), ("  ", None)]
)
def test_flags(value: str, meaning: bool | None) -> None:
    assert Environment({"X": value}).flag("X", True) is (True if meaning is None else meaning)


@pytest.mark.parametrize(
    "read",
    [
        lambda env: env.flag("X", False),
        lambda env: env.integer("X", 1, at_least=0, at_most=9),
        lambda env: env.number("X", 1, at_least=0, at_most=9),
        lambda env: env.choice("X", "a", ["a", "b"]),
        lambda env: env.origins("X"),
        lambda env: env.url("X", ["postgres"]),
    ],
)
@pytest.mark.parametrize("value", ["nonsense", "10", "-1", "https://user:pw@host/path"])
def test_nonsense_is_refused_by_name(read, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="X"):
        read(Environment({"X": value}))


@pytest.mark.parametrize("value", ["127.0.0.1", "https://a.example", "a b", "a.example:x", "*.a.example"])
def test_the_preview_host_is_a_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="X"):
        Environment({"X": value}).host("X")
    assert Environment({"X": "Preview.example.org:8443"}).host("X") == "preview.example.org:8443"


@pytest.mark.parametrize("value", ["127.1", "https://a.example", "a.example/x", "a b", "a.example:0"])
def test_hosts_that_are_none_are_refused_by_name(value: str) -> None:
    for read in (Environment({"X": value}).hosts, Environment({"X": value}).allowances):
        with pytest.raises(ImproperlyConfigured, match="X"):
            read("X")


def test_hosts_have_one_spelling() -> None:
    assert Environment({"X": "A.example., *.B.example"}).hosts("X") == ["a.example", "*.b.example"]
    assert Environment({"X": "a.example:8080, [::1]"}).allowances("X") == ["a.example:8080", "[::1]"]


@pytest.mark.parametrize("value", ["mysql://user:geheim@host/x", "postgres://user:geheim@host:port/x"])
def test_a_url_that_is_refused_keeps_its_password(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="X") as raised:
        Environment({"X": value}).url("X", ["postgres"])
    assert "geheim" not in str(raised.value)


def test_a_database_url() -> None:
    url = Environment({"U": "postgres://me:p%40ss@db.example:5433/madang"}).url("U", ["postgres"])
    assert url
    assert postgresql(url) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "madang",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
    }
    with pytest.raises(ImproperlyConfigured):
        postgresql(Environment({"U": "postgres://db.example"}).url("U", ["postgres"]))  # type: ignore[arg-type]


def started(tmp_path: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "MADANG_STATE": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    return subprocess.run(
        [sys.executable, "-c", f"from portal import settings; {code}"],
        env={**environment, **variables}, capture_output=True, text=True, cwd=settings.BASE_DIR, check=False,
    )  # fmt: skip


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    keys = {started(tmp_path, "print(settings.SECRET_KEY)").stdout for _ in range(2)}
    assert len(keys) == 1
    assert len(keys.pop().strip()) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_what_is_private_is_closed_to_others(tmp_path: Path) -> None:
    started(tmp_path, "")
    modes = {name: (tmp_path / name).stat().st_mode & 0o077 for name in ("db.sqlite3", "secret_key", "mail")}
    assert modes == {"db.sqlite3": 0, "secret_key": 0, "mail": 0}


@pytest.mark.parametrize(
    ("variables", "code", "printed"),
    [
        ({}, "print(settings.SESSION_COOKIE_SECURE, settings.DEBUG)", "False False"),
        ({"MADANG_ORIGINS": "https://a.example"}, "print(settings.SESSION_COOKIE_SECURE)", "True"),
        ({"MADANG_ORIGINS": "http://a.example"}, "print(settings.SESSION_COOKIE_SECURE)", "False"),
        ({"DATABASE_URL": "postgres://h/d"}, "print(settings.DATABASES['default']['NAME'])", "d"),
        (
            {"REDIS_URL": "redis://h"},
            "print(settings.CHANNEL_LAYERS['default']['CONFIG'])",
            "{'hosts': [{'address': 'redis://h', 'socket_timeout': None}]}",
        ),
        ({"MADANG_MAIL": "smtps://u:p@h"}, "print(settings.EMAIL_PORT, settings.EMAIL_USE_SSL)", "465 True"),
        ({}, "print(settings.MADANG_PRICES)", "Prices(currency='', micros={})"),
        ({"MADANG_PRICES": "EUR cpu=0.04"}, "print(settings.MADANG_PRICES.micros)", "{'cpu': 40000}"),
        ({"MADANG_MAIL": "console"}, "print(settings.EMAIL_BACKEND.split('.')[-2])", "console"),
    ],
)
def test_settings_follow_the_environment(tmp_path: Path, variables: dict[str, str], code: str, printed: str) -> None:
    run = started(tmp_path, code, **variables)
    assert run.stdout.strip() == printed, run.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"MADANG_SIGNUP": "maybe"},
        {"MADANG_MAIL": "pigeon"},
        {"DATABASE_URL": "mysql://x"},
        {"MADANG_IDLE_TIMEOUT": "soon"},
        {"MADANG_PRICES": "USD cpu=cheap"},
    ],
)
def test_the_site_does_not_start_on_nonsense(tmp_path: Path, variables: dict[str, str]) -> None:
    run = started(tmp_path, "", **variables)
    assert run.returncode != 0
    assert next(iter(variables)) in run.stderr


KEY = "mdg_12345678_" + "s" * 43


@pytest.mark.parametrize(
    "line",
    [
        f"GET /jupyter/api/kernels?token={KEY}&x=1",
        f"WSCONNECTING /jupyter/api/kernels/1/channels?session_id=1&token={KEY}",
        f"{{'Authorization': 'Bearer {KEY}'}}",
        f"authorization: token {KEY}",
        f"somebody wrote {KEY} by mistake",
        "GET /accounts/password/reset/key/1-ssssssssss/",
        "GET /accounts/confirm-email/ssssssssss:1x:ssssssssss/",
    ],
)
def test_secrets_are_scrubbed(line: str) -> None:
    assert "sssss" not in scrub(line)
    assert scrub(line)[:4] == line[:4]


def test_a_traceback_is_scrubbed_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ScrubFormatter())
    record_logger = logging.getLogger("tests.portal.scrub")
    record_logger.propagate = False
    record_logger.addHandler(handler)
    try:
        raise ValueError(f"bad token={KEY}")
    except ValueError:
        record_logger.exception("failed for %s", KEY)
    finally:
        record_logger.removeHandler(handler)
    assert "ValueError" in stream.getvalue()
    assert "sssss" not in stream.getvalue()


def test_daphnes_access_log_is_scrubbed() -> None:
    from daphne.access import AccessLogGenerator

    import portal.asgi  # noqa: F401 - importing it is what arranges that

    stream = io.StringIO()
    details = {"client": "c", "method": "GET", "path": f"/jupyter/?token={KEY}", "status": 200, "size": 1}
    AccessLogGenerator(stream)("http", "complete", details)
    AccessLogGenerator(stream)("websocket", "connecting", details)
    assert stream.getvalue().count("token=…") == 2
    assert "sssss" not in stream.getvalue()


@pytest.mark.django_db
def test_the_checkup_looks_at_each_part(tmp_path: Path) -> None:
    settings_state = settings.MADANG_STATE
    assert settings_state == tmp_path
    found = {finding.name: finding for finding in portal_findings()}
    assert found["database"].state == "found"
    assert found["session service"].state == "optional"
    assert found["session service"].mend
    assert set(found) == {"database", "session service", "front end", "mail", "https"}


@pytest.mark.django_db
def test_the_checkup_sees_a_service_that_listens(tmp_path: Path) -> None:
    import socket

    from sessions.service.server import socket_path

    path = socket_path(tmp_path)
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        found = {finding.name: finding for finding in portal_findings()}
    assert found["session service"].state == "found"


def catalogue():
    with (settings.BASE_DIR / "locale" / "ko" / "LC_MESSAGES" / "django.po").open("rb") as file:
        return pofile.read_po(file, locale="ko")


def test_every_word_is_korean() -> None:
    without = [message.id for message in catalogue() if message.id and not (message.string and all(message.string))]
    assert without == []
    assert not [message.id for message in catalogue() if message.fuzzy and message.id]


def test_placeholders_survive_translation() -> None:
    wrong = [message.id for message in catalogue() if message.id and list(message.check())]
    assert wrong == []
