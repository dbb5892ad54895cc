"""A real site for tests, and why there may be none here."""

from __future__ import annotations

import logging

import httpx

from bin.lib.layout import BUILD
from bin.lib.running import Account, Site, environment, wait_for
from sandbox.doctor import findings
from tests.settings import IMAGES

__all__ = ["Account", "Site", "client", "environment", "missing_for_site", "wait_for"]


# Each request would fill the report of a failed test.
logging.getLogger("httpx").setLevel(logging.WARNING)


def missing_for_site() -> str:
    """Why a site cannot be started here, as a sentence; "" when it can."""
    if not (BUILD / "madang.js").exists():
        return "the front end is not built: bin/test does"
    if not (IMAGES / "python" / "bin").is_dir():
        return "the Python image is not set up: bin/test does"
    missing = [f"{finding.name}: {finding.detail}" for finding in findings() if finding.state == "missing"]
    return f"this host cannot run sandboxes: {'; '.join(missing)}" if missing else ""


def client(site: Site, account: Account | None = None) -> httpx.Client:
    """An HTTP client of ``site``, as ``account`` with its API key, or as nobody."""
    return httpx.Client(base_url=site.url, headers=account.headers if account else {}, timeout=60.0)
