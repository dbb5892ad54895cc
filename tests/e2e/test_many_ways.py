"""On a phone, by keyboard alone, in Korean, in the dark, with a screen reader's eyes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bin.lib.layout import FRONTEND
from tests.e2e.browser import PHONE, screenshot
from tests.e2e.pages import PATIENCE, Workspace, focused, sign_in
from tests.live import Account, Site

Open = Callable[..., Page]
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"


def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_on_a_phone(open_page: Open, site: Site, account: Account, project: str) -> None:
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.goto(site.url)
    assert fits(page)
    screenshot(page, "phone-landing")
    sign_in(page, site, account)
    assert fits(page)
    screenshot(page, "phone-dashboard")
    page.goto(f"{site.url}/p/{project}/")
    panels = page.get_by_role("navigation", name="Panels").or_(page.get_by_role("tablist", name="Panels")).first
    expect(panels).to_be_visible(timeout=PATIENCE)

    def show(name: str) -> None:
        panels.get_by_text(name, exact=True).first.tap()

    show("Console")
    workspace = Workspace(page).wait_until_ready()
    workspace.expect_output("print(6*7)", "42")
    assert fits(page)
    log, field = page.get_by_role("log").bounding_box(), workspace.console.get_by_role("textbox").bounding_box()
    assert log and field
    assert log["height"] > PHONE["height"] / 2, "what ran cannot be seen"
    assert field["y"] > log["y"] + log["height"] / 2, "code is not typed below what ran"
    screenshot(page, "phone-console")
    show("Terminal")
    workspace.wait_for_prompt()
    workspace.type("echo small-$((5*5))")
    workspace.expect_on_screen("small-25")
    screenshot(page, "phone-terminal")
    show("Files")
    expect(page.locator("madang-files")).to_contain_text("main.py")
    screenshot(page, "phone-files")
    assert fits(page)


def test_by_keyboard_alone(page: Page, site: Site, account: Account, project: str) -> None:
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Email", exact=True).focus()
    page.keyboard.type(account.email)
    page.keyboard.press("Tab")
    page.keyboard.type(account.password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/dashboard"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()

    workspace = Workspace.open(page, site, project)
    # What is not there yet cannot have the focus: a terminal takes it later, wherever one is by then.
    workspace.wait_for_prompt()
    expect(workspace.console.get_by_role("textbox", name="Code to run")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("F6")
    visited = []
    while focused(page) != "Code to run":
        visited.append(focused(page))
        assert len(visited) < 12, f"F6 does not reach the console, only: {visited}"
        page.keyboard.press("F6")
    page.keyboard.insert_text("print('by', 'keys')")
    page.keyboard.press("Shift+Enter")
    expect(workspace.console).to_contain_text("by keys", timeout=PATIENCE)


def test_in_korean(open_page: Open, site: Site, account: Account, project: str) -> None:
    page = open_page(locale="ko-KR")
    page.goto(site.url)
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("link", name="로그인").first).to_be_visible()
    screenshot(page, "korean-landing")
    page.get_by_role("link", name="로그인").first.click()
    page.locator("input[name=login]").fill(account.email)
    page.locator("input[name=password]").fill(account.password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/dashboard"))
    page.goto(f"{site.url}/p/{project}/")
    page.get_by_role("tab", name="콘솔").click()
    console = page.locator("madang-console")
    expect(console.get_by_role("button", name="실행", exact=True)).to_be_enabled(timeout=PATIENCE)
    console.get_by_role("textbox", name="실행할 코드").click()
    page.keyboard.insert_text("print('안녕하세요,', '마당')")
    page.keyboard.press("Shift+Enter")
    expect(console).to_contain_text("안녕하세요, 마당", timeout=PATIENCE)
    screenshot(page, "korean-workspace")


def test_in_the_dark(open_page: Open, site: Site, account: Account, project: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = open_page(color_scheme="light"), open_page(color_scheme="dark")
    for page in (light, dark):
        page.goto(site.url)
    assert light.evaluate(ground) != dark.evaluate(ground)
    screenshot(dark, "dark-landing")
    sign_in(dark, site, account)
    workspace = Workspace.open(dark, site, project)
    workspace.expect_output("print(6*7)", "42")
    screenshot(dark, "dark-workspace")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/accounts/signup/", "/dashboard", "/projects/new", "/keys", "workspace"]
)
def test_axe_finds_nothing_serious(
    path: str, scheme: str, open_page: Open, site: Site, account: Account, project: str
) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    if path in {"/dashboard", "/projects/new", "/keys", "workspace"}:
        sign_in(page, site, account)
    if path == "workspace":
        Workspace.open(page, site, project).expect_output("print(6*7)", "42")
    else:
        page.goto(site.url + path)
    found = serious(page, AXE)
    assert found == []


def serious(page: Page, axe: Path) -> list[str]:
    """What axe calls serious or critical on the page, a line each."""
    debugger = page.context.new_cdp_session(page)  # whom the page's policy does not keep out
    debugger.send("Runtime.evaluate", {"expression": axe.read_text(encoding="utf-8")})
    debugger.detach()
    result: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {violation['help']}: {node['target']} {node['html'][:160]}"
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]
