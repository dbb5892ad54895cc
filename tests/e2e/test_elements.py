"""Elements by themselves: each works on a bare page, frees all it took when it leaves, and works again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.e2e.bare import bare_page
from tests.e2e.conftest import Open
from tests.e2e.notebooks import code, notebook_of, text
from tests.e2e.pages import PATIENCE, sign_in
from tests.live import Account, Site, client, wait_for

COUNTING = """(() => {
    const listeners = new Map(), timers = new Set(), observers = new Set();
    const key = (type, options) => `${type}/${typeof options === "object" ? !!options?.capture : !!options}`;
    for (const target of [window, document]) {
        const [add, remove] = [target.addEventListener, target.removeEventListener];
        target.addEventListener = function (type, listener, options) {
            if (listener && !options?.once && !options?.signal) {
                if (!listeners.has(listener)) listeners.set(listener, new Set());
                listeners.get(listener).add(key(type, options));
            }
            return add.call(this, type, listener, options);
        };
        target.removeEventListener = function (type, listener, options) {
            const types = listeners.get(listener);
            if (types?.delete(key(type, options)) && types.size === 0) listeners.delete(listener);
            return remove.call(this, type, listener, options);
        };
    }
    const [start, stop] = [window.setInterval, window.clearInterval];
    window.setInterval = (...given) => { const id = start(...given); timers.add(id); return id; };
    window.clearInterval = (id) => { timers.delete(id); stop(id); };
    for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver"]) {
        const { prototype } = window[name];
        const { observe, disconnect } = prototype;
        prototype.observe = function (...given) { observers.add(this); return observe.apply(this, given); };
        prototype.disconnect = function () { observers.delete(this); return disconnect.call(this); };
    }
    globalThis.taken = () => ({
        listeners: [...listeners.values()].flatMap((types) => [...types]).sort(),
        timers: timers.size,
        observers: observers.size,
    });
})();"""
REMOVE = """() => {
    const element = document.querySelector("body > :not(script)");
    globalThis.gone = new WeakRef(element);
    document.activeElement?.blur();
    element.remove();
}"""

MOVE = """async (element) => {
    element.remove();
    await new Promise((done) => setTimeout(done));
    document.body.prepend(element);
}"""


@dataclass(frozen=True)
class Place:
    """What the elements are given, and a page on which one is signed in."""

    project: str
    slug: str
    session: str


@pytest.fixture(scope="module")
def place(site: Site, account: Account) -> Iterator[Place]:
    with client(site, account) as http:
        image = http.get("/api/v1/images").raise_for_status().json()[0]["name"]
        made = http.post("/api/v1/projects", json={"name": "elements", "image": image}).raise_for_status().json()
        book = {"type": "file", "format": "text", "content": notebook_of(code("6 * 7"), text("# Courtyard"))}
        http.put(f"/jupyter/api/contents/{made['slug']}/book.ipynb", json=book).raise_for_status()
        session = http.post("/api/v1/sessions", json={"project": made["id"]}).raise_for_status().json()["id"]
        yield Place(made["id"], made["slug"], session)
        http.delete(f"/api/v1/sessions/{session}").raise_for_status()


def terminal(page: Page) -> None:
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("$", timeout=PATIENCE)
    page.locator(".xterm-screen").click()
    page.keyboard.type("clear; echo it-is-$((40+2))\n")
    expect(rows).to_contain_text("it-is-42", timeout=PATIENCE)


def shows(text: str) -> Callable[[Page], None]:
    def use(page: Page) -> None:
        expect(page.locator("body > :not(script)")).to_contain_text(text, timeout=PATIENCE)

    return use


def console(page: Page) -> None:
    expect(page.locator(".cm-content")).to_be_visible(timeout=PATIENCE)
    page.locator(".cm-content").click()
    page.keyboard.type("print('it is', 6 * 7)")
    page.keyboard.press("Shift+Enter")
    expect(page.locator("madang-console")).to_contain_text("it is 42", timeout=PATIENCE)


def gives(what: dict[str, Any], text: str) -> Callable[[Page], None]:
    def use(page: Page) -> None:
        script = "(given) => Object.assign(document.querySelector('body > :not(script)'), given)"
        page.evaluate(script, what)
        shows(text)(page)

    return use


PORT = {"port": 8000, "program": "python", "listening": True, "audience": "private"}
DISPLAY = {"kind": "display", "data": {"text/plain": "it is 42"}, "metadata": {}}
ELEMENTS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "madang-console": ('slug="{slug}"', console),
    "madang-editor": ('project="{project}" path="{slug}/main.py"', shows("print")),
    "madang-notebook": ('project="{project}" path="{slug}/book.ipynb"', shows("Courtyard")),
    "madang-files": ('project="{project}" slug="{slug}"', shows("main.py")),
    "madang-output": ("", gives({"output": DISPLAY}, "it is 42")),
    "madang-ports": ("", gives({"ports": [PORT]}, "8000")),
    "madang-search": ('project="{project}"', lambda page: expect(page.get_by_role("textbox").first).to_be_visible()),
    "madang-terminal": ('session="{session}" name="main"', terminal),
    "madang-terminals": ('session="{session}" slug="{slug}"', terminal),
    "madang-trash": ('project="{project}"', lambda page: expect(page.locator("madang-trash")).to_be_visible()),
    "madang-usage": ('session="{session}"', shows("CPU")),
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_an_element_frees_all_it_took_and_works_again(
    name: str, browser: Browser, open_page: Open, site: Site, account: Account, place: Place
) -> None:
    page = open_page()
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.add_init_script(COUNTING)
    sign_in(page, site, account)
    attributes, use = ELEMENTS[name]
    element = f"<{name} {attributes.format(**vars(place))}></{name}>"
    bare_page(page, site, element)
    use(page)
    freed(page, sockets)
    once = page.evaluate("taken()")  # what libraries set up once, for the page
    for _ in range(2):
        page.evaluate("(html) => document.body.insertAdjacentHTML('afterbegin', html)", element)
        use(page)
        freed(page, sockets)
    assert page.evaluate("taken()") == once
    # The element itself is moved: taken out and put in again.
    page.evaluate("(html) => document.body.insertAdjacentHTML('afterbegin', html)", element)
    use(page)
    page.locator(name).evaluate(MOVE)
    use(page)


def freed(page: Page, sockets: list[WebSocket]) -> None:
    """Take the element out: its connections close, and nothing keeps it."""
    page.evaluate(REMOVE)
    wait_for(lambda: page.evaluate("0") == 0 and all(socket.is_closed() for socket in sockets), what="closed sockets")
    devtools = page.context.new_cdp_session(page)

    def collected() -> bool:
        devtools.send("HeapProfiler.collectGarbage")
        return bool(page.evaluate("gone.deref() === undefined"))

    wait_for(collected, what="the element to be collected")
    devtools.detach()
