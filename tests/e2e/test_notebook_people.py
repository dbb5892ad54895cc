"""A notebook among people and names: who may only look, and a file that is renamed while it is open."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.conftest import Open
from tests.e2e.notebooks import Notebook, Project, code, text
from tests.e2e.pages import PATIENCE, Workspace, sign_in, take_in
from tests.live import Account, Site, client, wait_for


@pytest.fixture
def files(site: Site, account: Account, project: str) -> Project:
    return Project(site, account, project)


def test_who_may_look_reads_a_notebook_and_changes_nothing(
    workspace: Workspace, open_page: Open, site: Site, account: Account, project: str, files: Project
) -> None:
    mine = Notebook.put(workspace, files, text("# Results"), code("print(6 * 7)"))
    viewer = site.account("reader")
    take_in(site, account, project, viewer, "viewer")
    other = open_page()
    sign_in(other, site, viewer)
    other.goto(f"{site.url}/p/{project}/?file=book.ipynb")
    theirs = Notebook(other).wait()
    expect(theirs.cell(0).locator("h1")).to_have_text("Results")

    mine.run(1)
    theirs.expect_output(1, "42")
    theirs.source(1).click()
    expect(theirs.source(1)).to_have_attribute("aria-readonly", "true")
    theirs.press("x", "Control+Enter", "Escape", "b", "d", "d", "m", "Shift+Enter", "0", "0")
    for name in ("Run this cell", "Run all", "Interrupt", "Delete", "Add a code cell here"):
        expect(other.get_by_role("button", name=name)).to_have_count(0)
    theirs.expect_sources("# Results", "print(6 * 7)")
    screenshot(other, "notebook-viewer")

    with client(site, viewer) as http:
        slug = http.get(f"/api/v1/projects/{project}").raise_for_status().json()["slug"]
        base = f"/api/v1/projects/{project}/notebooks/book.ipynb"
        asked = [
            http.post(f"{base}/execute", json={"cells": ["cell-1"]}),
            http.post(f"{base}/interrupt"),
            http.post(f"{base}/restart"),
            http.post(f"{base}/input", json={"cell": "cell-1", "value": "1"}),
            http.put(
                f"/jupyter/api/contents/{slug}/book.ipynb", json={"type": "file", "format": "text", "content": "{}"}
            ),
        ]
    assert [answer.status_code for answer in asked] == [403] * len(asked)
    assert len(json.loads(files.read("book.ipynb"))["cells"]) == 2


def test_a_notebook_is_renamed_while_it_runs(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code("word = input('Word? ')"), code("print(word * 2)"))
    book.run(0)
    answer = book.cell(0).get_by_role("textbox", name="Word?")
    expect(answer).to_be_visible(timeout=PATIENCE)
    page = workspace.page
    page.get_by_role("treeitem", name=re.compile("^book")).press("F2")
    page.get_by_label("Name", exact=True).fill("other.ipynb")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("tab", name="other.ipynb")).to_be_visible(timeout=PATIENCE)
    expect(answer).to_be_visible()
    answer.fill("ab")
    answer.press("Enter")
    book.expect_count(0, "1")
    book.run(1)
    book.expect_output(1, "abab")
    book.write(1, "word")
    wait_for(lambda: json.loads(files.read("other.ipynb"))["cells"][1]["source"] in ("word", ["word"]), what="the save")
    expect(page.get_by_role("treeitem", name=re.compile("^book"))).to_have_count(0)


def test_an_examples_first_file_is_open(page: Page, site: Site, account: Account) -> None:
    sign_in(page, site, account)
    page.goto(f"{site.url}/projects/new?from=example")
    page.get_by_label("Python: first steps").check()
    page.get_by_role("button", name="Make and open").click()
    page.wait_for_url(re.compile("/p/"))
    expect(page.get_by_role("tab", name="first_steps.ipynb")).to_have_attribute(
        "aria-selected", "true", timeout=PATIENCE
    )
    Notebook(page).wait()
