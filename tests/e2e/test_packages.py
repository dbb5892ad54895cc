"""Packages that stay: installed, saved by name, and there again when the next session starts."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.pages import Workspace, end_sessions, sign_in
from tests.live import Account, Site, client
from tests.sandbox.test_egress_jail import WHEEL

WHEELS = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/home/work/project/wheels"}
"""An index that needs no network: a folder of the project."""


PIP = 300_000
"""Milliseconds that pip may take on a machine that does much else."""


VISITORS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "has_touch": True},
    "dark-korean": {"color_scheme": "dark", "locale": "ko-KR"},
}


def sign_in_as(page: Page, site: Site, account: Account) -> None:
    """Whatever the page's language."""
    page.goto(f"{site.url}/accounts/login/")
    page.locator("input[name=login]").fill(account.email)
    page.locator("input[name=password]").fill(account.password)
    page.locator("main button").first.click()
    page.wait_for_url(re.compile("/dashboard"))


def expect_of_pip(workspace: Workspace, text: str) -> None:
    expect(workspace.screen).to_contain_text(text, timeout=PIP)


def equip(http: httpx.Client, project: str) -> None:
    for name, value in WHEELS.items():
        http.put(f"/api/v1/projects/{project}/secrets/{name}", json={"value": value}).raise_for_status()
    slug = http.get(f"/api/v1/projects/{project}").raise_for_status().json()["slug"]
    here = f"/jupyter/api/contents/{slug}/wheels"
    http.put(here, json={"type": "directory"}).raise_for_status()
    content = {"type": "file", "format": "base64", "content": base64.b64encode(WHEEL).decode()}
    http.put(f"{here}/yard-1.0-py3-none-any.whl", json=content).raise_for_status()


def install(page: Page, site: Site, account: Account, http: httpx.Client, project: str) -> Workspace:
    """In the terminal, as a person does."""
    equip(http, project)
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project)
    workspace.wait_for_prompt()
    workspace.type("pip install yard; echo st''atus $?")
    expect_of_pip(workspace, "status 0")
    return workspace


@pytest.mark.timeout(1500)
def test_what_is_installed_is_saved_and_there_in_the_next_session(
    page: Page, open_page: Callable[..., Page], site: Site, account: Account, project: str
) -> None:
    with client(site, account) as http:
        install(page, site, account, http, project)
        page.goto(f"{site.url}/projects/{project}/settings")
        page.get_by_role("link", name="Packages").click()
        page.get_by_label("Name").fill("plots")
        page.get_by_role("button", name="Save", exact=True).click(timeout=PIP)
        expect(page.get_by_role("row", name=re.compile("plots"))).to_contain_text("in use", timeout=PIP)
        page.get_by_text("1 package", exact=True).click()
        expect(page.get_by_text("yard 1.0")).to_be_visible()
        screenshot(page, "packages")
        for name, options in VISITORS.items():
            other = open_page(**options)
            sign_in_as(other, site, account)
            other.goto(f"{site.url}/projects/{project}/packages")
            screenshot(other, f"packages-{name}")
        end_sessions(http, project)
        workspace = Workspace.open(page, site, project)
        page.get_by_role("tab", name="packages").click()
        expect_of_pip(workspace, "Successfully installed yard-1.0")
        screenshot(page, "packages-terminal")
        workspace.show_console()
        workspace.expect_output("import yard; yard.hello()", "hello from the yard")


@pytest.mark.timeout(1500)
def test_packages_that_cannot_be_had_are_told_of_and_end_nothing(
    page: Page, site: Site, account: Account, project: str
) -> None:
    with client(site, account) as http:
        workspace = install(page, site, account, http, project)
        http.timeout = httpx.Timeout(320.0)
        saved = http.post(f"/api/v1/projects/{project}/environments", json={"name": "plots"})
        assert saved.status_code == 201, saved.text
        workspace.type("clear; rm -r wheels && echo re''moved")
        workspace.expect_on_screen("removed")
        end_sessions(http, project)
    workspace = Workspace.open(page, site, project)
    page.get_by_role("tab", name="packages").click()
    expect_of_pip(workspace, "No matching distribution found for yard")
    workspace.show_console()
    workspace.expect_output("6 * 7", "42")
