"""Fixtures for all tests, and the must-work switch: with MADANG_MUST_WORK=1 nothing may be skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as examples

from tests.live import Site, missing_for_site
from tests.settings import IMAGES

# How long an example takes is the machine's affair.
examples.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("patient")

MUST_WORK = os.environ.get("MADANG_MUST_WORK") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need PostgreSQL are skipped on anything else."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return
    skip = pytest.mark.skip(reason="needs PostgreSQL and Redis: bin/test postgres")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where everything must work, a skipped test is a failed one."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if MUST_WORK and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although MADANG_MUST_WORK=1: {report.longrepr}"
    return report  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def _redis_afresh() -> None:
    """A channel layer on Redis has locks of the event loop that first used it; each test has a loop of its own."""
    if settings.REDIS_URL:
        channel_layers.backends.clear()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real site, started as people start it: web and the session service as processes of their own."""
    if missing := missing_for_site():
        pytest.skip(missing)
    # Images test themselves elsewhere: at once with all else, on a busy machine, one might be found wanting.
    prices = {"MADANG_PRICES": "USD cpu=0.04 memory=0.005 sent=0.09"}
    with Site.started(tmp_path_factory.mktemp("site"), IMAGES, MADANG_SELFTESTS="0", **prices) as running:
        yield running


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Threads that outlive their test have connections of their own: PostgreSQL removes no database that is in use."""
    yield
    if connection.vendor != "postgresql":
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state directory for what is started as a process of its own."""
    monkeypatch.setenv("MADANG_STATE", str(tmp_path))
    return tmp_path
