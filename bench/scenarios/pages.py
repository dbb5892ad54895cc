"""What a person waits for in a browser: a page that opens, a key that shows, a long notebook that scrolls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, StorageState, ViewportSize

from bench.desk import Desk, Desks
from bench.report import Row
from bench.scenarios.counts import Counts
from bench.sight import open_until_seen
from bench.subject import Subject
from bin.lib.browser import chromium

SHORT, LONG, NOTEBOOK = "short.py", "long.py", "large.ipynb"
VIEW: ViewportSize = {"width": 1360, "height": 860}
AT_ONCE = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
"""A screen that shows each frame as soon as it is drawn: what is left is what the page and the browser take."""
PATIENCE = 120_000
CELLS, CELL_BYTES, LINES = 500, 40_000, 10_000
KEY_MS, WHEEL, WHEELS = 40, 1500, 80
REMARK = "# " + "abcdefghi " * 4 + "abcdefg\n"

LISTEN_TO_KEYS = """() => {
    window.benchTimes = [];
    addEventListener("keydown", ({ timeStamp }) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();  // its task comes when the frame has been drawn
        port1.onmessage = () => window.benchTimes.push(performance.now() - timeStamp);
        port2.postMessage(0);
    }), { capture: true });
}"""
WATCH_FRAMES = """() => {
    window.benchTimes = [];
    let last = performance.now();
    const look = (now) => { window.benchTimes.push(now - last); last = now; requestAnimationFrame(look); };
    requestAnimationFrame(look);
}"""


def pages(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Milliseconds of each thing that is waited for, and the scripts of a first view in kB, as they travel."""
    with subject.running() as running:
        server: Desks = running
        desk = server.desk({SHORT: "print('short')\n", LONG: _program(), NOTEBOOK: _notebook()})
        with chromium() as browser:
            state = _signed_in(browser, desk)
            yield from _files(browser, desk, state, subject, counts)
            yield from _long_notebook(browser, desk, state, subject, counts)
        with chromium(*AT_ONCE) as browser, _page(browser, state) as page:
            yield Row("the key, on a screen without a clock", subject.name, "ms", _typing(page, desk, counts))


def _files(browser: Browser, desk: Desk, state: StorageState, subject: Subject, counts: Counts) -> Iterator[Row]:
    cold, scripts, warm = _openings(browser, desk, state, counts.pages)
    yield Row("a file open to typing, empty cache", subject.name, "ms", cold)
    yield Row("the same, filled cache", subject.name, "ms", warm)
    yield Row("scripts until then, compressed", subject.name, "kB", scripts)
    with _page(browser, state) as page:
        yield Row(f"a key's way to the screen, {LINES:,} lines", subject.name, "ms", _typing(page, desk, counts))


def _long_notebook(
    browser: Browser, desk: Desk, state: StorageState, subject: Subject, counts: Counts
) -> Iterator[Row]:
    opened, frames = [], []
    for _ in range(counts.pages):
        with _page(browser, state) as page:
            opened.append(_open_notebook(page, desk))
            frames += _scroll(page)
    megabytes = CELLS * CELL_BYTES // 1_000_000
    yield Row(f"a notebook of {CELLS} cells and {megabytes} MB", subject.name, "ms", opened)
    yield Row("from frame to frame, while it scrolls", subject.name, "ms", frames)


def _program() -> str:
    return "".join(f"value_{n} = {n}  # line {n} of a long program\n" for n in range(LINES))


def _notebook() -> str:
    def cell(n: int) -> dict[str, Any]:
        line = f"cell {n} says this line again and again\n"
        output = {"output_type": "stream", "name": "stdout", "text": line * (CELL_BYTES // len(line))}
        source = f"print({n})"
        return {
            "cell_type": "code", "id": f"cell-{n}", "metadata": {}, "execution_count": n, "source": source,
            "outputs": [output],
        }  # fmt: skip

    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [cell(n) for n in range(CELLS)]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def _signed_in(browser: Browser, desk: Desk) -> StorageState:
    with _page(browser, None) as page:
        desk.enter(page)
        return page.context.storage_state()


@contextmanager
def _page(browser: Browser, state: StorageState | None) -> Iterator[Page]:
    """In a context of its own, whose cache is empty."""
    context = browser.new_context(viewport=VIEW, locale="en-US", storage_state=state)
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


def _openings(
    browser: Browser, desk: Desk, state: StorageState, count: int
) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds with an empty cache, kB of scripts that came, and milliseconds with what these left in the cache.

    One that does not count comes first: what a server does once is not each opening's.
    """
    cold, scripts, warm = [], [], []
    for turn in range(count + 1):
        with _page(browser, state) as page:
            sizes = _script_sizes(page)
            took = _open_file(page, desk, SHORT)
            if turn:
                cold.append(took)
                scripts.append(sum(sizes.values()) / 1000)
                warm.append(_open_file(page, desk, SHORT))
    return cold, scripts, warm


def _script_sizes(page: Page) -> dict[str, float]:
    """Fills with the bytes of each script as they come over the wire."""
    devtools = page.context.new_cdp_session(page)
    found: dict[str, float] = {}

    def answered(event: dict[str, Any]) -> None:
        if event["type"] == "Script":
            found[event["requestId"]] = 0.0

    def loaded(event: dict[str, Any]) -> None:
        if event["requestId"] in found:
            found[event["requestId"]] = event["encodedDataLength"]

    devtools.on("Network.responseReceived", answered)
    devtools.on("Network.loadingFinished", loaded)
    devtools.send("Network.enable")
    return found


def _open_file(page: Page, desk: Desk, name: str) -> float:
    words = "short" if name == SHORT else "line 1 of"
    return open_until_seen(page, desk.page(name), desk.field, words, PATIENCE / 1000)


def _typing(page: Page, desk: Desk, counts: Counts) -> list[float]:
    _open_file(page, desk, LONG)
    field = page.locator(desk.field).filter(has_text="line 1 of").first
    field.click()
    page.keyboard.type("# a first line", delay=KEY_MS)
    page.evaluate(LISTEN_TO_KEYS)
    typed = REMARK * max(1, counts.keys // len(REMARK))
    page.keyboard.type(typed, delay=KEY_MS)
    page.wait_for_function(f"window.benchTimes.length >= {len(typed)}")
    return list(page.evaluate("window.benchTimes"))


def _open_notebook(page: Page, desk: Desk) -> float:
    """Until the first cell and what it said are in sight."""
    return open_until_seen(page, desk.page(NOTEBOOK), desk.cell, "cell 0 says", PATIENCE / 1000)


def _scroll(page: Page) -> list[float]:
    page.mouse.move(VIEW["width"] / 2, VIEW["height"] / 2)
    page.evaluate(WATCH_FRAMES)
    for _ in range(WHEELS):
        page.mouse.wheel(0, WHEEL)
    return list(page.evaluate("window.benchTimes"))
