"""What the browser tests look at pages with: the sizes of screens, and pictures for people."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

SCREENSHOTS = Path(__file__).parent / "screenshots"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1360, "height": 860}


def screenshot(page: Page, name: str) -> None:
    """Keep what the page shows under a name, for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png")
