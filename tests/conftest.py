"""Fixtures for all tests, and the must-work switch: with MADANG_MUST_WORK=1 nothing may be skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Site, missing_for_site
from tests.settings import IMAGES

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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real site, started as people start it: web and the session service as processes of their own."""
    if missing := missing_for_site():
        pytest.skip(missing)
    with Site.started(tmp_path_factory.mktemp("site"), IMAGES) as running:
        yield running


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state directory for what is started as a process of its own."""
    monkeypatch.setenv("MADANG_STATE", str(tmp_path))
    return tmp_path
