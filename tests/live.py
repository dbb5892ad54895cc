"""A real site for tests, and why there may be none here."""

from __future__ import annotations

import subprocess

import httpx

from bin.lib.layout import BUILD, PYTHON
from bin.lib.running import Account, Site, environment, wait_for
from tests.settings import IMAGES, ROOT, STATE

__all__ = ["Account", "Site", "client", "environment", "missing_for_site", "wait_for"]


def missing_for_site() -> str:
    """Why a site cannot be started here, as a sentence; "" when it can."""
    if not (BUILD / "madang.js").exists():
        return "the front end is not built: bin/test does"
    if not (IMAGES / "python" / "bin").is_dir():
        return "the Python image is not set up: bin/test does"
    doctor = subprocess.run(
        [str(PYTHON), "manage.py", "doctor"], cwd=ROOT, capture_output=True, text=True, check=False,
        env=environment(STATE),
    )  # fmt: skip
    return f"this host cannot run sandboxes: {doctor.stdout or doctor.stderr}" if doctor.returncode else ""


def client(site: Site, account: Account | None = None) -> httpx.Client:
    """An HTTP client of ``site``, as ``account`` with its API key, or as nobody."""
    return httpx.Client(base_url=site.url, headers=account.headers if account else {}, timeout=60.0)
