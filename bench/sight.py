"""When something is to be seen in a page, told by the page itself.

From outside, a page that takes 20 MB over a WebSocket seems slower than it is: the browser tells who watches it of
each frame, whole, and everything that is asked meanwhile waits behind that.
"""

from __future__ import annotations

import json
import time

from playwright.sync_api import Page

LOOK_SECONDS = 0.05
_MOST = 3  # matches that are looked at: a page with 500 cells has more to do

_WATCH = """([selector, words, most]) => {
    const roots = (node) => node.shadowRoot ? [node, node.shadowRoot] : [node];
    const hosts = (root) => [...root.querySelectorAll("*")].filter((node) => node.shadowRoot);
    const find = function* (node, selector) {
        for (const root of roots(node)) {
            yield* root.querySelectorAll(selector);
            for (const host of hosts(root)) yield* find(host.shadowRoot, selector);
        }
    };
    const matches = function* (node, [first, ...rest]) {
        for (const found of find(node, first)) if (rest.length) yield* matches(found, rest); else yield found;
    };
    const says = (node) => roots(node).some((root) => root.textContent.includes(words) || hosts(root).some(says));
    const mine = window.benchWatch = {};  // a page that is opened once more begins with what was wanted before
    const look = () => {
        if (window.benchWatch !== mine) return;
        let left = most;
        for (const found of matches(document, selector.split(" "))) {
            if (found.checkVisibility() && found.getClientRects().length && says(found)) {
                const { port1, port2 } = new MessageChannel();  // its task comes when the frame has been drawn
                port1.onmessage = () => { window.benchSeen = performance.now(); };
                port2.postMessage(0);
                return;
            }
            if (--left === 0) break;
        }
        requestAnimationFrame(look);
    };
    if (window === window.top) requestAnimationFrame(look);
}"""


def open_until_seen(page: Page, address: str, selector: str, words: str, patience: float) -> float:
    """Go to ``address``; milliseconds from then until an element that ``selector`` names shows ``words``.

    Of the selector, tags and classes with blanks between them are known; shadow roots are looked through.

    Raises:
        TimeoutError: it is not to be seen after ``patience`` seconds.
    """
    page.add_init_script(f"({_WATCH})({json.dumps([selector, words, _MOST])})")
    page.goto(address, wait_until="commit")
    end = time.monotonic() + patience
    while (seen := page.evaluate("window.benchSeen ?? null")) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{words!r} is not to be seen in {selector}")
        time.sleep(LOOK_SECONDS)
    return float(seen)
