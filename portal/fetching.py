"""Fetching what somebody names by an address: a git repository, or a notebook. https alone, bounded, through the door.

git runs as the site's user on files that a stranger chose: without any configuration but ours, without hooks,
submodules, filters or links, and with no transport but https.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from portal.door import Door
from portal.filling import Filling, too_much
from sandbox.egress.rules import Network, Refused, canonical, parse_allowance
from sandbox.room import measure, most_entries
from sessions.problems import Problem

CLONE_SECONDS = 180.0
READ_SECONDS = 20.0
NOTEBOOK_BYTES = 20 * 1024 * 1024
LONGEST = 500
_LOOK_SECONDS = 0.5
_CONFIGURATION = {
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "core.symlinks": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
    "credential.helper": "",
    "init.templateDir": "",
}
_TRUST = ("GIT_SSL_CAINFO", "SSL_CERT_FILE")  # of a site with its own authority
_GITHUB = re.compile(r"https://github\.com/([^/]+/[^/]+)/blob/(.+)")

Tell = Callable[[str], None]


def can_clone() -> bool:
    """Whether this site has git, and lets people fetch."""
    return settings.MADANG_FETCH != "none" and shutil.which("git") is not None


def check_address(text: str) -> str:
    """``text``, if it is an address that may be fetched.

    Raises:
        Problem: it is none, is not https, or holds a password.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, _port = canonical(parts.hostname or ""), parts.port
    except (ValueError, Refused) as error:
        raise _bad_address(_("That is no address.")) from error
    if parts.scheme != "https" or not host or len(text) > LONGEST or not text.isprintable() or " " in text:
        raise _bad_address(_("An address begins with https:// and the name of a host."))
    if "@" in parts.netloc:
        raise _bad_address(_("An address may not hold a name or a password: others would see it."))
    return text


def _bad_address(why: str) -> Problem:
    return Problem(422, "bad_address", _("This address is not fetched"), why, _("Copy it from your browser."))


def clone(address: str, filling: Filling, limit: int, tell: Tell) -> None:
    """Clone the newest state of the repository at ``address``, telling of each step.

    Raises:
        Problem: it cannot be had, takes too long, or is more than ``limit`` bytes.
    """
    with _door() as door, subprocess.Popen(
        ["git", "clone", "--progress", "--depth=1", "--single-branch", "--no-tags", "--", address, filling.folder],
        env=_environment({**_CONFIGURATION, "http.proxy": door.address}, filling.folder),
        cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as git:  # fmt: skip
        try:
            last = _watch(git, filling.folder, limit, tell)
        finally:
            if git.poll() is None:
                os.killpg(git.pid, signal.SIGKILL)
    if git.returncode:
        raise _failed(door.refusal or last)
    if _over(filling.folder, limit):
        raise too_much()


def _watch(git: subprocess.Popen[bytes], folder: Path, limit: int, tell: Tell) -> str:
    """Pass on what git says until it ends; its last line."""
    assert git.stderr is not None
    until, said, last = time.monotonic() + CLONE_SECONDS, b"", ""
    looked = time.monotonic()
    while True:
        if select.select([git.stderr], [], [], _LOOK_SECONDS)[0]:
            block = os.read(git.stderr.fileno(), 4096)
            if not block:
                return last
            *lines, said = re.split(rb"[\r\n]", (said + block)[-4096:])
            for line in lines:
                if line.strip():
                    last = "".join(char for char in line.decode(errors="replace") if char.isprintable())[:200]
                    tell(last)
        now = time.monotonic()
        if now > until:
            raise Problem(504, "too_slow", _("It takes too long"), _("The repository did not arrive in time."))
        if now - looked > _LOOK_SECONDS:
            looked = now
            if _over(folder, limit):
                raise too_much()


def _over(folder: Path, limit: int) -> bool:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return measure(fd, most_entries(limit) + 1).over(limit)
    finally:
        os.close(fd)


def _environment(configuration: dict[str, str], home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _TRUST if name in os.environ}
    named = {
        f"GIT_CONFIG_{kind}_{n}": text
        for n, pair in enumerate(configuration.items())
        for kind, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_CONFIG_COUNT": str(len(configuration)),
        **named, **kept,
    }  # fmt: skip


def fetch_notebook(address: str, filling: Filling) -> None:
    """Fetch the notebook at ``address``; a page of GitHub that shows one is understood.

    Raises:
        Problem: it cannot be had, or is no notebook.
    """
    if page := _GITHUB.fullmatch(address.partition("?")[0]):
        address = f"https://raw.githubusercontent.com/{page[1]}/{page[2]}"
    data = _read(address)
    try:
        notebook = json.loads(data)
        good = isinstance(notebook, dict) and isinstance(notebook["cells"], list) and notebook["nbformat"] >= 4
    except (ValueError, KeyError, TypeError, RecursionError):
        good = False
    if not good:
        raise Problem(
            422, "no_notebook", _("This is no notebook"), _("What is there is not a Jupyter notebook (.ipynb)."),
            _("On GitHub, open the notebook and copy the page's address."),
        )  # fmt: skip
    name = re.sub(r"[^\w.-]", "_", urlsplit(address).path.rpartition("/")[2])[:100]
    filling.write(name if name.endswith(".ipynb") and not name.startswith(".") else "notebook.ipynb", [data])


def _read(address: str) -> bytes:
    with _door() as door:
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler({"https": door.address}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.UnknownHandler(),
        ):
            opener.add_handler(handler)
        until = time.monotonic() + CLONE_SECONDS
        try:
            with opener.open(address, timeout=READ_SECONDS) as answer:
                blocks, size = [], 0
                while block := answer.read1(1 << 16):
                    blocks.append(block)
                    size += len(block)
                    if size > NOTEBOOK_BYTES or time.monotonic() > until:
                        raise _failed(_("It is too large, or comes too slowly."))
                return b"".join(blocks)
        except (OSError, HTTPException, ValueError) as error:
            raise _failed(door.refusal or str(getattr(error, "reason", error))) from error


def _door() -> Door:
    if settings.MADANG_FETCH == "none":
        raise Problem(
            403, "no_fetching", _("Nothing is fetched here"), _("This site fetches nothing from the Internet.")
        )
    return Door(Network(settings.MADANG_FETCH), [parse_allowance(text) for text in settings.MADANG_EGRESS_ALLOW])


def _failed(why: str) -> Problem:
    return Problem(
        502, "not_fetched", _("It could not be fetched"), why[:300] or _("The other side did not answer."),
        _("Is the address right, and open to everybody?"),
    )  # fmt: skip
