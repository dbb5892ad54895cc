"""The console: output, plots, questions, errors, interrupt, restart."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, Workspace, expect_output_of

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9, 16])\nplt.show()"


def test_a_plot_is_shown_inline(workspace: Workspace) -> None:
    picture = workspace.run(PLOT).locator("img")
    expect(picture).to_be_visible(timeout=PATIENCE)
    width = picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width > 200, "the picture has no pixels"
    screenshot(workspace.page, "plot")


def test_input_is_asked_for_and_answered(workspace: Workspace) -> None:
    cell = workspace.run("name = input('Who are you? ')\nprint('Hello', name + '!')")
    answer = cell.get_by_role("textbox", name="Who are you?")
    expect(answer).to_be_focused(timeout=PATIENCE)
    workspace.page.keyboard.type("Yuna")
    workspace.page.keyboard.press("Enter")
    expect_output_of(cell, "Hello Yuna!")


def test_an_exception_shows_its_traceback(workspace: Workspace) -> None:
    cell = workspace.run("def half(x):\n    return x / 0\nhalf(1)")
    expect_output_of(cell, "ZeroDivisionError: division by zero")
    expect_output_of(cell, "return x / 0")
    expect(cell).to_contain_text("failed")


def test_an_endless_loop_is_interrupted_and_variables_stay(workspace: Workspace) -> None:
    workspace.expect_output("kept = 'still here'\nprint('set')", "set")
    cell = workspace.run("print('looping')\nwhile True: pass")
    expect_output_of(cell, "looping")
    workspace.console.get_by_role("button", name="Interrupt").click()
    expect_output_of(cell, "KeyboardInterrupt")
    workspace.expect_output("print(kept)", "still here")


def test_a_restarted_kernel_is_fresh(workspace: Workspace) -> None:
    workspace.expect_output("gone = 1\nprint('set')", "set")
    workspace.page.get_by_role("button", name="Restart kernel").first.click()
    workspace.page.get_by_role("alertdialog").get_by_role("button", name="Restart kernel").click()
    expect(workspace.console).to_contain_text("Kernel restarted", timeout=PATIENCE)
    workspace.expect_output("print('gone' in globals())", "False")


def test_html_of_a_program_cannot_reach_the_page(workspace: Workspace) -> None:
    script = "<script>try { parent.document.title = 'stolen' } catch {}</script>"
    code = f"from IPython.display import HTML, display\ndisplay(HTML(\"<p>shown</p>{script}\"))\nprint('done')"
    workspace.expect_output(code, "done")
    frame = workspace.last.frame_locator("iframe")
    expect(frame.get_by_text("shown")).to_be_visible(timeout=PATIENCE)
    assert workspace.page.title() != "stolen"
