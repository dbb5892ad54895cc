"""Debian's Chromium, driven by Playwright, and the way into a site."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bin.lib.running import Account, Site

ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # it looks for its maker's hosts otherwise, at every start
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-features=LocalNetworkAccessChecks",  # a page of a test's own is at no address
]


def executable() -> Path:
    """The browser: CHROMIUM, by default Debian's."""
    return Path(os.environ.get("CHROMIUM") or "/usr/bin/chromium")


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A headless browser, with ``more`` arguments. As root it runs without its own sandbox, which root cannot have."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(), args=[*ARGUMENTS, *more], chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, site: Site, account: Account) -> None:
    """Through the form, as everyone does."""
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(account.email)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/dashboard"))
