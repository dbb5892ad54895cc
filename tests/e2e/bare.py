"""Pages of the tests' own, on the site's origin: where an element stands by itself, as on a stranger's page."""

from __future__ import annotations

from playwright.sync_api import Page

from bin.lib.running import Site

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bare</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/build/tokens.css">
<style>body {{ margin: 0; }} body > * {{ height: 400px; width: 700px; }}</style></head><body>
<script>addEventListener("madang-terminal", (event) => {{ globalThis.xterm = event.detail; }});</script>
<script type="module" src="/static/build/elements.js"></script>{body}</body></html>"""


def bare_page(page: Page, site: Site, body: str) -> None:
    """Go to a page with nothing but ``body``; who is signed in stays so."""
    url = f"{site.url}/bare"
    page.unroute(url)
    page.route(url, lambda route: route.fulfill(content_type="text/html", body=_PAGE.format(body=body)))
    page.goto(url)
