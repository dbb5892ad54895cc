"""The language servers that this machine has, as a person meets them: problems, completion, definitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.editor import Editor
from tests.e2e.notebooks import Project
from tests.e2e.pages import PATIENCE, Workspace, new_project, sign_in
from tests.live import Account, Site
from tests.sandbox.test_servers import HERE, IMAGE_OF, SAMPLES

SLOW_START = 4 * PATIENCE  # tsserver reads half a million lines before it says anything


@pytest.fixture(params=HERE)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(site: Site, account: Account, language: str) -> Iterator[str]:
    """One with the sample's files."""
    with new_project(site, account, f"Server of {language}", IMAGE_OF[language].name) as id:
        project = Project(site, account, id)
        for name, text in SAMPLES[language].files.items():
            project.write(name, text)
        yield id


def test_it_marks_completes_and_finds(page: Page, site: Site, account: Account, project: str, language: str) -> None:
    sample, image = SAMPLES[language], IMAGE_OF[language]
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project, sample.main)
    editor = Editor(workspace, sample.main, image.languages[0].title)
    expect(editor.it.locator(".cm-lintRange-error").first).to_be_attached(timeout=SLOW_START)
    screenshot(page, f"server-{language}")

    editor.go(sample.typed[0] + 1)
    page.keyboard.press("Control+Space")
    options = page.locator(".cm-tooltip-autocomplete li")
    expect(options.filter(has_text=sample.completes).first).to_be_visible(timeout=SLOW_START)
    screenshot(page, f"server-{language}-completion")
    page.keyboard.press("Escape")

    page.mouse.click(*editor.word("area"))
    page.keyboard.press("F12")
    where, line = sample.defined
    expect(page.get_by_role("tab", name=PurePosixPath(where).name)).to_have_attribute(
        "aria-selected", "true", timeout=SLOW_START
    )
    expect(editor.it.locator(".cm-activeLine")).to_contain_text("area", timeout=PATIENCE)
    assert sample.files[where].splitlines()[line] in editor.text.inner_text()
    told = page.locator(".cm-lsp-message").all_inner_texts()
    assert len(set(told)) == len(told), "the same is told twice"


@pytest.mark.parametrize("language", ["python"], indirect=True)
def test_while_one_types_it_is_not_asked_what_the_mouse_rests_on(
    page: Page, site: Site, account: Account, project: str, language: str
) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project, SAMPLES[language].main)
    editor = Editor(workspace, SAMPLES[language].main, IMAGE_OF[language].languages[0].title)
    expect(editor.it.locator(".cm-lintRange-error").first).to_be_attached(timeout=SLOW_START)
    place = editor.word("area")
    page.mouse.move(*place)
    expect(page.locator(".cm-lsp-hover-tooltip")).to_be_visible(timeout=SLOW_START)
    page.mouse.click(*place)
    sent.clear()
    page.keyboard.press("End")
    page.keyboard.type("  # what nobody needs to be told about", delay=40)  # it is asked where the mouse has rested
    expect(editor.text).to_contain_text("needs to be told about")
    assert sum('"textDocument/hover"' in frame for frame in sent) <= 1
