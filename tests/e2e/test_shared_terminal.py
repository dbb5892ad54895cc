"""Two people at one terminal, where a link has led the second: both see and type, each is named."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.conftest import Open
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.live import Account, Site, client, wait_for


def link_to(page: Page, tab: str) -> str:
    """The address that the menu of a terminal's tab copies."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("tab", name=tab).click(button="right")
    page.get_by_role("menuitem", name="Copy link to this terminal").click()
    return str(wait_for(lambda: page.evaluate("navigator.clipboard.readText()"), what="the link"))


def test_two_work_in_one_terminal(
    workspace: Workspace, open_page: Open, site: Site, account: Account, project: str
) -> None:
    page = workspace.page
    workspace.wait_for_prompt()
    page.get_by_role("button", name="New terminal").click()
    # The news of it may come before it is in front.
    expect(page.get_by_role("tab", name="Terminal 2")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    workspace.wait_for_prompt()
    workspace.type("clear; echo from-$((40+1))")
    workspace.expect_on_screen("from-41")
    link = link_to(page, "Terminal 2")
    assert link == f"{site.url}/p/{project}/?terminal=2"

    friend = site.account("friend")
    with client(site, account) as http:
        http.post(
            f"/api/v1/projects/{project}/people", json={"email": friend.email, "role": "editor"}
        ).raise_for_status()
    other = open_page(viewport={"width": 1000, "height": 560}, color_scheme="dark")
    sign_in(other, site, friend)
    other.goto(link)
    theirs = Workspace(other)
    expect(other.get_by_role("tab", name="Terminal 2")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    theirs.expect_on_screen("from-41")

    me, them = account.email.partition("@")[0], friend.email.partition("@")[0]
    expect(page.locator("madang-terminals .people")).to_contain_text(them, timeout=PATIENCE)
    expect(other.locator("madang-terminals .people")).to_contain_text(me, timeout=PATIENCE)
    theirs.type("clear; echo from-$((40+2)) $(stty size)")
    workspace.expect_on_screen("from-42")
    theirs.expect_on_screen("from-42")
    expect(workspace.terminal.locator(".screen.foreign")).to_be_attached()
    wait_for(lambda: workspace.size == theirs.size, what="one size for both")
    screenshot(page, "terminal-shared")
    screenshot(other, "terminal-shared-dark")
    workspace.type("clear; echo from-$((40+3))")
    theirs.expect_on_screen("from-43")
    expect(workspace.terminal.locator(".screen.foreign")).to_have_count(0)
    wait_for(lambda: workspace.size == theirs.size, what="one size for both again")
