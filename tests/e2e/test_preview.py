"""A server in a session, seen in the workspace: as a tab on an origin of its own, by those who may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.e2e.test_many_ways import AXE, serious
from tests.live import Account, Site, client

Open = Callable[..., Page]

SERVER = """
import http.server, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Set-Cookie", "theirs=1; Domain=localhost; Path=/")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(f"<h1>Mine</h1><p>{self.path}</p><pre>{self.headers.get('Cookie')}</pre>".encode())
    def log_message(self, *args): pass
def serve():
    global server
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 8123), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
serve()
"""


LEFT = r"(1 h|5\d min) left"
"""Of an hour, some minutes later on a slow machine."""


def listed(page: Page) -> Locator:
    return page.get_by_role("region", name="Ports").get_by_role("button", name=re.compile("Preview of port 8123"))


def inside(page: Page) -> FrameLocator:
    return page.frame_locator("madang-preview:visible iframe")


def shown(page: Page) -> None:
    expect(inside(page).get_by_role("heading", name="Mine")).to_be_visible(timeout=PATIENCE)


def test_a_port_opens_as_a_tab(workspace: Workspace, site: Site, open_page: Open) -> None:
    page = workspace.page
    news = page.get_by_role("status").filter(has_text="Port 8123 is open")
    # The session's news come from now on: a port that is open when the first of them comes is none.
    expect(page.get_by_role("button", name=re.compile(r"CPU .* MiB"))).to_be_visible(timeout=PATIENCE)
    workspace.run(SERVER)
    expect(news).to_be_visible(timeout=PATIENCE)
    screenshot(page, "workspace-port-news")
    news.get_by_role("button", name="Preview", exact=True).click()
    shown(page)
    expect(news).to_be_hidden()
    expect(page.get_by_role("tab", name="Port 8123")).to_have_attribute("aria-selected", "true")
    expect(inside(page).locator("pre")).to_have_text("None")  # neither the site's cookie nor the preview's goes inside
    screenshot(page, "workspace-preview")

    path = page.get_by_role("textbox", name="Path in the preview")
    path.fill("deep/er?a=b")
    path.press("Enter")
    expect(inside(page).locator("p")).to_have_text("/deep/er?a=b", timeout=PATIENCE)
    expect(path).to_have_value("/deep/er?a=b")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open in a new browser tab").click()
    own = popup.value
    expect(own.locator("p")).to_have_text("/deep/er?a=b", timeout=PATIENCE)
    assert re.fullmatch(r"http://8123-[0-9a-f]{32}\.localhost:\d+/deep/er\?a=b", own.url)
    assert own.evaluate("document.cookie") == "theirs=1"
    kept: dict[str, Any] = {cookie["name"]: cookie for cookie in page.context.cookies(own.url)}
    assert kept["madang_preview"]["httpOnly"]
    assert kept["madang_preview"]["domain"] == own.url.split("/")[2].split(":")[0]
    assert "madang_session" not in kept
    assert "theirs" not in {cookie["name"] for cookie in page.context.cookies(site.url)}

    stranger = open_page()
    stranger.goto(own.url)
    expect(stranger.locator("body")).to_contain_text("This is a private preview.")


def test_a_tab_says_that_its_server_is_gone_and_shows_it_again(workspace: Workspace) -> None:
    page = workspace.page
    workspace.run(SERVER)
    listed(page).click()
    shown(page)
    workspace.show_console()
    workspace.run("server.shutdown(); server.server_close()")
    expect(listed(page)).to_be_hidden(timeout=PATIENCE)
    page.get_by_role("tab", name="Port 8123").click()
    expect(page.get_by_text("What listened on port 8123 has ended.")).to_be_visible()
    screenshot(page, "workspace-preview-ended")
    page.get_by_role("button", name=re.compile("Who may see")).click()
    expect(page.get_by_role("radio", name="Public")).to_be_visible(timeout=PATIENCE)
    assert serious(page, AXE) == []

    page.reload()  # the tab is remembered
    expect(page.get_by_text("Nothing listens on port 8123 yet.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Reload", exact=True)).to_be_disabled()
    workspace.wait_until_ready()
    expect(workspace.cells).to_have_count(2, timeout=PATIENCE)  # what ran before
    workspace.run("serve()")
    page.get_by_role("tab", name="Port 8123").click()
    shown(page)
    page.get_by_role("button", name="Close Port 8123").click()
    expect(page.locator("madang-preview")).to_have_count(0)


def test_by_keyboard_in_korean_and_in_the_dark(workspace: Workspace) -> None:
    page = workspace.page
    workspace.run(SERVER)
    expect(listed(page)).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Control+Shift+P")
    page.keyboard.type("Preview of port 8123")
    page.keyboard.press("Enter")
    shown(page)
    expect(page.get_by_role("textbox", name="Path in the preview")).to_be_focused()
    page.keyboard.press("Tab")
    who = page.get_by_role("button", name=re.compile("^Who may see port 8123: private"))
    expect(who).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Private")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Project")).to_be_checked()
    screenshot(page, "workspace-preview-sharing")
    page.keyboard.press("Escape")
    expect(who).to_be_focused()
    page.keyboard.press("Enter")
    with page.expect_response("**/language"):
        page.get_by_role("button", name="한국어").click()
    page.get_by_role("button", name="밝게 또는 어둡게").click()
    group = page.get_by_role("group", name="포트 8123 공개 범위")
    with page.expect_response("**/language"):  # it is the account's, which other tests have as well
        screenshot(page, "workspace-preview-sharing-dark-ko")
        words = group.inner_text()
        page.get_by_role("button", name="EN", exact=True).click()
    assert "이 세션에서 함께 작업하는 사람만" in words


def test_on_a_phone(workspace: Workspace, site: Site, account: Account, project: str, open_page: Open) -> None:
    workspace.run(SERVER)
    expect(listed(workspace.page)).to_be_visible(timeout=PATIENCE)
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, site, account)
    page.goto(f"{site.url}/p/{project}/")
    panels = page.get_by_role("navigation", name="Panels")
    panels.get_by_role("button", name="Files").tap()
    listed(page).tap()
    shown(page)
    page.get_by_role("button", name=re.compile("Who may see")).tap()
    expect(page.get_by_role("radio", name="Public")).to_be_visible()
    screenshot(page, "workspace-preview-phone")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over the edge"


def test_a_port_is_shared_with_viewers_then_with_everybody_and_taken_back(
    workspace: Workspace, site: Site, account: Account, project: str, open_page: Open
) -> None:
    viewer = site.account("viewer-of-ports")
    with client(site, account) as http:
        http.post(f"/api/v1/projects/{project}/people", json={"email": viewer.email}).raise_for_status()
    page = workspace.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    workspace.run(SERVER)
    listed(page).click()
    shown(page)

    theirs = open_page()
    sign_in(theirs, site, viewer)
    theirs.goto(f"{site.url}/p/{project}/")
    listed(theirs).click()
    expect(theirs.get_by_text("Port 8123 is not shared with you.")).to_be_visible(timeout=PATIENCE)
    share(page, "Project")
    shown(theirs)  # by itself
    screenshot(theirs, "workspace-preview-viewer")

    share(page, "Public", "1 h")
    who = page.get_by_role("button", name=re.compile(f"Who may see port 8123: public, {LEFT}"))
    expect(who).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Copy the address").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_attached()
    address = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"http://8123-[0-9a-f]{32}\.localhost:\d+/", address)
    stranger = open_page()
    stranger.goto(address)
    expect(stranger.get_by_role("heading", name="Mine")).to_be_visible(timeout=PATIENCE)

    who.click()
    expect(page.get_by_text(re.compile(rf"Public until \d+:\d\d [AP]M, {LEFT}"))).to_be_visible()
    screenshot(page, "workspace-preview-public")
    page.get_by_role("button", name="Make it private now").click()
    expect(page.get_by_role("button", name=re.compile("Who may see port 8123: private"))).to_be_visible(
        timeout=PATIENCE
    )
    stranger.reload()
    expect(stranger.locator("body")).to_contain_text("This is a private preview.")
    expect(theirs.get_by_text("Port 8123 is not shared with you.")).to_be_visible(timeout=PATIENCE)
    assert httpx.get(address.replace(httpx.URL(address).host, "127.0.0.1")).status_code == 200, "the site itself"


def share(page: Page, audience: str, seconds: str = "") -> None:
    page.get_by_role("button", name=re.compile("Who may see port 8123")).click()
    page.get_by_role("radio", name=audience).check()
    if seconds:
        page.get_by_label("For how long").select_option(seconds)
    page.get_by_role("button", name="Share", exact=True).and_(page.locator("madang-port-sharing button")).click()
    expect(page.locator("madang-port-sharing")).to_have_count(0, timeout=PATIENCE)
