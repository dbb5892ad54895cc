"""Notebooks run: outputs, questions, errors, interrupts, and runs that nobody watches."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from bin.lib.running import wait_for
from tests.e2e.browser import screenshot
from tests.e2e.conftest import Open
from tests.e2e.notebooks import Notebook, Project, code, text
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.live import Account, Site

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9, 16])\nplt.show()"


@pytest.fixture
def files(site: Site, account: Account, project: str) -> Project:
    return Project(site, account, project)


def test_cells_are_written_run_and_found_again_after_a_reload(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(""))
    book.write(0, "mass = 6 * 7")
    book.press("Shift+Enter")
    expect(book.source(1)).to_be_focused()
    book.page.keyboard.insert_text("print('mass', mass)\nmass")
    book.press("Control+Enter")
    book.expect_output(1, "mass 42")
    expect(book.outputs(1)).to_have_count(2, timeout=PATIENCE)
    book.run(0, PLOT)
    picture = book.cell(0).locator("madang-output img")
    expect(picture).to_be_visible(timeout=PATIENCE)
    book.page.reload()
    again = Notebook(book.page).wait()
    again.expect_output(1, "mass 42")
    expect(again.cell(0).locator("madang-output img")).to_be_visible(timeout=PATIENCE)
    screenshot(book.page, "notebook-plot")


def test_input_is_answered_below_its_cell(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("name = input('Who are you? ')\nprint('Hello', name + '!')"), code("1"))
    book.command(0)
    book.press("Shift+Enter")
    answer = book.cell(0).get_by_role("textbox", name="Who are you?")
    expect(answer).to_be_focused(timeout=PATIENCE)
    book.page.keyboard.type("Yuna")
    book.press("Enter")
    book.expect_output(0, "Hello Yuna!")
    expect(answer).to_have_count(0)
    expect(book.cell(1)).to_be_focused()


def test_an_endless_loop_is_interrupted_and_what_waits_is_dropped(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("kept = 1\nprint('looping')\nwhile True: pass"), code("print('never')"))
    book.command(0)
    book.press("Shift+Enter", "Control+Enter")
    book.expect_output(0, "looping")
    expect(book.cell(1)).to_contain_text("waiting, number 1", timeout=PATIENCE)
    expect(book.cell(0)).to_contain_text("running")
    book.press("i", "i")
    book.expect_output(0, "KeyboardInterrupt")
    expect(book.cell(1)).not_to_contain_text("waiting", timeout=PATIENCE)
    book.run(1, "print('kept', kept)")
    book.expect_output(1, "kept 1")


def test_a_traceback_leads_to_the_line_of_the_cell(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("def half(x):\n    return x / 0"), code("half(1)"))
    book.command(0)
    book.press("Shift+Enter", "Control+Enter")
    book.expect_output(1, "ZeroDivisionError: division by zero")
    expect(book.cell(1)).to_contain_text("failed")
    book.cell(1).get_by_role("button", name="Go to cell 1, line 2").click()
    expect(book.source(0)).to_be_focused()
    expect(book.page.get_by_text("Ln 2, Col 1")).to_be_visible()


def test_the_kernel_completes_explains_and_lists_its_variables(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("measured_mass = [1, 2, 3]\n마당 = 'yard'"), code(""))
    book.run(0)
    book.expect_count(0, "1")
    book.edit(1)
    book.page.keyboard.type("measured_m")
    popup = book.page.locator(".cm-tooltip-autocomplete")

    def suggested() -> bool:
        """A kernel's very first completion takes longer than the page waits for it: ask again."""
        book.press("Control+Space")
        try:
            popup.wait_for(timeout=3000)
        except PlaywrightTimeout:
            return False
        return True

    wait_for(suggested, 90, "a completion")
    expect(popup).to_contain_text("measured_mass")

    def accepted() -> bool:
        """CodeMirror takes no key for a popup that opened just now, lest somebody types on: press it again."""
        book.press("Tab")
        try:
            popup.wait_for(state="hidden", timeout=1000)
        except PlaywrightTimeout:
            return False
        return True

    wait_for(accepted, 30, "the completion to be accepted")
    book.expect_sources("measured_mass = [1, 2, 3]\n마당 = 'yard'", "measured_mass")
    book.press("Shift+Tab")
    expect(book.page.locator(".cm-inspect")).to_contain_text("[1, 2, 3]", timeout=PATIENCE)
    book.press("Escape", "Escape")
    book.page.get_by_role("button", name="Variables").click()
    panel = book.page.get_by_role("complementary", name="Variables")
    expect(panel.get_by_role("row", name=re.compile("measured_mass"))).to_contain_text("[1, 2, 3]", timeout=PATIENCE)
    expect(panel).to_contain_text("마당")
    book.run(1, "later = 'new'")
    book.expect_count(1, "2")
    expect(panel).to_contain_text("later", timeout=PATIENCE)


def test_a_restart_forgets_variables_and_run_all_runs_everything(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("x = 1"), text("# Text"), code("print('x' in globals(), x)"))
    book.page.get_by_role("button", name="Run all").first.click()
    book.expect_output(2, "True 1")
    book.write(0, "y = 2")
    book.press("Escape", "0", "0")
    book.page.get_by_role("alertdialog").get_by_role("button", name="Restart kernel").click()
    book.run(2, "print('x' in globals())")
    book.expect_output(2, "False")
    book.element.get_by_role("button", name="More", exact=True).first.click()
    book.page.get_by_role("menuitem", name="Restart and run all").click()
    book.page.get_by_role("alertdialog").get_by_role("button", name="Restart and run all").click()
    book.expect_count(2, "2")
    book.expect_count(0, "1")


def test_a_page_that_is_closed_in_mid_run_finds_it_finished(workspace: Workspace, files: Project) -> None:
    waits = (
        "import pathlib, time\nprint('begun')\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)\nprint('done')"
    )
    book = Notebook.put(workspace, files, code(waits), code("print('after it')"))
    book.command(0)
    book.press("Shift+Enter", "Control+Enter")
    book.expect_output(0, "begun")
    url = book.page.url
    book.page.goto("about:blank")
    files.write("go", "")
    book.page.goto(url)
    again = Notebook(book.page).wait()
    again.expect_output(0, "done")
    again.expect_output(1, "after it")


def test_html_of_a_program_cannot_reach_the_page(workspace: Workspace, files: Project) -> None:
    script = "<script>try { parent.document.title = 'stolen' } catch {}</script>"
    source = f"from IPython.display import HTML\nHTML(\"<p>shown</p><img src=x onerror='parent.stolen=1'>{script}\")"
    book = Notebook.put(workspace, files, code(source), text("<img src=x onerror='window.stolen = 1'> seen"))
    book.run(0)
    frame = book.cell(0).frame_locator("iframe")
    expect(frame.get_by_text("shown")).to_be_visible(timeout=PATIENCE)
    expect(book.cell(1)).to_contain_text("seen")
    assert book.page.title() != "stolen"
    assert book.page.evaluate("window.stolen") is None


def test_a_section_is_folded_with_its_heading(
    workspace: Workspace, files: Project, open_page: Open, site: Site, account: Account, project: str
) -> None:
    cells = [text("# One"), code("a = 1"), text("## Inside"), code("b = a + 1"), text("# Two"), code("print(b)")]
    book = Notebook.put(workspace, files, *cells)
    shown = book.element.locator("madang-notebook-cell:visible")
    book.command(0)
    book.press("ArrowLeft")
    expect(shown).to_have_count(3)
    expect(book.cell(0)).to_contain_text("3 cells folded")
    expect(book.cell(0).get_by_role("button", name="Section")).to_have_attribute("aria-expanded", "false")
    screenshot(book.page, "notebook-folded")

    other = open_page()
    sign_in(other, site, account)
    other.goto(f"{site.url}/p/{project}/?file=book.ipynb")
    theirs = Notebook(other).wait()
    their_shown = theirs.element.locator("madang-notebook-cell:visible")
    expect(their_shown).to_have_count(3, timeout=PATIENCE)

    book.press("Shift+Enter")
    expect(book.cell(4)).to_be_focused()
    book.press("Control+Shift+ArrowUp")
    book.expect_sources("# Two", "# One", "a = 1", "## Inside", "b = a + 1", "print(b)")
    book.press("z")
    book.expect_sources(*(cell["source"] for cell in cells))
    book.run(5)
    book.expect_output(5, "2")
    wait_for(
        lambda: json.loads(files.read("book.ipynb"))["cells"][0]["metadata"] == {"jp-MarkdownHeadingCollapsed": True},
        what="the fold in the file",
    )
    book.command(0)
    book.press("ArrowRight")
    expect(shown).to_have_count(6)
    expect(their_shown).to_have_count(6, timeout=PATIENCE)
    book.page.get_by_role("button", name="Outline").click()
    book.command(0)
    book.press("ArrowLeft")
    book.page.get_by_role("button", name="Inside", exact=True).click()
    expect(book.cell(2)).to_be_focused()
    expect(their_shown).to_have_count(3, timeout=PATIENCE)
