"""A whole site of its own, started by ``bin/up`` on an empty state directory: for tests and for the bench."""

from __future__ import annotations

import http.client
import os
import queue
import re
import secrets
import signal
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bin.lib.layout import PYTHON, ROOT
from bin.lib.site import accepts

START_LIMIT = 120.0
PASSWORD = "correct-horse-battery"  # noqa: S105 - of accounts that live as long as a test
T = TypeVar("T")


def environment(state: Path, **more: str) -> dict[str, str]:
    """The environment of a site's processes: of ours nothing that would change it."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MADANG_", "PYTEST_", "COV_"))}
    env.update(DJANGO_SETTINGS_MODULE="portal.settings", PYTHONUNBUFFERED="1", MADANG_STATE=str(state))
    return env | more


def wait_for(condition: Callable[[], T], seconds: float = 30.0, what: str = "") -> T:
    """Wait until ``condition`` returns something true, and return that.

    Raises:
        TimeoutError: it did not in ``seconds``; the message names ``what``.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.02)
    return found


@dataclass(frozen=True)
class Account:
    """A user of the site, and an API key of theirs."""

    email: str
    password: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


class Site:
    """A running site. ``url`` ends without a slash; ``output`` is what ``bin/up`` has printed so far."""

    def __init__(self, state: Path, process: subprocess.Popen[str], url: str, output: list[str]) -> None:
        self.state, self.process, self.url, self.output = state, process, url, output

    @classmethod
    @contextmanager
    def started(cls, state: Path, images: Path, **more: str) -> Iterator[Site]:
        """Start ``bin/up`` and wait for its URL; at the end stop it as Ctrl-C would.

        ``images`` is where the images were set up; ``more`` goes into its environment.
        """
        state.chmod(0o755)
        if not (state / "images").exists():
            (state / "images").symlink_to(images)
        process = subprocess.Popen(
            [str(PYTHON), "bin/up", "--no-setup", "--port", "0"], cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(state, **more),
        )  # fmt: skip
        try:
            yield cls(state, process, *_url_of(process))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

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
        """Wait until web answers and the session service listens."""
        wait_for(self._service_listens, what="the session service")
        wait_for(self._web_answers, what="web")

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` on this site and return what it printed.

        Raises:
            RuntimeError: it failed; the message is what it printed.
        """
        done = subprocess.run(
            [str(PYTHON), "manage.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
            env=environment(self.state),
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def account(self, name: str = "user") -> Account:
        """A new user with an API key."""
        email = f"{name}-{secrets.token_hex(4)}@example.org"
        script = "from django.contrib.auth import get_user_model as model\n"
        script += f"model().objects.create_user(email={email!r}, password={PASSWORD!r})"
        self.manage("shell", "-v", "0", "-c", script)
        found = re.search(r"mdg_\S+", self.manage("apikey", "create", email))
        if not found:
            raise RuntimeError("manage.py apikey create printed no key")
        return Account(email, PASSWORD, found.group())

    def _service_listens(self) -> bool:
        return accepts(self.state / "run" / "sessiond.sock")

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=5.0)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


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
    if not url:
        raise RuntimeError("bin/up ended:\n" + "".join(output))
    return url, output
