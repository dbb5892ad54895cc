"""Fixtures of the browser tests: one browser, one site, an account and a project for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from bin.lib.browser import chromium, executable
from tests.e2e.browser import DESKTOP
from tests.e2e.pages import Workspace, new_project, sign_in
from tests.live import Account, Site

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if "tests/e2e" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not executable().exists():
        pytest.skip(f"{executable()} is not there: sudo apt-get install chromium")
    with chromium() as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page in a context of its own: another visitor, another device. A script error on it fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == [], "errors in the page's scripts"


@pytest.fixture
def page(open_page: Open) -> Page:
    return open_page()


@pytest.fixture(scope="package")
def account(site: Site) -> Account:
    """One user for most tests; what must be apart has a project of its own."""
    return site.account("e2e")


@pytest.fixture
def project(site: Site, account: Account, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new project; its session is ended afterwards."""
    with new_project(site, account, request.node.name[:60]) as id:
        yield id


@pytest.fixture
def workspace(page: Page, site: Site, account: Account, project: str) -> Workspace:
    """The project, open and ready."""
    sign_in(page, site, account)
    return Workspace.open(page, site, project)
