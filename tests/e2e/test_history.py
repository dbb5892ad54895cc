"""The history of a file: back through its states by slider, compared with now, restored, copied."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.conftest import Open
from tests.e2e.notebooks import Notebook, code, notebook_of, text
from tests.e2e.pages import PATIENCE, Workspace, focused, sign_in, take_in
from tests.e2e.test_many_ways import AXE, serious
from tests.live import Account, Site, wait_for

OLD = "def area(r):\n    return 3 * r * r\n\n\nprint(area(2))\n"
NEW = "from math import pi\n\n\ndef area(r):\n    return pi * r * r\n\n\nprint(area(2))\n"


@pytest.fixture
def folder(site: Site, project: str) -> Path:
    return site.state / "projects" / project


def open_at(page: Page, site: Site, account: Account, project: str, file: str = "main.py") -> Locator:
    """The editor, with the file in it."""
    sign_in(page, site, account)
    page.goto(f"{site.url}/p/{project}/?file={file}")
    content = page.locator("madang-editor:visible .cm-content")
    expect(content).to_be_visible(timeout=PATIENCE)
    return content


def shown(page: Page) -> Locator:
    """The history, open, with a state to look at."""
    history = page.locator("madang-history")
    expect(history.get_by_role("slider")).to_be_focused(timeout=PATIENCE)
    return history


def write_states(content: Locator, file: Path, *texts: str) -> None:
    """Have programs write these, one after the other, each seen by the page."""
    for text_ in texts:
        file.write_text(text_)
        expect(content).to_have_text(re.compile(re.escape(text_.strip().splitlines()[-1])), timeout=PATIENCE)


def test_two_people_and_the_states_of_one_file(
    open_page: Open, site: Site, account: Account, project: str, folder: Path
) -> None:
    other = site.account("other")
    take_in(site, account, project, other, "editor")
    file = folder / "main.py"
    file.write_text(OLD)
    one, two = open_page(), open_page(color_scheme="dark")
    mine, theirs = open_at(one, site, account, project), open_at(two, site, other, project)
    old = OLD + "# by a program\n"
    write_states(mine, file, old)
    expect(theirs).to_contain_text("# by a program", timeout=PATIENCE)
    theirs.click()
    two.keyboard.press("Control+A")
    two.keyboard.insert_text(NEW)
    wait_for(lambda: file.read_text() == NEW, what="the file to be saved")

    mine.click()
    one.keyboard.press("Shift+Alt+H")
    history = shown(one)
    slider = history.get_by_role("slider")
    diff = history.locator(".cm-mergeView, .cm-editor").first
    expect(diff).to_contain_text("return 3 * r * r", timeout=PATIENCE)
    expect(diff).to_contain_text("return pi * r * r")
    screenshot(one, "history")
    name = other.email.split("@")[0]
    one.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(f"{name} wrote"))
    expect(history).to_contain_text("This is how it is now")
    expect(history.get_by_role("button", name="Restore this state")).to_be_disabled()
    one.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("a program wrote the file"))

    history.get_by_role("button", name="Restore this state").click()
    expect(history.get_by_role("status").first).to_contain_text("It is again as it was then.", timeout=PATIENCE)
    expect(theirs).to_contain_text("return 3 * r * r", timeout=PATIENCE)
    wait_for(lambda: file.read_text() == old, what="the old text in the file")
    history.get_by_role("button", name="Undo").click()
    expect(theirs).to_contain_text("return pi * r * r", timeout=PATIENCE)
    wait_for(lambda: file.read_text() == NEW, what="the new text in the file")

    one.keyboard.press("Escape")
    expect(history).to_have_count(0)
    expect(mine).to_be_focused()


def test_a_state_becomes_a_file_of_its_own(
    page: Page, site: Site, account: Account, project: str, folder: Path
) -> None:
    file = folder / "main.py"
    file.write_text(OLD)
    content = open_at(page, site, account, project)
    write_states(content, file, NEW + "# now\n")
    page.get_by_role("button", name="Actions for this tab").first.click()
    page.get_by_role("menuitem", name="History of this file").click()
    history = shown(page)
    expect(history.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile("^1 of 2"))
    for count, ending in ((1, r"\d\.py"), (2, r"\d-2\.py")):
        history.get_by_role("button", name="Copy to a new file").click()
        expect(history.get_by_role("status").first).to_contain_text(re.compile(f"Copied to main-.*{ending}"))
        copies = [path.read_text() for path in folder.glob("main-*.py")]
        assert copies == [OLD] * count
    history.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("tab", name=re.compile(r"^main-.*-2\.py"))).to_have_attribute("aria-selected", "true")
    assert file.read_text() == NEW + "# now\n"


def test_who_may_look_sees_a_notebooks_states_and_restores_none(
    page: Page, open_page: Open, site: Site, account: Account, project: str, folder: Path
) -> None:
    book = folder / "book.ipynb"
    out = {"output_type": "stream", "name": "stdout", "text": "5\n"}
    book.write_text(notebook_of(text("# Title"), code("a = 2\na + 3", outputs=[out]), code("gone")))
    sign_in(page, site, account)
    Workspace.open(page, site, project)
    mine = Notebook.open(page, "book.ipynb")
    changed = json.loads(notebook_of(text("# Title"), code("a = 4\na + 3"), code("new")))
    changed["cells"][2]["id"] = "another"
    book.write_text(json.dumps(changed))
    mine.expect_sources("# Title", "a = 4\na + 3", "new")

    viewer = site.account("viewer")
    take_in(site, account, project, viewer, "viewer")
    other = open_page(viewport=PHONE, has_touch=True, color_scheme="dark")
    sign_in(other, site, viewer)
    other.goto(f"{site.url}/p/{project}/?file=book.ipynb")
    Notebook(other).wait()
    other.locator("madang-workspace").evaluate("workspace => { workspace.language = 'ko' }")
    other.get_by_role("button", name="이 탭의 메뉴").first.click()
    other.get_by_role("menuitem", name="이 파일의 기록").click()
    history = shown(other)
    expect(history.get_by_role("heading")).to_have_text("book.ipynb 기록")
    cells = history.locator(".cell")
    expect(cells).to_have_count(3, timeout=PATIENCE)
    expect(cells.filter(has_text="a = 2")).to_contain_text("출력이 달랐습니다.")
    expect(cells.filter(has_text="gone")).to_contain_text("뒤에 삭제됨")
    expect(cells.filter(has_text="new")).to_contain_text("뒤에 추가됨")
    expect(history.get_by_text("지금과 같은 셀 1개")).to_be_visible()
    expect(history.get_by_role("button", name="이 상태로 되돌리기")).to_have_count(0)
    expect(history.get_by_role("button", name="새 파일로 복사")).to_have_count(0)
    screenshot(other, "history-notebook-phone-ko-dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_history(
    scheme: str, open_page: Open, site: Site, account: Account, project: str, folder: Path
) -> None:
    file = folder / "main.py"
    file.write_text(OLD)
    page = open_page(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    write_states(open_at(page, site, account, project), file, NEW + "# now\n")
    page.keyboard.press("Control+Shift+p")
    page.keyboard.type("History of")
    page.keyboard.press("Enter")
    expect(shown(page)).to_contain_text("return 3 * r * r", timeout=PATIENCE)
    assert serious(page, AXE) == []
    screenshot(page, f"history-{scheme}")
    assert "Earlier states" in focused(page)
