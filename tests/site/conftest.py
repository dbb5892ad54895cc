"""A whole site and clients of its WebSockets, without a browser (whose driver keeps the event loop to itself)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live import Account, Site, client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a whole site, and belongs to the stage that starts one."""
    for item in items:
        if "tests/site" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def owner(site: Site) -> Account:
    return site.account("owner")


@pytest.fixture
def http(site: Site, owner: Account) -> Iterator[httpx.Client]:
    """REST as ``owner``; sessions that a failed test has left are ended."""
    with client(site, owner) as http:
        yield http
        for session in http.get("/api/v1/sessions", params={"state": "live"}).raise_for_status().json()["items"]:
            http.delete(f"/api/v1/sessions/{session['id']}")


@pytest.fixture
def project(http: httpx.Client) -> dict[str, Any]:
    """A new project of ``owner``'s, as REST tells of it."""
    image = http.get("/api/v1/images").raise_for_status().json()[0]["name"]
    made: dict[str, Any] = (
        http.post("/api/v1/projects", json={"name": "Notebooks", "image": image}).raise_for_status().json()
    )
    return made
