"""Jupyter's widgets in notebooks: drawn in frames, alive as long as their kernel is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.notebooks import Notebook, Project, code
from tests.e2e.pages import PATIENCE, Workspace
from tests.live import Account, Site

SLIDER = """import ipywidgets as w
mass = w.IntSlider(value=3, max=10, description='Mass')
mass"""
HEARD = """import ipywidgets as w
mass, heard = w.IntSlider(value=3, max=10, description='Mass'), w.Label()
mass.observe(lambda change: setattr(heard, 'value', f'heard {change.new}'), 'value')
w.VBox([mass, heard])"""
INTERACT = """from ipywidgets import interact
@interact(n=(0, 9))
def square(n=2):
    print('squared', n * n)"""

CONTROLS = """import ipywidgets as w
go = w.Button(description='Go', icon='check', button_style='primary')
on = w.Checkbox(description='On', value=True)
hostile = w.HTML('<b>bold</b><img src=x onerror="parent.hacked=1">')
w.VBox([w.HBox([go, on]), w.Dropdown(options=['plum', 'pear'], description='Fruit'), w.Text('words'),
        w.FloatProgress(value=4, max=10, description='Done'), w.Play(), hostile,
        w.Tab([w.IntText(5)], titles=['One']), w.Accordion([w.DatePicker()], titles=['When'])])"""

LONG = """import ipywidgets as w, os, time
bar, out = w.IntProgress(max=5), w.Output()
display(w.HBox([bar, out]))
with out:
    print('begun')
for at in range(3):
    bar.value = at + 1
while not os.path.exists('go'):
    time.sleep(0.05)
with out:
    print('over')"""

LATE = """import ipywidgets as w, os, time
bar, out = w.FloatProgress(max=100, description='Trained'), w.Output()
display(w.VBox([bar, out]))
bar.value = 50
with out:
    print('halfway')
while not os.path.exists('go'):
    time.sleep(0.05)
with out:
    print('over')
bar.value = 100
while not os.path.exists('end'):
    time.sleep(0.05)"""

FLOOD = "for _ in range(4000): print('x' * 10_000)"
"""More than the log of a kernel keeps."""


@pytest.fixture
def files(site: Site, account: Account, project: str) -> Project:
    return Project(site, account, project)


def widget(book: Notebook, at: int) -> FrameLocator:
    return book.outputs(at).frame_locator("iframe")


def expect_progress(shown: FrameLocator, percent: int, printed: str | re.Pattern[str]) -> None:
    bar = shown.locator(".progress-bar")
    expect(bar).to_have_attribute("style", re.compile(f"width: {percent}%"), timeout=PATIENCE)
    expect(shown.locator(".madang-output")).to_have_text(printed, timeout=PATIENCE)


def test_a_slider_moves_the_kernels_and_the_kernel_moves_it(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(HEARD), code("mass.value"), code("mass.value = 8"))
    book.run(0)
    slider = widget(book, 0).get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuenow", "3.0", timeout=PATIENCE)
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(widget(book, 0).locator(".widget-readout")).to_have_text("5")
    expect(widget(book, 0).get_by_text("heard 5")).to_be_visible(timeout=PATIENCE)  # a cell might be quicker
    book.run(1)
    book.expect_output(1, "5")
    book.run(2)
    expect(slider).to_have_attribute("aria-valuenow", "8.0", timeout=PATIENCE)
    screenshot(book.page, "widget-slider")


def test_interact_calls_again_and_its_prints_are_its_own(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(INTERACT))
    book.run(0)
    shown = widget(book, 0)
    expect(shown.locator(".madang-output")).to_have_text("squared 4", timeout=PATIENCE)
    slider = shown.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    expect(shown.locator(".madang-output")).to_have_text("squared 9", timeout=PATIENCE)
    expect(book.outputs(0)).to_have_count(1)  # nothing of it went into the cell
    book.page.reload()
    again = Notebook(book.page).wait()
    expect(widget(again, 0).locator(".madang-output")).to_have_text("squared 9", timeout=PATIENCE)
    again.page.set_viewport_size(PHONE)
    screenshot(again.page, "widget-interact-phone")


def test_widgets_of_a_cell_that_runs_are_alive_meanwhile(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("1 + 1"), code(LONG), code("import os; os.remove('go')"))
    book.run(0)
    book.expect_output(0, "2")
    book.run(1)
    shown = widget(book, 1)
    expect(shown.locator(".madang-output")).to_have_text("begun", timeout=PATIENCE)
    expect(shown.locator(".progress-bar")).to_have_attribute("style", re.compile("width: 60%"))
    expect(book.page.get_by_role("contentinfo")).to_contain_text("kernel busy")
    screenshot(book.page, "widget-long-cell")
    files.write("go", "")
    expect(shown.locator(".madang-output")).to_have_text(re.compile(r"begun\s+over"), timeout=PATIENCE)


def test_a_page_that_comes_in_the_midst_of_a_cell_sees_its_widgets(
    workspace: Workspace, files: Project, site: Site, project: str, page: Page
) -> None:
    book = Notebook.put(workspace, files, code(LATE))
    book.run(0)
    expect_progress(widget(book, 0), 50, "halfway")
    book.page.reload()
    again = Notebook(book.page).wait()
    other = page.context.new_page()
    other.set_viewport_size(PHONE)
    other.goto(f"{site.url}/p/{project}/?file=book.ipynb")
    theirs = Notebook(other).wait()
    for late in (again, theirs):
        expect_progress(widget(late, 0), 50, "halfway")
        screenshot(late.page, f"widget-late-{'phone' if late is theirs else 'reload'}")
    expect(again.page.get_by_role("contentinfo")).to_contain_text("kernel busy")
    expect(theirs.page.locator("header .danger")).to_be_in_viewport(ratio=1)
    files.write("go", "")
    for late in (again, theirs):
        expect_progress(widget(late, 0), 100, re.compile(r"halfway\s+over"))
    expect(again.page.get_by_role("contentinfo")).to_contain_text("kernel busy")
    files.write("end", "")
    again.expect_count(0, "1")
    for late in (again, theirs):
        expect_progress(widget(late, 0), 100, re.compile(r"halfway\s+over"))


def test_many_controls_and_the_dark_theme(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(CONTROLS))
    book.run(0)
    shown = widget(book, 0)
    expect(shown.get_by_role("button", name="Go")).to_be_visible(timeout=PATIENCE)
    expect(shown.get_by_label("Fruit")).to_be_visible()
    screenshot(book.page, "widgets")
    book.page.emulate_media(color_scheme="dark")
    screenshot(book.page, "widgets-dark")
    assert book.page.evaluate("window.hacked") is None


def test_a_widget_whose_kernel_is_gone_says_so(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(SLIDER))
    book.run(0)
    expect(widget(book, 0).get_by_role("slider")).to_be_visible(timeout=PATIENCE)
    book.command(0)
    book.press("0", "0")
    book.page.get_by_role("alertdialog").get_by_role("button", name="Restart kernel").click()
    expect(book.outputs(0)).to_contain_text("Run the cell again", timeout=PATIENCE)
    expect(book.outputs(0)).to_contain_text("IntSlider(value=3")
    book.run(0)
    expect(widget(book, 0).get_by_role("slider")).to_be_visible(timeout=PATIENCE)


def test_a_widget_of_others_javascript_says_what_is_missing(workspace: Workspace, files: Project) -> None:
    source = """import ipywidgets as w, traitlets as t
class Odd(w.DOMWidget):
    _model_name = t.Unicode('OddModel').tag(sync=True); _model_module = t.Unicode('odd-widgets').tag(sync=True)
    _view_name = t.Unicode('OddView').tag(sync=True); _view_module = t.Unicode('odd-widgets').tag(sync=True)
Odd()"""
    book = Notebook.put(workspace, files, code(source))
    book.run(0)
    expect(book.outputs(0)).to_contain_text("needs JavaScript that is not here: odd-widgets", timeout=PATIENCE)


def test_two_people_move_one_slider(workspace: Workspace, files: Project, site: Site, project: str, page: Page) -> None:
    book = Notebook.put(workspace, files, code(SLIDER))
    book.run(0)
    slider = widget(book, 0).get_by_role("slider")
    expect(slider).to_be_visible(timeout=PATIENCE)
    other = page.context.new_page()
    other.goto(f"{site.url}/p/{project}/?file=book.ipynb")
    theirs = widget(Notebook(other).wait(), 0).get_by_role("slider")
    expect(theirs).to_have_attribute("aria-valuenow", "3.0", timeout=PATIENCE)
    theirs.focus()
    theirs.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", "2.0", timeout=PATIENCE)


def test_the_console_has_widgets_too(workspace: Workspace) -> None:
    cell = workspace.run(INTERACT)
    shown = cell.frame_locator("madang-output iframe")
    expect(shown.locator(".madang-output")).to_have_text("squared 4", timeout=PATIENCE)
    slider = shown.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    expect(shown.locator(".madang-output")).to_have_text("squared 9", timeout=PATIENCE)
    expect(cell.locator("madang-output")).to_have_count(1)  # nothing of it went into the cell
    screenshot(workspace.page, "widget-console")
    workspace.page.reload()
    workspace.show_console()
    shown = workspace.last.frame_locator("madang-output iframe")
    expect(shown.locator(".madang-output")).to_have_text("squared 9", timeout=PATIENCE)
    workspace.page.get_by_role("button", name="Restart kernel").click()
    workspace.page.get_by_role("alertdialog").get_by_role("button", name="Restart kernel").click()
    expect(workspace.last).to_contain_text("Run the cell again", timeout=PATIENCE)


def test_a_console_that_is_opened_in_the_midst_of_a_cell_shows_its_widgets(
    workspace: Workspace, files: Project
) -> None:
    workspace.run(LATE)
    expect_progress(workspace.last.frame_locator("madang-output iframe"), 50, "halfway")
    workspace.page.reload()
    workspace.show_console()
    shown = workspace.last.frame_locator("madang-output iframe")
    expect_progress(shown, 50, "halfway")
    files.write("go", "")
    expect_progress(shown, 100, re.compile(r"halfway\s+over"))
    files.write("end", "")


def test_a_console_knows_widgets_of_which_its_log_tells_no_longer(workspace: Workspace, files: Project) -> None:
    workspace.run("import ipywidgets as w, os, time; bar = w.FloatProgress(max=100)")
    workspace.run(FLOOD)
    workspace.run("display(bar); bar.value = 50\nwhile not os.path.exists('go'): time.sleep(0.05)\nbar.value = 100")
    bar = workspace.last.frame_locator("madang-output iframe").locator(".progress-bar")
    expect(bar).to_have_attribute("style", re.compile("width: 50%"), timeout=PATIENCE)
    workspace.page.reload()
    workspace.show_console()
    expect(bar).to_have_attribute("style", re.compile("width: 50%"), timeout=PATIENCE)
    files.write("go", "")
    expect(bar).to_have_attribute("style", re.compile("width: 100%"), timeout=PATIENCE)
