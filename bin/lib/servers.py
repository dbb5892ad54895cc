"""PostgreSQL and Redis for the tests: own servers on a temporary directory and free ports, from Debian's packages.

PostgreSQL refuses to run as root, so there it runs as the unprivileged user nobody.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bin.lib.console import StepFailed
from bin.lib.layout import is_root

START_LIMIT = 60.0


class Unavailable(StepFailed):
    """The server's program is not on this machine."""


@contextmanager
def database_and_channels() -> Iterator[dict[str, str]]:
    """Both servers; yields DATABASE_URL and REDIS_URL for them.

    Raises:
        Unavailable: PostgreSQL or Redis is not installed.
        StepFailed: one did not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="madang-servers-")))
        folder.chmod(0o711)
        database = stack.enter_context(postgresql(folder / "postgresql"))
        yield {"DATABASE_URL": database, "REDIS_URL": stack.enter_context(redis(folder / "redis"))}


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server on loopback; yields the URL of its database."""
    programs = _postgresql_programs()
    _owned_folder(folder)
    port = free_port()
    user, group = _account()
    initdb = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "madang", "-A", "trust"]
    initdb += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, user=user, group=group)
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1"]
    command += ["-k", str(folder), "-c", "fsync=off", "-c", "max_connections=60"]
    with _running(command, folder, port, signal.SIGINT):
        url = f"postgres://madang@127.0.0.1:{port}/postgres"
        _wait_for_database(programs, port)
        yield url


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server on loopback that writes nothing; yields its URL."""
    program = shutil.which("redis-server")
    if not program:
        raise Unavailable("Redis is not installed: sudo apt-get install redis-server")
    _owned_folder(folder)
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with _running(command, folder, port, signal.SIGTERM):
        yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    """A TCP port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgresql_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise Unavailable("PostgreSQL is not installed: sudo apt-get install postgresql")
    return found[-1].parent


def _account() -> tuple[int, int] | tuple[None, None]:
    """The user and group a server runs as: nobody when we are root, else ours."""
    if not is_root():
        return None, None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _owned_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    user, group = _account()
    if user is not None and group is not None:
        os.chown(folder, user, group)


@contextmanager
def _running(command: list[str], folder: Path, port: int, stop: signal.Signals) -> Iterator[None]:
    log = folder.parent / f"{folder.name}.log"
    user, group = _account()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            user=user, group=group,
        )  # fmt: skip
    try:
        _wait_for_port(process, port, log)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise StepFailed("A server for the tests did not start", log.read_text(errors="replace")[-2000:])


def _wait_for_database(programs: Path, port: int) -> None:
    """A port that accepts is not yet a database that answers."""
    probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + START_LIMIT
    while subprocess.run(probe, check=False).returncode:
        if time.monotonic() > deadline:
            raise StepFailed("PostgreSQL does not answer")
        time.sleep(0.05)
