"""The terminal: colours, size, Ctrl-C, full-screen programs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, Workspace
from tests.live import wait_for


def size(workspace: Workspace, name: str) -> tuple[int, int]:
    """Rows and columns as the programs inside see them. ``name`` tells one answer from another."""
    workspace.type(f"clear; echo {name} $(stty size) end")
    answer = re.compile(rf"{name} (\d+) (\d+) end")
    workspace.expect_on_screen(answer)
    found = answer.search(workspace.screen.inner_text().replace("\xa0", " "))
    assert found
    return int(found[1]), int(found[2])


def test_commands_run_in_the_project(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.type("echo $((6*7)); ls")
    workspace.expect_on_screen("42")
    workspace.expect_on_screen("main.py")


def test_colours_are_drawn(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.type(r"clear; printf '\033[32mgr''een\033[0m pl''ain\n'")
    green = workspace.screen.get_by_text("green", exact=True)
    expect(green).to_be_visible(timeout=PATIENCE)
    plain = workspace.screen.get_by_text("plain").last
    colour = "element => getComputedStyle(element).color"
    assert green.evaluate(colour) != plain.evaluate(colour)


def test_programs_see_the_size_of_the_window(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    before = size(workspace, "before")
    workspace.page.set_viewport_size({"width": 900, "height": 620})
    wait_for(lambda: workspace.size[0] < before[1], what="a smaller terminal")  # its size is the server's to say
    after = size(workspace, "after")
    assert after != before
    assert after[1] < before[1]


def test_ctrl_c_overtakes_a_flood(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.type("yes flood")
    workspace.expect_on_screen(re.compile(r"flood\s*flood"))  # once is what was typed
    workspace.page.keyboard.press("Control+c")
    workspace.type("clear; echo after-$((1+1))")
    workspace.expect_on_screen("after-2")


def test_vim_edits_a_file(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.type("vim -u NONE note.txt; echo vim-is-$((40+2))")
    workspace.expect_on_screen(re.compile(r"\[New( File)?\]"))
    workspace.page.keyboard.type("ione line from vim")
    screenshot(workspace.page, "vim")
    workspace.page.keyboard.press("Escape")
    workspace.page.keyboard.type(":wq")
    workspace.page.keyboard.press("Enter")
    workspace.expect_on_screen("vim-is-42")  # what is typed before may still be vim's
    workspace.type("clear; wc -w < note.txt; cat note.txt")
    workspace.expect_on_screen("one line from vim")
    expect(workspace.page.locator("madang-files")).to_contain_text("note.txt", timeout=PATIENCE)


def test_top_draws_and_quits(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.type("top; echo top-is-$((40+2))")
    workspace.expect_on_screen("PID")
    workspace.expect_on_screen("load average")
    screenshot(workspace.page, "top")
    workspace.page.keyboard.press("q")
    workspace.expect_on_screen("top-is-42")  # top throws away what is typed before it ends
    workspace.type("clear; echo left-$((2+2))")
    workspace.expect_on_screen("left-4")


def test_what_is_typed_in_korean_arrives_whole(workspace: Workspace) -> None:
    workspace.wait_for_prompt()
    workspace.terminal.locator(".xterm-screen").click()
    workspace.page.keyboard.insert_text("clear; echo '마당''에서'")
    workspace.page.keyboard.press("Enter")
    workspace.expect_on_screen("마당에서")
