"""Notebooks: both modes and their keys, text cells, search, what is no notebook. Nothing runs here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.conftest import Open
from tests.e2e.notebooks import CORPUS, Notebook, Project, code, notebook_of, text
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.e2e.test_many_ways import AXE, serious
from tests.live import Account, Site


@pytest.fixture
def files(site: Site, account: Account, project: str) -> Project:
    return Project(site, account, project)


def test_command_mode_has_the_keys_of_jupyter(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("one"), code("two"), code("three"))
    book.command(0)
    book.press("b")
    book.expect_sources("one", "", "two", "three")
    book.press("a", "d", "d")
    book.expect_sources("one", "", "two", "three")
    book.press("d", "d")
    book.expect_sources("one", "two", "three")
    book.press("z")
    book.expect_sources("one", "", "two", "three")
    book.command(1)
    book.press("d", "d", "j", "x")
    book.expect_sources("one", "two")
    book.press("k", "v")
    book.expect_sources("one", "three", "two")
    book.press("c", "Shift+V")
    book.expect_sources("one", "three", "three", "two")
    book.press("Control+Shift+ArrowUp")
    book.expect_sources("three", "one", "three", "two")
    book.press("m")
    book.expect_types("markdown", "code", "code", "code")
    book.press("r")
    book.expect_types("raw", "code", "code", "code")
    book.press("y", "Shift+ArrowDown", "Shift+M")
    book.expect_sources("three\n\none", "three", "two")
    book.press("o", "l")
    expect(book.cell(0).locator(".cm-lineNumbers")).to_be_visible()
    book.press("h")
    expect(book.page.get_by_role("dialog", name="Keys of the notebook")).to_be_visible()
    book.press("Escape")


def test_edit_mode_splits_walks_and_leaves(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("first = 1\nsecond = 2"), code("third = 3"))
    book.command(0)
    book.press("Enter")
    expect(book.source(0)).to_be_focused()
    book.press("Control+Home", "ArrowDown", "Control+Shift+-")
    book.expect_sources("first = 1", "second = 2", "third = 3")
    expect(book.source(1)).to_be_focused()
    book.press("ArrowDown")
    expect(book.source(2)).to_be_focused()
    book.press("Control+z", "Escape")
    expect(book.cell(2)).to_be_focused()
    book.press("Shift+ArrowUp", "Shift+ArrowUp")
    expect(book.element.locator("madang-notebook-cell[chosen]")).to_have_count(3)
    book.press("d", "d")
    book.expect_sources("")
    book.page.get_by_role("button", name="Undo", exact=True).click()
    book.expect_sources("first = 1", "second = 2", "third = 3")


def test_text_is_rendered_with_its_mathematics_and_opens_with_a_double_click(
    workspace: Workspace, files: Project
) -> None:
    book = Notebook.put(workspace, files, text("## Mass\n\nIt is $m = \\sqrt{x}$."), code("1"))
    expect(book.cell(0).locator("h2")).to_have_text("Mass")
    expect(book.cell(0).locator("msqrt")).to_be_visible()
    book.cell(0).locator("h2").dblclick()
    expect(book.source(0)).to_be_focused()
    book.press("Control+Home", "End")
    book.page.keyboard.insert_text(" of *birds*")
    book.press("Shift+Enter")
    expect(book.cell(0).locator("h2 em")).to_have_text("birds")
    expect(book.cell(1)).to_be_focused()
    book.press("k", "3")
    expect(book.source(0)).to_contain_text("### Mass of")
    book.page.get_by_role("button", name="Outline").click()
    book.press("Escape")
    expect(
        book.page.get_by_role("complementary", name="Outline").get_by_role("button", name="Mass of birds")
    ).to_be_visible()


def test_find_and_replace_goes_through_all_cells(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("mass = 1"), text("The mass."), code("print(mass)"))
    book.command(0)
    book.press("Control+f")
    book.page.get_by_role("textbox", name="Find", exact=True).fill("mass")
    expect(book.element.get_by_text("– of 3")).to_be_visible()
    book.press("Enter", "Enter")
    expect(book.element.get_by_text("2 of 3")).to_be_visible()
    book.page.get_by_role("textbox", name="Replace with").fill("weight")
    book.page.get_by_role("button", name="Replace all").click()
    book.expect_sources("weight = 1", "The weight.", "print(weight)")
    book.press("Escape", "z")
    book.expect_sources("mass = 1", "The mass.", "print(mass)")


def test_a_new_notebook_is_made_from_the_file_list_and_saved(workspace: Workspace, files: Project) -> None:
    page = workspace.page
    page.get_by_role("button", name="New notebook").click()
    page.get_by_role("textbox", name="Name").fill("mine")
    page.keyboard.press("Enter")
    book = Notebook(page).wait()
    book.write(0, "answer = 42")
    expect(page.get_by_text("● saved")).to_be_visible(timeout=PATIENCE)
    assert json.loads(files.read("mine.ipynb"))["cells"][0]["source"] in ("answer = 42", ["answer = 42"])


def test_tags_and_hidden_parts_are_kept_in_the_file(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("1"))
    book.command(0)
    book.cell(0).get_by_role("button", name="More").click()
    book.page.get_by_role("menuitem", name="Add a tag").click()
    book.page.get_by_role("textbox", name="Add a tag").fill("parameters")
    book.press("Enter")
    expect(book.cell(0).get_by_role("group", name="Tags")).to_contain_text("parameters")
    book.cell(0).get_by_role("button", name="More").click()
    book.page.get_by_role("menuitem", name="Hide the code").click()
    expect(book.cell(0)).to_contain_text("Code hidden")
    expect(book.page.get_by_text("● saved")).to_be_visible(timeout=PATIENCE)
    metadata = json.loads(files.read("book.ipynb"))["cells"][0]["metadata"]
    assert metadata == {"tags": ["parameters"], "jupyter": {"source_hidden": True}}


def test_two_people_write_in_one_notebook(
    workspace: Workspace, files: Project, open_page: Open, site: Site, account: Account, project: str
) -> None:
    mine = Notebook.put(workspace, files, code("a = 1"), code("b = 2"))
    page = open_page()
    sign_in(page, site, account)
    Workspace.open(page, site, project)
    theirs = Notebook.open(page, "book.ipynb")
    mine.edit(0)
    mine.press("End")
    mine.page.keyboard.insert_text("0")
    theirs.expect_sources("a = 10", "b = 2")
    theirs.edit(0)
    theirs.press("Home")
    theirs.page.keyboard.insert_text("aa")
    mine.expect_sources("aaa = 10", "b = 2")
    expect(mine.cell(0).locator(".others span")).to_be_visible(timeout=PATIENCE)
    expect(mine.cell(0).locator(".cm-ySelectionCaret")).to_be_attached(timeout=PATIENCE)
    theirs.press("Escape", "b")
    theirs.expect_sources("aaa = 10", "", "b = 2")
    mine.expect_sources("aaa = 10", "", "b = 2")
    page.close()
    expect(mine.element.locator(".others span")).to_have_count(0, timeout=PATIENCE)


def test_what_is_no_notebook_opens_as_the_text_that_it_is(workspace: Workspace, files: Project) -> None:
    broken = '{"nbformat": 4, "cells": "none"}\n'
    files.write("broken.ipynb", broken)
    page = workspace.page
    page.get_by_role("button", name="Refresh").first.click()
    page.get_by_role("treeitem", name=re.compile("^broken")).click()
    expect(page.get_by_role("alert").filter(has_text="is not a notebook")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Open as text").click()
    expect(page.locator("madang-editor:visible .cm-content")).to_contain_text('"none"', timeout=PATIENCE)
    assert files.read("broken.ipynb") == broken


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the notebooks of other projects are not here")
def test_real_notebooks_open_and_stay_as_they_are(workspace: Workspace, files: Project) -> None:
    page = workspace.page
    for path in sorted(CORPUS.glob("*.ipynb")):
        original = path.read_text(encoding="utf-8")
        files.write(path.name, original)
    page.get_by_role("button", name="Refresh").first.click()
    opened = 0
    for path in sorted(CORPUS.glob("*.ipynb")):
        page.get_by_role("treeitem", name=re.compile(f"^{re.escape(path.name)}")).click()
        shown = page.locator("madang-notebook:visible madang-notebook-cell").first
        refused = page.get_by_role("alert").filter(has_text="is not a notebook")
        expect(shown.or_(refused).first).to_be_visible(timeout=PATIENCE)
        if shown.is_visible():
            opened += 1
            book = Notebook(page)
            count = len(json.loads(path.read_text(encoding="utf-8"))["cells"])
            expect(book.cells).to_have_count(count)
            expect(book.cell(0)).to_be_focused()  # what is opened has the keys
            book.press("b")
            expect(book.cells).to_have_count(count + 1)
            book.press("z")
            expect(book.cells).to_have_count(count)
        page.keyboard.press("Escape")
        page.get_by_role("button", name=f"Close {path.name}").click()
    assert opened >= 23
    for path in sorted(CORPUS.glob("*.ipynb")):
        assert json.loads(files.read(path.name)) == json.loads(path.read_text(encoding="utf-8")), path.name


def test_of_a_long_notebook_only_what_is_near_is_drawn(workspace: Workspace, files: Project) -> None:
    out = [{"output_type": "stream", "name": "stdout", "text": "line\n" * 30}]
    book = Notebook.put(workspace, files, *[code(f"x_{at} = {at}", outputs=out) for at in range(300)])
    expect(book.cells).to_have_count(300, timeout=PATIENCE)  # the first are there a frame before the others
    expect(book.source(0)).to_be_visible()
    assert 0 < book.element.locator(".cm-content").count() < 40
    book.command(0)
    book.press("Control+End")
    expect(book.source(299)).to_have_text("x_299 = 299", timeout=PATIENCE)
    expect(book.outputs(299)).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_notebook(
    theme: str, open_page: Open, site: Site, account: Account, files: Project, project: str
) -> None:
    page = open_page(color_scheme=theme, reduced_motion="reduce", bypass_csp=True)
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project)
    error = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["\x1b[31mE\x1b[39m: no"]}
    book = Notebook.put(
        workspace, files, text("# Title\n\n$x$"), code("1 / 0", outputs=[error], metadata={"tags": ["t"]}), code("x")
    )
    book.page.get_by_role("button", name="Outline").click()
    book.edit(1)
    book.press("Control+f")
    expect(book.element.get_by_role("textbox", name="Find", exact=True)).to_be_focused()
    expect(book.outputs(1)).to_be_visible()
    screenshot(book.page, f"notebook-{theme}")
    assert serious(book.page, AXE) == []


def test_a_phone_shows_a_notebook(open_page: Open, site: Site, account: Account, files: Project, project: str) -> None:
    files.write("book.ipynb", notebook_of(text("# 제목\n\n본문 $x^2$"), code("print('안녕')")))
    page = open_page(viewport=PHONE, has_touch=True)
    sign_in(page, site, account)
    page.goto(f"{site.url}/p/{project}/")
    page.locator("madang-workspace").evaluate("workspace => { workspace.language = 'ko' }")
    page.get_by_role("navigation").get_by_role("button").first.click()
    page.get_by_role("treeitem", name=re.compile("^book")).click()
    book = Notebook(page).wait()
    expect(book.cell(0).locator("h1")).to_have_text("제목")
    book.source(1).click()
    expect(book.cell(1).get_by_role("button", name=re.compile("실행|Run"))).to_be_visible()
    width: int = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= PHONE["width"], "the page can be moved sideways"
    screenshot(page, "notebook-phone-ko")


def test_a_cell_is_moved_by_its_left_edge(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("one"), code("two"), code("three"))
    mouse = book.page.mouse
    for at in range(3):
        expect(book.source(at)).to_be_visible()  # its editor has taken the place of its text
    book.cell(2).locator(".gutter").hover(position={"x": 8, "y": 10})  # once it stands still
    handle, target = book.cell(2).locator(".gutter").bounding_box(), book.cell(0).bounding_box()
    assert handle is not None
    assert target is not None
    mouse.move(handle["x"] + 8, handle["y"] + 10)
    mouse.down()
    mouse.move(handle["x"] + 30, handle["y"] + 12, steps=4)
    mouse.move(target["x"] + 120, target["y"] + 4, steps=6)
    mouse.up()
    book.expect_sources("three", "one", "two")
    book.command(0)
    book.press("z")
    book.expect_sources("one", "two", "three")


PRINTING = """() => {
    const real = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentWindow");
    window.printed = new Promise((done) => Object.defineProperty(HTMLIFrameElement.prototype, "contentWindow", { get() {
        const shown = real.get.call(this);
        shown.print = () => { done(shown.document.body.innerText); shown.dispatchEvent(new Event("afterprint")); };
        return shown;
    } }));
}"""
"""The dialog is the browser's: what it would be shown, and that it is closed."""


def test_a_notebook_is_printed(workspace: Workspace, files: Project) -> None:
    said = {"output_type": "stream", "name": "stdout", "text": "so it is\n"}
    book = Notebook.put(workspace, files, text("# Title"), code("x = 2", outputs=[said]))
    book.page.evaluate(PRINTING)
    frames = book.page.locator("iframe").count()
    book.element.get_by_role("button", name="More", exact=True).first.click()
    book.page.get_by_role("menuitem", name="Print, or save as PDF").click()
    assert book.page.evaluate("printed").split() == ["Title", "x", "=", "2", "so", "it", "is"]
    expect(book.page.locator("iframe")).to_have_count(frames)


def test_a_notebook_becomes_a_program_and_a_page(workspace: Workspace, files: Project, tmp_path: Path) -> None:
    html = {"output_type": "display_data", "data": {"text/html": "<b>bold</b><script>1</script>"}, "metadata": {}}
    book = Notebook.put(workspace, files, text("# Title"), code("%time 1\nx = 2", outputs=[html]))
    for form, name in [("Export as .py", "book.py"), ("Export as HTML", "book.html")]:
        book.element.get_by_role("button", name="More", exact=True).first.click()
        with book.page.expect_download() as download:
            book.page.get_by_role("menuitem", name=form).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
    program = (tmp_path / "book.py").read_text(encoding="utf-8")
    assert program == "# %% [markdown]\n# # Title\n\n# %%\n# %time 1\nx = 2\n"
    page = (tmp_path / "book.html").read_text(encoding="utf-8")
    assert re.search(r"<h1[^>]*>Title</h1>", page)
    assert "sandbox=" in page
