"""The pages as a person uses them: by what they read and press, not by how they are built."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TypeVar

import httpx
from playwright.sync_api import Locator, Page, expect

from bin.lib.browser import sign_in as sign_in
from bin.lib.running import Account, Site
from tests.e2e.browser import screenshot
from tests.live import client, wait_for

# Milliseconds. A session's first start on a busy machine; everything else is quicker and has the same limit.
PATIENCE = 60_000
Held = TypeVar("Held")
expect.set_options(timeout=PATIENCE / 4)


def wait_for_held(page: Page, held: list[Held], what: str) -> list[Held]:
    """Wait until a handler of requests holds ``what``: handlers run only while ``page`` is asked something."""
    return wait_for(lambda: (page.evaluate("0"), held)[1], what=what)


@contextmanager
def new_project(site: Site, owner: Account, name: str, image: str = "") -> Iterator[str]:
    """The id of a new project, of the first image where none is named; its sessions are ended afterwards."""
    with client(site, owner) as http:
        image = image or http.get("/api/v1/images").raise_for_status().json()[0]["name"]
        made = http.post("/api/v1/projects", json={"name": name, "image": image})
        id = str(made.raise_for_status().json()["id"])
        yield id
        end_sessions(http, id)


def end_sessions(http: httpx.Client, project: str) -> None:
    live = http.get("/api/v1/sessions", params={"project": project, "state": "live"}).raise_for_status().json()
    for session in live["items"]:
        http.delete(f"/api/v1/sessions/{session['id']}").raise_for_status()


def take_in(site: Site, owner: Account, project: str, other: Account, role: str) -> None:
    """Another account gets a role in a project."""
    with client(site, owner) as http:
        body = {"email": other.email, "role": role}
        http.post(f"/api/v1/projects/{project}/people", json=body).raise_for_status()


def sign_up(page: Page, site: Site) -> None:
    """As somebody new, from the landing page to the dashboard."""
    page.goto(site.url)
    screenshot(page, "landing")
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Email", exact=True).fill(f"newcomer-{secrets.token_hex(4)}@example.org")
    page.get_by_label("Password", exact=True).fill("a-quiet-courtyard-42")
    screenshot(page, "sign-up")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(re.compile("/dashboard"), timeout=PATIENCE)
    screenshot(page, "dashboard-empty")


def make_project(page: Page, name: str) -> Workspace:
    """From the dashboard to a new project of the first image, open and ready."""
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill(name)
    screenshot(page, "new-project")
    page.get_by_role("button", name="Make and open").click()
    return Workspace(page).wait_until_ready()


class Workspace:
    """A project, open in the browser."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    def open(cls, page: Page, site: Site, project: str, first: str = "main.py") -> Workspace:
        page.goto(f"{site.url}/p/{project}/" + (f"?file={first}" if "/" in first else ""))
        # Once the tree is there, so is what its first file needs to open by itself.
        expect(page.get_by_role("treeitem", name=PurePosixPath(first).name)).to_be_attached(timeout=PATIENCE)
        return cls(page).wait_until_ready()

    def wait_until_ready(self) -> Workspace:
        """Until the console takes code: the kernel is there."""
        self.show_console()
        expect(self.page.locator("madang-console").get_by_role("button", name="Run", exact=True)).to_be_enabled(
            timeout=PATIENCE
        )
        return self

    def start_again(self) -> Workspace:
        """Another session after the end of one."""
        self.page.get_by_role("button", name="Start again").first.click()
        # Until then the console may be the old session's, and seem to be ready.
        expect(self.page.get_by_text("This session has ended")).to_have_count(0, timeout=PATIENCE)
        return self.wait_until_ready()

    # --- the console ---

    def show_console(self) -> None:
        """Bring the console to the front, where there are tabs (a phone has a bar instead)."""
        tab = self.page.get_by_role("tab", name="Console")
        phone = self.page.get_by_role("navigation", name="Panels")
        expect(tab.or_(phone).first).to_be_visible(timeout=PATIENCE)
        if tab.is_visible():
            tab.click()

    @property
    def console(self) -> Locator:
        return self.page.locator("madang-console")

    @property
    def cells(self) -> Locator:
        return self.page.locator("madang-console-cell")

    @property
    def last(self) -> Locator:
        """The newest cell."""
        return self.cells.last

    def run(self, code: str) -> Locator:
        """Type ``code`` into the console and run it; its cell."""
        count = self.cells.count()
        self.console.get_by_role("textbox", name="Code to run").click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        expect(self.cells).to_have_count(count + 1, timeout=PATIENCE)
        return self.cells.nth(count)

    def expect_output(self, code: str, output: str | re.Pattern[str]) -> None:
        """Run ``code`` and wait for ``output`` below it."""
        expect_output_of(self.run(code), output)

    # --- the terminal ---

    @property
    def terminal(self) -> Locator:
        """The terminal that is in sight."""
        return self.page.locator("madang-terminal:visible").first

    @property
    def screen(self) -> Locator:
        return self.terminal.locator(".xterm-rows")

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        columns, rows = self.terminal.evaluate("({ screen }) => [screen.terminal.cols, screen.terminal.rows]")
        return int(columns), int(rows)

    def type(self, text: str, enter: bool = True) -> None:
        """Type into the terminal."""
        self.terminal.locator(".xterm-screen").click()
        self.page.keyboard.type(text)
        if enter:
            self.page.keyboard.press("Enter")

    def wait_for_prompt(self) -> None:
        expect(self.screen).to_contain_text("$", timeout=PATIENCE)

    def expect_on_screen(self, text: str | re.Pattern[str]) -> None:
        expect(self.screen).to_contain_text(text, timeout=PATIENCE)


def focused(page: Page) -> str:
    """The accessible name of what has the focus, as far as its attributes say."""
    script = """() => {
        let found = document.activeElement;
        while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
        return found?.getAttribute("aria-label") ?? found?.textContent?.trim() ?? "";
    }"""
    return str(page.evaluate(script))


def expect_output_of(cell: Locator, text: str | re.Pattern[str]) -> None:
    """Wait until a cell has put out ``text``: printed, drawn or raised. Its code does not count."""
    expect(cell.locator("madang-output").filter(has_text=text).first).to_be_visible(timeout=PATIENCE)
