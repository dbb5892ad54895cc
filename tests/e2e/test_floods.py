"""Floods through a whole site: a page stays usable, and says what it cut."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.pages import PATIENCE, Workspace, expect_output_of

FLOOD_PATIENCE = 4 * PATIENCE


def usable(workspace: Workspace) -> None:
    workspace.expect_output("print('still', 'here')", "still here")


def test_a_thousand_displays(workspace: Workspace) -> None:
    cell = workspace.run(
        "from IPython.display import display, HTML\nfor n in range(1000): display(HTML(f'<b>{n}</b>'))"
    )
    expect(cell).to_contain_text("800 earlier outputs of this cell are not kept here.", timeout=FLOOD_PATIENCE)
    expect(cell.locator("madang-output")).to_have_count(200, timeout=FLOOD_PATIENCE)
    usable(workspace)


def test_one_line_of_a_hundred_megabytes(workspace: Workspace) -> None:
    cell = workspace.run("import sys\nsys.stdout.write('x' * 10**8)\nprint('\\nthe end')")
    expect_output_of(cell, "the end")
    expect(cell).to_contain_text("characters before this are not kept here.", timeout=FLOOD_PATIENCE)
    usable(workspace)


def test_a_million_tiny_writes(workspace: Workspace) -> None:
    cell = workspace.run("import sys\nfor n in range(10**6): sys.stdout.write('.')\nprint('\\nthe end')")
    expect_output_of(cell, "the end")
    usable(workspace)


def test_an_interrupt_ends_a_flood_in_the_console(workspace: Workspace) -> None:
    cell = workspace.run("n = 0\nwhile True: n += 1; print(n)")
    expect_output_of(cell, "1000")
    workspace.console.get_by_role("button", name="Interrupt").click()
    expect_output_of(cell, "KeyboardInterrupt")
    usable(workspace)
