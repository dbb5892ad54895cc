"""Nothing is lost: not by a reload, not by the end of web, not by the end of the session service."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import PATIENCE, Workspace, expect_output_of
from tests.live import Site


def test_a_reload_finds_variables_scrollback_and_what_was_printed_meanwhile(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.type("echo kept-in-$((3*3))")
    workspace.expect_on_screen("kept-in-9")
    cell = workspace.run(
        "import time, pathlib\nkept = 6 * 7\nprint('waiting')\n"
        "while not pathlib.Path('go').exists(): time.sleep(0.05)\nprint('printed', 'meanwhile')"
    )
    expect_output_of(cell, "waiting")
    page = workspace.page
    url = page.url
    workspace.type("echo be''gun; sleep 2; touch go")
    workspace.expect_on_screen("begun")
    page.goto("about:blank")
    page.goto(url)

    workspace.wait_until_ready()
    expect(workspace.console).to_contain_text("printed meanwhile", timeout=PATIENCE)
    workspace.expect_on_screen("kept-in-9")
    workspace.expect_output("print(kept)", "42")


@pytest.mark.parametrize("part", ["web", "sessiond"])
def test_a_killed_part_is_not_noticed(part: str, workspace: Workspace, site: Site) -> None:
    workspace.expect_output("kept = 6 * 7\nprint('set')", "set")
    workspace.wait_for_prompt()
    site.kill(part)
    workspace.expect_output("print(kept + 1)", "43")
    workspace.type("echo alive-$((4*4))")
    workspace.expect_on_screen("alive-16")


def test_a_second_window_sees_the_same_session(workspace: Workspace, site: Site, page: Page) -> None:
    workspace.expect_output("shared = 'both'\nprint('set')", "set")
    other = Workspace(page.context.new_page())
    other.page.goto(page.url)
    other.wait_until_ready()
    expect_output_of(other.cells.first, "set")
    other.expect_output("print(shared)", "both")
    expect_output_of(workspace.cells.nth(1), "both")
