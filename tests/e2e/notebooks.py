"""A notebook in the workspace, as a person uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages import PATIENCE, Workspace
from tests.live import Account, Site, client

Cell = dict[str, Any]


def code(source: str, **more: Any) -> Cell:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def text(source: str, **more: Any) -> Cell:
    return {"cell_type": "markdown", "source": source, "metadata": {}, **more}


def notebook_of(*cells: Cell) -> str:
    """A notebook file, of format 4.5."""
    numbered = [{"id": f"cell-{at}", **cell} for at, cell in enumerate(cells)]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": numbered, "metadata": {"kernelspec": kernelspec}, "nbformat": 4, "nbformat_minor": 5})


class Project:
    """The files of a project, through the API."""

    def __init__(self, site: Site, account: Account, id: str) -> None:
        self.site, self.account, self.id = site, account, id
        with client(site, account) as http:
            self.slug = http.get(f"/api/v1/projects/{id}").raise_for_status().json()["slug"]

    def write(self, name: str, content: str) -> None:
        body = {"type": "file", "format": "text", "content": content}
        with client(self.site, self.account) as http:
            if folder := name.rpartition("/")[0]:
                http.put(f"/jupyter/api/contents/{self.slug}/{folder}", json={"type": "directory"}).raise_for_status()
            http.put(f"/jupyter/api/contents/{self.slug}/{name}", json=body).raise_for_status()

    def read(self, name: str) -> str:
        with client(self.site, self.account) as http:
            found = http.get(f"/jupyter/files/{self.slug}/{name}").raise_for_status()
        return found.text


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator("madang-notebook:visible")

    @classmethod
    def open(cls, page: Page, name: str) -> Notebook:
        page.get_by_role("treeitem", name=re.compile(f"^{re.escape(name)}")).click()
        return cls(page).wait()

    @classmethod
    def put(cls, workspace: Workspace, project: Project, *cells: Cell, name: str = "book.ipynb") -> Notebook:
        """A new notebook with these cells, open."""
        project.write(name, notebook_of(*cells))
        workspace.page.get_by_role("button", name="Refresh").first.click()
        return cls.open(workspace.page, name)

    def wait(self) -> Notebook:
        """Until its cells are there."""
        expect(self.cells.first).to_be_visible(timeout=PATIENCE)
        return self

    @property
    def cells(self) -> Locator:
        return self.element.locator("madang-notebook-cell")

    def cell(self, at: int) -> Locator:
        return self.cells.nth(at)

    def source(self, at: int) -> Locator:
        return self.cell(at).locator(".cm-content")

    def outputs(self, at: int) -> Locator:
        return self.cell(at).locator("madang-output")

    @property
    def active(self) -> Locator:
        return self.element.locator("madang-notebook-cell[active]")

    def edit(self, at: int) -> None:
        """Put the cursor into a cell."""
        self.source(at).click()
        expect(self.source(at)).to_be_focused()

    def command(self, at: int) -> None:
        """Choose a cell as a whole."""
        self.cell(at).locator(".gutter").click(position={"x": 4, "y": 14})
        expect(self.cell(at)).to_be_focused()

    def write(self, at: int, source: str) -> None:
        self.edit(at)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, at: int, source: str | None = None) -> None:
        """Run a cell, with other code where some is given."""
        if source is None:
            self.edit(at)
        else:
            self.write(at, source)
        self.page.keyboard.press("Control+Enter")

    def expect_output(self, at: int, output: str | re.Pattern[str]) -> None:
        expect(self.outputs(at).filter(has_text=output).first).to_be_visible(timeout=PATIENCE)

    def expect_count(self, at: int, count: str) -> None:
        """Wait until a cell is done, as run number ``count``."""
        expect(self.cell(at)).to_have_attribute("aria-label", re.compile(f"run {count}"), timeout=PATIENCE)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def expect_types(self, *types: str) -> None:
        """Wait until the cells are of these types, in order."""
        self._expect("cell_type", types)

    def expect_sources(self, *sources: str) -> None:
        self._expect("source", sources)

    def _expect(self, what: str, wanted: tuple[str, ...]) -> None:
        self.page.wait_for_function(
            "([what, wanted]) => { const found = document.querySelector('madang-workspace').renderRoot"
            ".querySelector('madang-notebook:not([hidden])').renderRoot.querySelectorAll('madang-notebook-cell');"
            " const all = [...found].map(one => one.cell.get(what)?.toString());"
            " return JSON.stringify(all) === JSON.stringify(wanted) }",
            arg=[what, list(wanted)],
            timeout=PATIENCE,
        )


CORPUS = Path(__file__).parents[3] / "shared" / "notebooks"
