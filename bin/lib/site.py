"""What a site on this machine consists of: the session service and one web process."""

from __future__ import annotations

import http.client
import signal
import socket
from pathlib import Path

from bin.lib.console import StepFailed
from bin.lib.layout import PYTHON, is_root
from bin.lib.parts import Part
from sandbox.jail.scope import delegated

LARGEST_MESSAGE = str(17 << 20)
"""Bytes that a browser may send as one message: kernels and previews take 16 MiB."""


def listen(host: str, port: int) -> socket.socket:
    """The socket that web serves. ``bin/up`` holds it, so while web restarts, browsers wait instead of failing.

    Raises:
        StepFailed: the port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OverflowError as error:
        raise StepFailed(f"{port} is no port: choose one from 1 to 65535") from error
    except OSError as error:
        raise StepFailed(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another: bin/up --port 0 takes a free one"
        ) from error
    return listener


def session_service(state: Path) -> Part:
    """``manage.py sessiond``. SIGINT makes it end its sessions, SIGTERM leaves them running."""
    command = delegated([str(PYTHON), "manage.py", "sessiond"])
    path = state / "run" / "sessiond.sock"
    return Part(
        "sessiond", command, state, lambda: accepts(path), stop_signal=signal.SIGINT, grace=30.0,
        env={"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def web(state: Path, listener: socket.socket) -> Part:
    """Daphne on the socket. As root it gives up every privilege before it starts."""
    host, port = listener.getsockname()[:2]
    daphne = [str(PYTHON), "-m", "daphne", "--fd", str(listener.fileno()), "--no-server-name"]
    daphne += ["--websocket-max-message-size", LARGEST_MESSAGE, "--websocket-max-frame-size", LARGEST_MESSAGE]
    daphne += ["--application-close-timeout", "5", "portal.asgi:application"]
    if is_root():
        daphne = [str(PYTHON), "-m", "sandbox.unprivileged", "--writable", str(state), "--", *daphne]
    return Part(
        "web", daphne, state, lambda: _answers(reachable(host), port),
        env={"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONUNBUFFERED": "1"}, pass_fds=(listener.fileno(),),
    )  # fmt: skip


def reachable(host: str) -> str:
    """An address that reaches a listener on ``host`` from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = reachable(host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
