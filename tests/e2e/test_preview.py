"""A server in a session, opened from the workspace: on an origin of its own, for its owner only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, Workspace
from tests.live import Site

Open = Callable[..., Page]

SERVER = """
import http.server, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Set-Cookie", "theirs=1; Domain=localhost")
        self.end_headers()
        self.wfile.write(f"<h1>Mine</h1><pre>{self.headers.get('Cookie')}</pre>".encode())
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8123), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""


def test_a_port_is_listed_and_its_preview_opens(workspace: Workspace, site: Site, open_page: Open) -> None:
    page = workspace.page
    workspace.run(SERVER)
    link = page.get_by_role("link", name="Open preview of port 8123")
    expect(link).to_be_visible(timeout=PATIENCE)
    screenshot(page, "workspace-ports")
    with page.expect_popup() as popup:
        link.click()
    preview = popup.value
    expect(preview.get_by_role("heading", name="Mine")).to_be_visible(timeout=PATIENCE)
    assert re.fullmatch(r"http://8123-[0-9a-f]{32}\.localhost:\d+/", preview.url)
    expect(preview.locator("pre")).to_have_text("None")  # neither the site's cookie nor the preview's goes inside
    assert preview.evaluate("document.cookie") == "theirs=1"

    cookies: dict[str, Any] = {cookie["name"]: cookie for cookie in page.context.cookies(preview.url)}
    assert cookies["madang_preview"]["httpOnly"]
    assert cookies["madang_preview"]["domain"] == preview.url.split("/")[2].split(":")[0]
    assert "madang_session" not in cookies
    assert "theirs" not in {cookie["name"] for cookie in page.context.cookies(site.url)}

    stranger = open_page()
    stranger.goto(preview.url)
    expect(stranger.locator("body")).to_contain_text("This is a private preview.")

    workspace.run("server.shutdown(); server.server_close()")
    expect(link).to_be_hidden(timeout=PATIENCE)
    preview.reload()
    expect(preview.locator("body")).to_contain_text("Nothing in the session answers at port 8123.")
