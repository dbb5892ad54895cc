"""Two browsers in one file: both see everything, undo their own, and lose nothing with a connection or a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.pages import PATIENCE, sign_in
from tests.live import Account, Site, wait_for


@pytest.fixture
def file(site: Site, project: str) -> Path:
    path = site.state / "projects" / project / "main.py"
    path.write_text("first\nsecond\n")
    return path


def open_file(page: Page, site: Site, account: Account, project: str) -> Locator:
    """The editor with ``main.py`` in it."""
    sign_in(page, site, account)
    page.goto(f"{site.url}/p/{project}/")
    content = page.locator("madang-editor .cm-content")
    expect(content).to_contain_text("first", timeout=PATIENCE)
    return content


def type_at_end(page: Page, content: Locator, text: str) -> None:
    content.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def saved(page: Page) -> None:
    expect(page.get_by_role("contentinfo").get_by_text("Saved")).to_be_visible(timeout=PATIENCE)


def test_two_write_one_file(open_page: Open, site: Site, account: Account, project: str, file: Path) -> None:
    one, two = open_page(), open_page(color_scheme="dark")
    a, b = open_file(one, site, account, project), open_file(two, site, account, project)
    type_at_end(one, a, "from one\n")
    expect(b).to_contain_text("from one")
    b.click()
    two.keyboard.press("Control+Home")
    two.keyboard.insert_text("from two\n")  # at once: after a pause it would be two steps to undo
    expect(a).to_contain_text("from two")

    def named() -> bool:
        """A name is there while somebody moves, and for a moment longer."""
        two.keyboard.press("ArrowRight")
        return one.locator(".cm-ySelectionInfo").evaluate("name => getComputedStyle(name).opacity") == "1"

    wait_for(named, what="the name of who moves")
    expect(one.get_by_role("group", name="Also here")).to_be_visible()
    two.keyboard.press("Control+z")
    expect(a).not_to_contain_text("from two")
    expect(a).to_contain_text("from one")
    saved(one)  # of what the other one did it says nothing
    wait_for(lambda: file.read_text() == "first\nsecond\nfrom one\n", what="what is left in the file")
    two.close()
    expect(one.get_by_role("group", name="Also here")).to_have_count(0)


def test_a_program_writes_what_is_open(open_page: Open, site: Site, account: Account, project: str, file: Path) -> None:
    page = open_page()
    content = open_file(page, site, account, project)
    type_at_end(page, content, "mine\n")
    file.write_text("first\nsecond, by a program\n")
    expect(content).to_contain_text("by a program", timeout=PATIENCE)
    expect(content).to_contain_text("mine")
    wait_for(lambda: file.read_text() == "first\nsecond, by a program\nmine\n", what="both in the file")


def test_what_is_typed_while_the_server_is_away(
    open_page: Open, site: Site, account: Account, project: str, file: Path
) -> None:
    one, two = open_page(), open_page()
    a, b = open_file(one, site, account, project), open_file(two, site, account, project)
    type_at_end(one, a, "before ")
    expect(b).to_contain_text("before")
    two.context.set_offline(True)
    type_at_end(two, b, "asleep ")
    site.kill("web")
    one.keyboard.type("after")
    two.context.set_offline(False)
    expect(a).to_contain_text("asleep", timeout=PATIENCE)
    expect(b).to_contain_text("after", timeout=PATIENCE)
    saved(one)
    saved(two)
    words = ("first", "second", "before", "asleep", "after")
    wait_for(lambda: sorted(file.read_text()) == sorted("\n\n  " + "".join(words)), what="all of it, once")
    assert [word for word in words if word not in file.read_text()] == []


def test_a_file_that_cannot_be_shared(open_page: Open, site: Site, account: Account, project: str, file: Path) -> None:
    file.write_bytes(b"first\r\nsecond\n")
    page = open_page()
    content = open_file(page, site, account, project)
    type_at_end(page, content, "third")
    saved(page)
    wait_for(lambda: b"third" in file.read_bytes(), what="the save")
