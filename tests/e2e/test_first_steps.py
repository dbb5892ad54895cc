"""From the landing page to running code, as a newcomer goes."""

from __future__ import annotations

import re
import secrets

from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, Workspace
from tests.live import Site


def test_sign_up_make_a_project_and_run_code(page: Page, site: Site) -> None:
    page.goto(site.url)
    screenshot(page, "landing")
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Email", exact=True).fill(f"newcomer-{secrets.token_hex(4)}@example.org")
    page.get_by_label("Password", exact=True).fill("a-quiet-courtyard-42")
    screenshot(page, "sign-up")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()

    expect(page).to_have_url(re.compile("/dashboard"))
    screenshot(page, "dashboard-empty")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill("First steps")
    screenshot(page, "new-project")
    page.get_by_role("button", name="Make and open").click()

    workspace = Workspace(page).wait_until_ready()
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
