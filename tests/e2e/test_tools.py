"""What the editor does for a developer: completion, problems, definitions, layout, running, git."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import DESKTOP, PHONE, screenshot
from tests.e2e.editor import Editor
from tests.e2e.pages import PATIENCE, Workspace
from tests.live import Account, Site, client

SHAPES = '''import math


def area(radius: float) -> float:
    """The area of a circle."""
    return math.pi * radius**2
'''
MAIN = "from shapes import area\n\nprint(area(2))\n"


@pytest.fixture
def project(site: Site, account: Account, project: str) -> str:
    """One with two files."""
    with client(site, account) as http:
        slug = http.get(f"/api/v1/projects/{project}").raise_for_status().json()["slug"]
        for name, text in (("shapes.py", SHAPES), ("main.py", MAIN)):
            body = {"type": "file", "format": "text", "content": text}
            http.put(f"/jupyter/api/contents/{slug}/{name}", json=body).raise_for_status()
    return project


@pytest.fixture
def editor(workspace: Workspace) -> Editor:
    return Editor(workspace)


def test_what_is_typed_is_completed_and_a_call_explained(editor: Editor) -> None:
    editor.go(3)
    editor.page.keyboard.press("Enter")
    editor.page.keyboard.type("import math; math.is")
    options = editor.page.locator(".cm-tooltip-autocomplete li")
    expect(options.filter(has_text="isfinite").first).to_be_visible(timeout=PATIENCE)
    editor.page.keyboard.press("Escape")
    editor.page.keyboard.type("; area(")
    expect(editor.page.locator(".cm-lsp-signature-tooltip")).to_contain_text("radius", timeout=PATIENCE)


def test_a_word_under_the_pointer_is_explained(editor: Editor) -> None:
    editor.page.mouse.move(*editor.word("area"))
    expect(editor.page.locator(".cm-lsp-hover-tooltip")).to_contain_text("The area of a circle", timeout=PATIENCE)
    screenshot(editor.page, "hover")


def test_problems_are_marked_listed_and_found(editor: Editor) -> None:
    editor.replace(MAIN + "\n" * 60 + "print(nowhere)\n")
    expect(editor.it.locator(".cm-lintRange-error").first).to_be_attached(timeout=PATIENCE)
    editor.page.keyboard.press("Control+Home")
    expect(editor.it.get_by_text("nowhere")).not_to_be_in_viewport()
    editor.tab(re.compile("Problems"))
    screenshot(editor.page, "problems")
    editor.tools.get_by_role("button", name=re.compile("nowhere")).click()
    expect(editor.it.get_by_text("nowhere")).to_be_in_viewport()


def test_a_definition_in_another_file_is_opened(editor: Editor) -> None:
    editor.page.mouse.click(*editor.word("area"))
    editor.page.keyboard.press("F12")
    expect(editor.page.get_by_role("tab", name="shapes.py")).to_have_attribute(
        "aria-selected", "true", timeout=PATIENCE
    )
    expect(editor.it.locator(".cm-activeLine")).to_contain_text("def area", timeout=PATIENCE)


def test_a_symbol_is_renamed_in_files_that_are_not_open_too(editor: Editor, site: Site, account: Account) -> None:
    editor.page.mouse.click(*editor.word("area"))
    editor.page.keyboard.press("F2")
    field = editor.it.get_by_role("textbox", name="New name")
    field.fill("surface")
    field.press("Enter")
    expect(editor.text).to_contain_text("print(surface(2))", timeout=PATIENCE)
    editor.page.get_by_role("treeitem", name="shapes.py").dblclick()
    expect(editor.it.locator(".cm-content")).to_contain_text("def surface", timeout=PATIENCE)


def test_a_file_is_laid_out(editor: Editor) -> None:
    editor.replace("x = {  'a':1 }\nprint( x )\n")
    editor.page.keyboard.press("Shift+Alt+F")
    expect(editor.text).to_contain_text('x = {"a": 1}print(x)', timeout=PATIENCE)


def test_a_file_runs_with_input_and_its_error_leads_to_its_line(editor: Editor) -> None:
    editor.replace("name = input('who? ')\nprint('hello', name)\n\n\n1 / 0\n")
    editor.page.keyboard.press("F5")
    screen = editor.tools.locator(".xterm-rows")
    expect(screen).to_contain_text("who?", timeout=PATIENCE)
    editor.page.keyboard.type("Yuna\n")
    expect(screen).to_contain_text("hello Yuna", timeout=PATIENCE)
    expect(editor.tools.get_by_text("exit status 1")).to_be_visible(timeout=PATIENCE)
    mark = editor.it.locator(".cm-run-mark")
    expect(mark.first).to_contain_text("1 / 0", timeout=PATIENCE)
    screenshot(editor.page, "run-here")
    editor.tab(re.compile("Problems"))
    expect(
        editor.tools.get_by_role("button", name=re.compile("ZeroDivisionError: division by zero, line 5"))
    ).to_be_visible()


def test_a_server_that_is_killed_comes_back(editor: Editor) -> None:
    editor.workspace.wait_for_prompt()
    editor.workspace.type("pkill -9 -x ty")
    editor.page.get_by_role("tab", name="main.py").click()
    editor.replace(MAIN + "print(nowhere)\n")
    expect(editor.it.locator(".cm-lintRange-error").first).to_be_attached(timeout=PATIENCE)


def test_changes_are_seen_compared_discarded_and_committed(editor: Editor) -> None:
    git = editor.tools.locator("madang-git")
    editor.tab("Git")
    git.get_by_role("button", name="Make it a repository").click()
    git.get_by_role("button", name="Stage all").click(timeout=PATIENCE)
    git.get_by_role("textbox", name="Message of the commit").fill("Circles")
    git.get_by_role("button", name="Commit", exact=True).click()
    git.get_by_label("Name").fill("Yuna")
    git.get_by_label("Email").fill("yuna@example.com")
    git.get_by_role("button", name="Commit", exact=True).click()
    expect(git).to_contain_text("Nothing has changed", timeout=PATIENCE)
    git.get_by_role("button", name="Commits").click()
    expect(git.locator("ol")).to_contain_text("Circles", timeout=PATIENCE)
    editor.replace(MAIN + "print(area(3))\n")
    editor.page.keyboard.press("ControlOrMeta+s")
    git.get_by_role("button", name=re.compile("main.py")).first.click(timeout=PATIENCE)
    expect(git.locator(".diff")).to_contain_text("print(area(3))", timeout=PATIENCE)
    screenshot(editor.page, "git")
    git.get_by_role("button", name="Discard changes: main.py").click()
    with editor.page.expect_response("**/commands"):  # whoever comes back to the window is still asked
        editor.page.evaluate("window.dispatchEvent(new Event('focus'))")
    git.get_by_role("alertdialog").get_by_role("button", name="Discard changes").click()
    expect(editor.text).not_to_contain_text("area(3)", timeout=PATIENCE)
    expect(git).to_contain_text("Nothing has changed", timeout=PATIENCE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_reads_in_korean_and_in_both_lights(editor: Editor, theme: str) -> None:
    page: Page = editor.page
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    editor.tab("Git")
    with page.expect_response("**/language"):
        page.get_by_role("button", name="한국어").first.click()
    expect(editor.tools.get_by_role("tab", name="출력")).to_be_visible()
    screenshot(page, f"tools-korean-{theme}")
    page.set_viewport_size(PHONE)
    editor.tab("출력")
    screenshot(page, f"tools-phone-{theme}")
    page.set_viewport_size(DESKTOP)
    with page.expect_response("**/language"):  # the choice is the account's, which other tests have as well
        page.get_by_role("button", name="EN", exact=True).first.click()
    expect(editor.tools.get_by_role("tab", name="Output")).to_be_visible()
