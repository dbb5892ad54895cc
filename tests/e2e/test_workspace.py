"""The workspace around the files: the tree, tabs, the palette, search and replace, what is shown of other files."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, WebSocketRoute, expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, Workspace, sign_in, wait_for_held
from tests.e2e.test_many_ways import AXE, serious
from tests.live import Account, Site, wait_for

PIECE = 4 * 1024 * 1024
Open = Callable[..., Page]


@pytest.fixture
def folder(site: Site, project: str) -> Path:
    """Where the project's files are."""
    return site.state / "projects" / project


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("treeitem", name=name)


def tab(page: Page, name: str) -> Locator:
    return page.locator("madang-tabs").get_by_role("tab", name=name)


def side(page: Page, name: str) -> None:
    page.locator(".sides").get_by_role("button", name=name).click()


def text_of(file: Path) -> str:
    """What it holds; "" while there is none."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def test_files_move_and_come_back(workspace: Workspace, folder: Path) -> None:
    page = workspace.page
    page.get_by_role("button", name="New folder").click()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    page.keyboard.type("data")
    page.keyboard.press("Enter")
    expect(row(page, "data")).to_be_visible()
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    page.get_by_role("button", name="Refresh").click()

    row(page, "a.txt").drag_to(row(page, "data"))
    expect(page.get_by_text("1 moved to “data”.")).to_be_visible()
    assert (folder / "data" / "a.txt").exists()
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "a.txt")).to_be_visible()

    row(page, "a.txt").click()
    # What is opened takes the focus once its text is there, and with it the keys that are pressed next.
    expect(page.get_by_role("textbox", name="Text of a.txt")).to_be_visible(timeout=PATIENCE)
    row(page, "b.txt").click(modifiers=["Shift"])
    row(page, "b.txt").focus()
    page.keyboard.press("Control+x")
    row(page, "data").focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_text("2 moved to “data”.")).to_be_visible()
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["a.txt", "b.txt"]
    expect(tab(page, "a.txt")).to_be_visible()

    row(page, "data").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_text("“data” is in the trash.")).to_be_visible()
    expect(row(page, "data")).to_have_count(0)
    expect(tab(page, "a.txt")).to_have_count(0)
    assert not (folder / "data").exists()
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "data")).to_be_visible()
    assert (folder / "data" / "b.txt").read_text() == "b"

    row(page, "main.py").click(button="right")
    screenshot(page, "file-menu")
    page.get_by_role("menuitem", name="Delete").click()
    expect(row(page, "main.py")).to_have_count(0)
    side(page, "Trash")
    page.get_by_role("button", name="Put “main.py” back").click()
    expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    side(page, "Files")
    expect(row(page, "main.py")).to_be_visible()


def test_tabs_split_and_are_remembered(workspace: Workspace, folder: Path, site: Site, project: str) -> None:
    page = workspace.page
    (folder / "long.py").write_text("".join(f"line_{n} = {n}\n" for n in range(1, 200)))
    page.goto(f"{site.url}/p/{project}/?file=long.py#L120")
    expect(page.locator("footer")).to_contain_text("Ln 120", timeout=PATIENCE)
    expect(page.get_by_text("line_120 = 120")).to_be_visible()

    page.get_by_role("textbox", name="Text of long.py").press("Control+End")
    page.keyboard.type("kept = 1")
    page.keyboard.press("Control+Backslash")
    groups = page.locator("madang-tabs section.group")
    expect(groups).to_have_count(2)
    page.get_by_role("textbox", name="Text of long.py").press("Control+z")
    expect(page.get_by_role("textbox", name="Text of long.py")).not_to_contain_text("kept = 1")
    expect(tab(page, "Console")).to_be_visible()
    screenshot(page, "split")

    tab(page, "main.py").drag_to(tab(page, "long.py"))
    expect(groups.nth(1).get_by_role("tab")).to_have_text(["main.py", "long.py"])
    page.reload()
    expect(groups.nth(1).get_by_role("tab")).to_have_text(["main.py", "long.py"], timeout=PATIENCE)
    expect(page).to_have_url(re.compile(r"\?file=main\.py"))
    tab(page, "main.py").click(button="right")
    page.get_by_role("menuitem", name="Close the others").click()
    expect(groups.nth(1).get_by_role("tab")).to_have_text(["main.py"])
    tab(page, "main.py").press("Delete")
    expect(groups).to_have_count(1)


def test_what_is_opened_has_the_keys_and_takes_nobody_back(workspace: Workspace, folder: Path) -> None:
    page = workspace.page
    (folder / "note.txt").write_text("")
    page.get_by_role("button", name="Refresh").first.click()
    row(page, "note.txt").click()
    text = page.get_by_role("textbox", name="Text of note.txt")
    expect(text).to_be_focused(timeout=PATIENCE)
    page.keyboard.type("typed at once")
    expect(text).to_have_text("typed at once")

    held: list[Route] = []
    page.route("**/note.txt?content=0", lambda route: held.append(route))
    page.reload()
    tab(page, "Console").click()
    expect(tab(page, "Console")).to_have_attribute("aria-selected", "true")
    for route in wait_for_held(page, held, "the file that is opened first"):
        route.continue_()
    page.unroute("**/note.txt?content=0")
    expect(tab(page, "note.txt")).to_be_visible(timeout=PATIENCE)
    expect(tab(page, "Console")).to_have_attribute("aria-selected", "true")


def test_a_file_that_is_still_being_opened_runs_once_it_is_here(
    page: Page, site: Site, account: Account, project: str
) -> None:
    held: list[Callable[[], None]] = []
    slow = True

    def hold(socket: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            if slow:
                held.append(lambda: socket.send(message))
            else:
                socket.send(message)

        socket.connect_to_server().on_message(pass_on)

    page.route_web_socket("**/documents/**", hold)
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project)
    tab(page, "main.py").click()
    page.get_by_role("button", name="Run", exact=True).first.click()
    expect(workspace.cells).to_have_count(0)
    while held:  # in their order: what comes meanwhile waits behind them
        held.pop(0)()
    slow = False
    expect(workspace.console).to_contain_text("Hello from Madang!", timeout=PATIENCE)


def test_a_cursor_blinks_and_no_animation_runs_for_it(workspace: Workspace) -> None:
    page = workspace.page
    page.get_by_role("tab", name="main.py").click()
    page.locator("madang-editor:visible .cm-content").click()
    cursors = page.locator("madang-editor:visible .cm-cursorLayer")
    expect(cursors).to_have_css("visibility", "hidden")
    page.keyboard.type("x")
    expect(cursors).to_have_css("visibility", "visible")
    expect(cursors).to_have_css("visibility", "hidden")
    running = "(element) => element.getAnimations({ subtree: true }).length"
    editor = page.locator("madang-editor:visible .cm-editor")
    wait_for(lambda: editor.evaluate(running) == 0, what="the end of what moves once")


def test_palette_search_and_replace(workspace: Workspace, folder: Path) -> None:
    page = workspace.page
    (folder / "src").mkdir()
    (folder / "src" / "shapes.py").write_text("def area(r):\n    return r * r\n\nprint(area(2))\n")
    (folder / "notes.md").write_text("The area of a circle.\n")
    page.keyboard.press("Control+p")
    page.keyboard.type("shp:4")
    expect(page.get_by_role("option", name="shapes.py")).to_be_visible()
    screenshot(page, "quick-open")
    page.keyboard.press("Enter")
    expect(page.locator("footer")).to_contain_text("Ln 4")

    page.keyboard.press("Control+Shift+p")
    page.keyboard.type("search in")
    page.keyboard.press("Enter")
    page.get_by_label("Search for").fill("area")
    expect(page.get_by_text("3 in 2 files.")).to_be_visible()
    page.get_by_role("button", name="Replace", exact=True).click()
    page.get_by_label("Replace with").fill("surface")
    # It has searched with no word to replace by, and searches again: of that one files are chosen.
    expect(page.locator("madang-search ins").filter(has_text="surface")).to_have_count(3)
    screenshot(page, "replace")
    page.get_by_role("checkbox", name="notes.md").uncheck()
    page.get_by_role("button", name="Replace in 1 files").click()
    expect(page.get_by_text("2 replaced in 1 files.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Text of shapes.py")).to_contain_text("print(surface(2))")
    assert "surface" not in (folder / "notes.md").read_text()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone in 1 files.")).to_be_visible()
    assert "def area(r)" in (folder / "src" / "shapes.py").read_text()
    page.get_by_role("button", name="Pattern (RE2)").click()
    page.get_by_label("Search for").fill("(")
    expect(page.get_by_role("alert")).to_contain_text("not a pattern")


def test_tables_pictures_and_large_files(workspace: Workspace, folder: Path) -> None:
    page = workspace.page
    (folder / "t.csv").write_text("name,n\n" + "".join(f'"row, {n}",{n}\n' for n in range(1, 451)))
    (folder / "p.png").write_bytes(png(30, 20))
    (folder / "big.txt").write_text("".join(f"number {n}\n" for n in range(250_000)))
    (folder / "x.bin").write_bytes(bytes(range(256)) * 20)
    page.get_by_role("button", name="Refresh").click()

    row(page, "t.csv").click()
    expect(page.get_by_role("cell", name="row, 200")).to_be_attached()
    page.locator("madang-table").get_by_role("button", name="Next").click()
    expect(page.get_by_text("Rows 201–400 of 450")).to_be_visible()
    tab(page, "t.csv").click(button="right")
    page.get_by_role("menuitem", name="Open as text").click()
    expect(page.get_by_role("textbox", name="Text of t.csv")).to_contain_text("name,n")

    row(page, "p.png").click()
    expect(page.get_by_text("30 × 20")).to_be_visible()
    row(page, "big.txt").click()
    part = page.locator("madang-part:not([hidden])")
    expect(part).to_contain_text("A part of this large file")
    expect(part).to_contain_text("number 0")
    part.get_by_role("button", name="Next").click()
    expect(part).not_to_contain_text("number 0\n")
    row(page, "x.bin").click()
    expect(tab(page, "x.bin")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Actions for this tab").click()
    page.get_by_role("menuitem", name="Look at parts of it").click()
    expect(page.locator("madang-part:not([hidden])")).to_contain_text("This is not text")


def test_a_pdf_is_shown_with_its_text(workspace: Workspace, folder: Path) -> None:
    page = workspace.page
    (folder / "slides.pdf").write_bytes(pdf("Hello from a page"))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    page.get_by_role("button", name="Refresh").click()
    row(page, "slides.pdf").click()
    shown = page.locator("madang-pdf:not([hidden])")
    expect(shown).to_contain_text("Hello from a page", timeout=PATIENCE)
    expect(shown).to_contain_text("1 pages")
    screenshot(page, "pdf")
    row(page, "broken.pdf").click()
    expect(page.locator("madang-pdf:not([hidden])").get_by_role("alert")).to_contain_text("could not be opened")


def pdf(text: str) -> bytes:
    drawing = f"BT /F1 24 Tf 40 150 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 320 200] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >> stream\n%s\nendstream" % (len(drawing), drawing),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xb8\x43\x1c" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_an_upload_goes_on_where_it_was(workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    page = workspace.page
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789abcdef" * (PIECE // 16) + b"end" * 2_000_000)
    pieces: list[int] = []

    def watch(route: Route) -> None:
        if route.request.method == "PUT":
            pieces.append(json.loads(route.request.post_data or "{}").get("chunk", 0))
            if pieces == [1, 2]:
                route.abort("connectionfailed")
                return
        route.fallback()

    page.route("**/jupyter/api/contents/**/large.bin", watch)
    page.locator("madang-files input[type=file]").set_input_files(large)
    expect(row(page, "large.bin")).to_be_visible(timeout=PATIENCE)
    assert pieces == [1, 2, 2, -1]
    assert (folder / "large.bin").read_bytes() == large.read_bytes()


def test_an_upload_replaces_nothing_without_a_question(workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    page = workspace.page
    old = (folder / "main.py").read_text()
    fresh = tmp_path / "main.py"
    fresh.write_text("print('fresh')\n")
    field = page.locator("madang-files input[type=file]")
    field.set_input_files(fresh)
    page.get_by_role("button", name="Keep both").click()
    expect(row(page, "main (2).py")).to_be_visible()
    assert (folder / "main.py").read_text() == old
    field.set_input_files(fresh)
    page.get_by_role("button", name="Replace (the old goes to the trash)").click()
    expect(page.get_by_role("button", name="Skip")).to_have_count(0)
    wait_for(lambda: text_of(folder / "main.py") == fresh.read_text(), what="the new one")
    side(page, "Trash")  # which looks once
    expect(page.get_by_role("button", name="Put “main.py” back")).to_be_visible()
    side(page, "Files")
    expect(row(page, "main.py")).to_be_visible()
    assert (folder / "main.py").read_text() == fresh.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_opens(
    scheme: str, open_page: Open, site: Site, account: Account, project: str, folder: Path
) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    (folder / "t.csv").write_text("a,b\n1,2\n")
    sign_in(page, site, account)
    Workspace.open(page, site, project)
    row(page, "t.csv").click()
    expect(page.get_by_role("cell", name="2", exact=True)).to_be_visible()
    page.keyboard.press("Control+Shift+f")
    page.get_by_label("Search for").fill("hello")
    expect(page.get_by_text("in 1 files.")).to_be_visible()
    assert serious(page, AXE) == []
    side(page, "Trash")
    row_menu = page.get_by_role("button", name="Actions for this tab")
    row_menu.click()
    expect(page.get_by_role("menuitem").first).to_be_focused()
    assert serious(page, AXE) == []
    page.keyboard.press("Escape")
    expect(row_menu).to_be_focused()
    page.keyboard.press("Control+Shift+p")
    expect(page.locator("madang-palette input")).to_be_focused()
    assert serious(page, AXE) == []
    screenshot(page, f"palette-{scheme}")


def test_terminals_are_named_split_and_searched(workspace: Workspace) -> None:
    page = workspace.page
    workspace.wait_for_prompt()
    page.get_by_role("tab", name="Terminal 1").dblclick()
    expect(page.locator("madang-terminals").get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    page.keyboard.type("train")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="train")).to_be_visible()
    workspace.type("for i in 1 2 3; do echo found-$((i*11)); done")
    workspace.expect_on_screen("found-33")
    page.keyboard.press("Control+Shift+f")
    page.get_by_label("Find in this terminal").fill("found-")
    expect(page.locator("madang-terminal-find")).to_contain_text("4/4")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="train").click(button="right")
    page.get_by_role("menuitem", name="Show another one below").click()
    expect(page.locator("madang-terminal:visible")).to_have_count(2, timeout=PATIENCE)
    screenshot(page, "terminals-split")
    page.reload()
    expect(page.get_by_role("tab", name="train")).to_be_visible(timeout=PATIENCE)


def test_a_hostile_program_neither_writes_the_clipboard_nor_names_tabs_nor_opens_scripts(workspace: Workspace) -> None:
    page = workspace.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    workspace.wait_for_prompt()
    page.evaluate("navigator.clipboard.writeText('mine')")
    workspace.type(r"printf '\e]52;c;%s\a' $(echo evil | base64)")
    workspace.type(r"printf '\e]2;<b>a\u202eb</b>\a'")
    workspace.type(r"printf '\e]8;;javascript:alert(1)\a%s-%s\e]8;;\a\n' script link")
    workspace.expect_on_screen("script-link")
    workspace.type("echo all-$((40+2))-drawn")
    workspace.expect_on_screen("all-42-drawn")
    assert page.evaluate("navigator.clipboard.readText()") == "mine"
    label = page.locator("madang-terminals").get_by_role("tab").first
    expect(label).to_have_text("Terminal 1")
    assert "\u202e" not in (label.get_attribute("title") or "")
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.on("dialog", accept)
    box = workspace.screen.get_by_text("script-link").last.bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + 10, box["y"] + box["height"] / 2)
    workspace.type("echo still-$((1+1))")
    workspace.expect_on_screen("still-2")
    assert "1" not in asked  # what alert(1) would say
    assert len(page.context.pages) == 1


def test_another_grant_is_another_session(workspace: Workspace) -> None:
    page = workspace.page
    usage = page.locator("madang-usage")
    workspace.expect_output("kept = 1; kept", "1")
    usage.get_by_role("button", name="Change…").click()
    expect(usage).to_contain_text("Variables and running programs end; files stay.")
    page.get_by_label("Cores").fill("999")
    usage.get_by_role("button", name="Restart with these").click()
    expect(usage.get_by_role("alert")).to_contain_text("At most")
    workspace.expect_output("kept", "1")
    usage.get_by_role("button", name="Change…").click()
    page.get_by_label("Cores").fill("0.5")
    usage.get_by_role("button", name="Restart with these").click()
    expect(page.locator("header")).to_contain_text("0.5 cores", timeout=PATIENCE)
    workspace.wait_until_ready().expect_output("kept", "NameError")
