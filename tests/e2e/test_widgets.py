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


@pytest.fixture
def files(site: Site, account: Account, project: str) -> Project:
    return Project(site, account, project)


def widget(book: Notebook, at: int) -> FrameLocator:
    return book.outputs(at).frame_locator("iframe")


def test_a_slider_moves_the_kernels_and_the_kernel_moves_it(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(SLIDER), code("mass.value"), code("mass.value = 8"))
    book.run(0)
    slider = widget(book, 0).get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuenow", "3.0", timeout=PATIENCE)
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(widget(book, 0).locator(".widget-readout")).to_have_text("5")
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
