"""A lesson in one sight: a notebook with widgets, the terminal, what the session uses. The README shows its picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import screenshot
from tests.e2e.conftest import Open
from tests.e2e.notebooks import Notebook, Project, code, notebook_of, text
from tests.e2e.pages import PATIENCE, Workspace, new_project, sign_in
from tests.live import Account, Site

MEASURE = """import matplotlib.pyplot as plt
import numpy as np

plt.rcParams["figure.figsize"] = 7, 3.2
rng = np.random.default_rng(7)
kinds = {"Adelie": (38.8, 18.3), "Gentoo": (47.5, 15.0), "Chinstrap": (48.8, 18.4)}

if __name__ == "__main__":
    print(f"{len(kinds)} kinds of penguins measured")
"""
INTRODUCTION = "# How do bills differ?\n\nAdelie penguins have short, deep bills: $r = d / l$ tells them apart."
BILLS = """from measure import kinds, plt, rng
from ipywidgets import interact

@interact(spread=(0.2, 3.0, 0.1), shown=[*kinds])
def bills(spread=1.2, shown='Gentoo'):
    for kind, (length, depth) in kinds.items():
        x, y = (rng.normal(mean, spread, 60) for mean in (length, depth))
        plt.scatter(x, y, 14, label=kind, alpha=1 if kind == shown else .3)
    plt.legend(); plt.show()"""


@pytest.fixture
def mina(site: Site) -> Account:
    account = site.account("mina")
    script = f"from portal.models import User; User.objects.filter(email={account.email!r}).update(name='Mina')"
    site.manage("shell", "-v", "0", "-c", script)
    return account


@pytest.fixture
def lesson(site: Site, mina: Account) -> Iterator[Project]:
    with new_project(site, mina, "penguins") as id:
        project = Project(site, mina, id)
        project.write("measure.py", MEASURE)
        project.write("bills.ipynb", notebook_of(text(INTRODUCTION), code(BILLS)))
        yield project


def test_a_lesson_in_one_sight(site: Site, mina: Account, lesson: Project, open_page: Open) -> None:
    page = open_page(viewport={"width": 1440, "height": 880}, device_scale_factor=1.5)
    sign_in(page, site, mina)
    workspace = Workspace.open(page, site, lesson.id)
    workspace.wait_for_prompt()
    workspace.type("python measure.py && ls")
    workspace.expect_on_screen("3 kinds of penguins measured")
    book = Notebook.open(page, "bills.ipynb")
    page.get_by_role("button", name="Close main.py").click()
    book.run(1)
    shown = book.outputs(1).frame_locator("iframe")
    expect(shown.get_by_role("slider")).to_be_visible(timeout=PATIENCE)
    expect(shown.get_by_role("img").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("madang-usage").get_by_text("Memory of")).to_be_visible()
    screenshot(page, "lesson")
