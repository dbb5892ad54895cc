"""From the landing page to running code, as a newcomer goes."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, make_project, sign_up
from tests.live import Site


def test_sign_up_make_a_project_and_run_code(page: Page, site: Site) -> None:
    sign_up(page, site)
    workspace = make_project(page, "First steps")
    page.get_by_role("tab", name="main.py").click()
    page.get_by_role("button", name="Run", exact=True).first.click()
    expect(workspace.console).to_contain_text("Hello from Madang!", timeout=PATIENCE)
    workspace.expect_output("print(6*7)", "42")
    screenshot(page, "workspace")

    page.goto(f"{site.url}/dashboard")
    expect(page.get_by_role("main")).to_contain_text("First steps")
    screenshot(page, "dashboard")


def test_a_wrong_password_is_told_and_nothing_more(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill("nobody@example.org")
    page.get_by_label("Password", exact=True).fill("not-the-password")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page).to_have_url(re.compile("/accounts/login"))
    assert "not-the-password" not in (site.state / "log" / "web.log").read_text()
