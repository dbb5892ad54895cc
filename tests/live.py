"""A real site for tests: ``bin/up`` on a state directory of its own and a free port."""

from __future__ import annotations

import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from tests.settings import IMAGES, ROOT

START_LIMIT = 120.0
PASSWORD = "correct-horse-battery"
T = TypeVar("T")


def missing_for_site() -> str:
    """Why a site cannot be started here, as a sentence; "" when it can."""
    if not (ROOT / "portal" / "static" / "build" / "madang.js").exists():
        return "the front end is not built: bin/test builds it"
    if not (IMAGES / "python" / ".madang-stamp").exists():
        return "the Python image is not set up: bin/test does"
    doctor = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--essential"], cwd=ROOT, capture_output=True, text=True, check=False,
        env=site_environment(),
    )  # fmt: skip
    return f"this host cannot run sandboxes: {doctor.stdout or doctor.stderr}" if doctor.returncode else ""


def site_environment(state: Path | None = None, **more: str) -> dict[str, str]:
    """The environment of a site's processes: nothing of the tests' own settings in it."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MADANG_", "PYTEST_"))}
    env.update(DJANGO_SETTINGS_MODULE="portal.settings", PYTHONUNBUFFERED="1", **more)
    if state is not None:
        env["MADANG_STATE"] = str(state)
    return env


def wait_for(condition: Callable[[], T], seconds: float = 30.0, what: str = "") -> T:
    """Wait until ``condition`` returns something true, and return that.

    Raises:
        TimeoutError: it did not in ``seconds``; the message names ``what``.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.05)
    return found


@dataclass
class Account:
    """A user of the site, and an API key of theirs."""

    email: str
    password: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


class Site:
    """A running site. ``url`` ends without a slash."""

    def __init__(self, state: Path, process: subprocess.Popen[str], url: str, output: list[str]) -> None:
        self.state, self.process, self.url, self.output = state, process, url, output

    @classmethod
    @contextmanager
    def started(cls, state: Path, **environment: str) -> Iterator[Site]:
        """Start ``bin/up`` and wait for its URL; at the end stop it as Ctrl-C would."""
        state.chmod(0o755)
        (state / "images").symlink_to(IMAGES)
        process = subprocess.Popen(
            [sys.executable, "bin/up", "--no-setup", "--port", "0"], cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=site_environment(state, **environment),
        )  # fmt: skip
        try:
            url, output = _url_of(process)
            yield cls(state, process, url, output)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def pid(self, part: str) -> int:
        """The process id of ``web`` or ``sessiond``."""
        return int((self.state / "run" / f"{part}.pid").read_text(encoding="ascii").split()[0])

    def kill(self, part: str) -> None:
        """``kill -9`` a part and wait until ``bin/up`` has started another one that answers."""
        former = self.pid(part)
        os.kill(former, signal.SIGKILL)
        wait_for(lambda: self.pid(part) != former, what=f"a new {part}")
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until web answers and reaches the session service."""
        wait_for(lambda: (self.state / "run" / "sessiond.sock").is_socket(), what="the session service's socket")
        wait_for(self._answers, what="web")

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` on this site and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
            env=site_environment(self.state),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def account(self, name: str = "user") -> Account:
        """A new user with an API key."""
        email = f"{name}-{secrets.token_hex(4)}@example.org"
        script = (
            "from django.contrib.auth import get_user_model as g\n"
            f"g().objects.create_user(email={email!r}, password={PASSWORD!r})"
        )
        self.manage("shell", "-v", "0", "-c", script)
        found = re.search(r"mdg_\S+", self.manage("apikey", "create", email))
        assert found, "manage.py apikey create printed no key"
        return Account(email, PASSWORD, found.group())

    def client(self, account: Account | None = None) -> httpx.Client:
        """An HTTP client of this site, as ``account`` with its API key, or as nobody."""
        return httpx.Client(base_url=self.url, headers=account.headers if account else {}, timeout=60.0)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url + "/", timeout=5.0).status_code < 500
        except httpx.HTTPError:
            return False


def _url_of(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Read what ``bin/up`` prints until it names its URL, and go on reading so that it never waits for us."""
    output: list[str] = []
    found: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            if match := re.search(r"Open (http\S+?)/?$", line.strip()):
                found.put(match.group(1))
        found.put("")

    threading.Thread(target=read, daemon=True).start()
    url = found.get(timeout=START_LIMIT)
    assert url, "bin/up ended:\n" + "".join(output)
    return url, output
