"""What programs may do to a terminal's screen, and what hostile ones may not; pictures; pasting; drawing by the GPU."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.bare import bare_page
from tests.e2e.browser import screenshot
from tests.e2e.conftest import Open
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.live import Account, Site, client, wait_for

SIXEL = r"\x1bPq\"1;1;60;60#1;2;100;0;0#1" + "-".join("!60~" for _ in range(10)) + r"\x1b\\"
"""A red square of 60 by 60 pixels, as ``printf`` takes it."""
RED = """() => {
    let root = document;
    for (const name of ["workspace", "terminals", "terminal"]) root = root?.querySelector(`madang-${name}`)?.shadowRoot;
    const layer = root?.querySelector("canvas.xterm-image-layer");
    if (!layer) return 0;
    const { data } = layer.getContext("2d").getImageData(0, 0, layer.width, layer.height);
    let red = 0;
    for (let at = 0; at < data.length; at += 4) red += data[at] > 200 && data[at + 1] < 60 && data[at + 3] > 200;
    return red;
}"""

WATCHED = """() => {
    globalThis.answers = []; globalThis.titles = [];
    xterm.onData((data) => answers.push(data));
    addEventListener("madang-title", (event) => titles.push(event.detail.title));
}"""
WRITE = """([bytes, at]) => new Promise((done) => {
    xterm.focus();
    answers.length = 0;
    xterm.write(Uint8Array.from(bytes), () => xterm.write(`\\u0018\\u001b\\\\\\u001bc alive-${at}`, () => {
        const line = xterm.buffer.active.getLine(0).translateToString(true);
        setTimeout(() => done([answers.join(""), line, xterm.cols, xterm.rows]));
    }));
})"""

HOSTILE = {
    "a title that is a command, asked for": b"\x1b]2;evil\x07\x1b[21t\x1b[20t",
    "an answerback": b"\x05\x05\x05",
    "the clipboard": b"\x1b]52;c;ZXZpbA==\x07\x1b]52;c;?\x07",
    "the clipboard in 8 bits": "\u009d52;c;ZXZpbA==\u009c\u009d52;c;?\u009c".encode(),
    "settings that are no settings": b"\x1bP$qevil\r\x1b\\\x1bP$q\"p\x1b\\\x1bP+q6576696c\x1b\\",
    "another size of the window": b"\x1b[8;1;1t\x1b[3;0;0t\x1b[9;1t\x1b[4;1;1t\x1b[?3h",
    "lines without end": b"\x1b[2147483647L\x1b[99999999999M\x1b[2147483647S\x1b[2147483647T",
    "tabs without end": b"\x1b[2147483647I\x1b[2147483647Z",
    "one character for ever": b"x\x1b[2147483647b" * 20,
    "a cursor far away": b"".join(b"\x1b[2147483647;2147483647%c" % final for final in b"HCd@PX"),
    "thousands of parameters": b"\x1b[" + b"1;" * 20_000 + b"m\x1b[" + b":" * 20_000 + b"m",
    "a string that never ends": b"\x1b]2;" + b"x" * 300_000,
    "a link longer than any": b"\x1b]8;;http://" + b"x" * 200_000 + b"\x07link\x1b]8;;\x07",
    "8-bit controls": "\u009b31m\u0090q~\u009c\u009b21t\u0085\u008d\u009f x\u009c".encode(),
    "bytes that are no text": bytes(range(128, 256)) * 50,
    "a picture of a million rows": b'\x1bPq"1;1;1;4000000#1~\x1b\\' * 20,
    "a picture of no size": b'\x1bPq"1;1;99999999;99999999#1~\x1b\\\x1bPq' + b"-" * 300_000 + b"\x1b\\",
    "more colours than there are": b"\x1b[?1;3;2147483647S\x1bPq#99999999;2;100;0;0#99999999~\x1b\\",
    "a file that is no picture": b"\x1b]1337;File=inline=1;size=40:" + b"QUJD" * 13 + b"\x07",
    "a picture that is none inside": b"\x1b]1337;File=inline=1;size=60;width=10;height=5:"
    b"iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9"
    b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x07",
    "a picture taller than any": b"\x1b]1337;File=inline=1;size=70;width=1px;height=3000000px;preserveAspectRatio=0:"
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==\x07",
    "a file larger than any": b"\x1b]1337;File=inline=1;size=99999999999:QUJD\x07",
    "a file of another size than it says": b"\x1b]1337;File=inline=1;size=4:" + b"A" * 5000 + b"\x07",
}  # fmt: skip


@pytest.fixture
def session(site: Site, account: Account, project: str) -> str:
    with client(site, account) as http:
        made = http.post("/api/v1/sessions", json={"project": project}).raise_for_status()
        return str(made.json()["id"])


FITS = """() => {
    const { told, wished } = document.querySelector("madang-terminal").fitting ?? {};
    return !!told && wished.rows > 0 && told.rows === wished.rows && told.cols === wished.cols;
}"""
"""Has the server given the terminal the size that its place has room for?"""


def alone(page: Page, site: Site, session: str) -> None:
    """A terminal on a page of its own, of the size of its place, with its prompt."""
    bare_page(page, site, f'<madang-terminal session="{session}" name="main"></madang-terminal>')
    expect(page.locator(".xterm-rows")).to_contain_text("$", timeout=PATIENCE)
    page.wait_for_function(FITS, timeout=PATIENCE)


def test_hostile_sequences_neither_type_nor_hold_up_the_page(
    page: Page, site: Site, account: Account, session: str
) -> None:
    sign_in(page, site, account)
    alone(page, site, session)
    page.evaluate(WATCHED)
    size = page.evaluate("[xterm.cols, xterm.rows]")
    asked = {"settings that are no settings", "more colours than there are"}  # these have answers, of ours alone
    for at, (what, sequence) in enumerate(HOSTILE.items()):
        answers, line, *after = page.evaluate(WRITE, [list(sequence), at])
        assert line.strip() == f"alive-{at}", what
        assert "evil" not in answers, what
        assert "\r" not in answers, what
        assert "\n" not in answers, what
        assert what in asked or not answers, what
        assert after == size, what
    titles = page.evaluate("titles")
    assert all(len(title) <= 40 for title in titles)


def test_a_picture_is_shown_and_shown_again_after_a_reload(workspace: Workspace) -> None:
    page = workspace.page
    workspace.wait_for_prompt()
    workspace.type(rf"printf '{SIXEL}\n'; echo done-$((40+2))")
    workspace.expect_on_screen("done-42")
    wait_for(lambda: page.evaluate(RED) >= 3500, what="the picture")
    screenshot(page, "terminal-picture")
    before = page.evaluate(RED)
    page.reload()
    workspace.expect_on_screen("done-42")
    wait_for(lambda: page.evaluate(RED) == before, what="the same picture")


PASTE = """(text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const how = { clipboardData: data, bubbles: true, composed: true, cancelable: true };
    xterm.textarea.dispatchEvent(new ClipboardEvent("paste", how));
}"""


def test_a_paste_of_several_lines_is_asked_about(page: Page, site: Site, account: Account, session: str) -> None:
    sign_in(page, site, account)
    alone(page, site, session)
    rows = page.locator(".xterm-rows")
    # Bash takes pastes in brackets: it shows them, and nothing can end the brackets from inside.
    page.wait_for_function("xterm.modes.bracketedPasteMode")
    page.evaluate(PASTE, "echo in-$((1+1))\x1b[201~\recho out-$((2+2))\r")
    expect(rows).to_contain_text("echo out-$((2+2))", timeout=PATIENCE)
    expect(rows).not_to_contain_text("in-2")
    page.keyboard.press("Control+c")
    page.evaluate("xterm.input('bind \"set enable-bracketed-paste off\"; clear; cat\\r')")
    page.wait_for_function("!xterm.modes.bracketedPasteMode")
    page.evaluate(PASTE, "one line")
    expect(rows).to_contain_text("one line", timeout=PATIENCE)
    dialog = page.get_by_role("dialog")
    page.evaluate(PASTE, "first\nsecond\nthird\n")
    expect(dialog).to_contain_text("Paste 3 lines?")
    screenshot(page, "terminal-paste")
    # The next paste comes before the dialog has told of its end.
    cancel = dialog.get_by_role("button", name="Cancel")
    cancel.evaluate(f"(button, text) => {{ button.click(); ({PASTE})(text); }}", "fourth\nfifth\n")
    dialog.get_by_role("button", name="Paste as one line").click()
    expect(rows).to_contain_text("fourth fifth", timeout=PATIENCE)
    expect(rows).not_to_contain_text("first")
    page.evaluate(PASTE, "sixth\nseventh\n")
    expect(dialog).to_contain_text("Paste 2 lines?")
    expect(dialog.get_by_role("button", name="Paste", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_contain_text(re.compile("sixth.*sixth.*seventh|sixth.*seventh.*sixth.*seventh"), timeout=PATIENCE)


def test_links_are_followed_with_a_key_held(page: Page, site: Site, account: Account, session: str) -> None:
    sign_in(page, site, account)
    alone(page, site, session)
    page.context.route("http://link.example/**", lambda route: route.fulfill(body="there"))
    page.evaluate("new Promise((done) => xterm.write('\\u001bc http://link.example/a', done))")
    box = page.locator(".xterm-screen").bounding_box()
    assert box
    place = (box["x"] + 60, box["y"] + 8)
    page.mouse.move(*place)
    expect(page.locator("madang-terminal .screen")).to_have_attribute("title", re.compile("Ctrl\\+click"))
    page.mouse.click(*place)
    page.keyboard.down("Control")
    with page.context.expect_page() as opened:
        page.mouse.click(*place)
    page.keyboard.up("Control")
    assert len(page.context.pages) == 2, "the click alone opened nothing"
    assert opened.value.evaluate("window.opener") is None
    expect(opened.value).to_have_url("http://link.example/a")


REAL_GPU = """
    const ask = WebGL2RenderingContext.prototype.getParameter;
    const renderer = 0x9246; // UNMASKED_RENDERER_WEBGL
    WebGL2RenderingContext.prototype.getParameter = function (name) {
        return name === renderer ? "A real one" : ask.call(this, name);
    };
"""


def test_a_gpu_draws_where_there_is_one_and_its_loss_is_survived(
    open_page: Open, site: Site, account: Account, session: str
) -> None:
    page = open_page()
    page.add_init_script(REAL_GPU)
    sign_in(page, site, account)
    bare_page(page, site, f'<madang-terminal session="{session}" name="main"></madang-terminal>')
    drawn = page.locator("madang-terminal canvas:not(.xterm-image-layer)").first
    expect(drawn).to_be_attached(timeout=PATIENCE)
    expect(page.locator(".xterm-rows")).to_have_count(0)
    read: Any = "xterm.buffer.active.getLine(0)?.translateToString(true).includes('$')"
    page.wait_for_function(read)
    screenshot(page, "terminal-gpu")
    page.evaluate("document.querySelector('madang-terminal').reader = true")
    expect(page.locator(".xterm-rows")).to_contain_text("$", timeout=PATIENCE)
    expect(page.locator(".xterm-accessibility-tree")).to_contain_text("$", timeout=PATIENCE)
    page.evaluate("document.querySelector('madang-terminal').reader = false")
    expect(drawn).to_be_attached(timeout=PATIENCE)
    page.evaluate("""() => {
        for (const canvas of document.querySelector("madang-terminal").shadowRoot.querySelectorAll("canvas"))
            canvas.getContext("webgl2")?.getExtension("WEBGL_lose_context").loseContext();
    }""")
    expect(page.locator(".xterm-rows")).to_contain_text("$", timeout=PATIENCE)
