"""What is measured: Madang, and its peer jupyter_server, each as its users would start it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import httpx

from bench import memory
from bench.jupyter import Jupyter
from bin.lib.layout import ROOT, digest_files, is_fresh, state, write_stamp
from bin.lib.running import Site, wait_for
from bin.lib.servers import free_port

REQUIREMENTS = ROOT / "bench" / "requirements.txt"


class Running(Protocol):
    """A server under measurement."""

    def users(self, count: int) -> list[Jupyter]:
        """Clients whose kernels are as far apart as this server keeps them."""

    def forget(self, user: Jupyter, kernel: str) -> None:
        """End all that starting ``kernel`` has begun, and return when it is gone."""

    def own_processes(self) -> set[int]:
        """What runs without any session."""

    def session_processes(self) -> set[int]:
        """What runs for sessions, of all users together."""


class Subject(Protocol):
    """Something that can be started to be measured."""

    name: str

    def running(self, spares: bool = True) -> AbstractContextManager[Running]:
        """Start it; it is stopped at the end. Without ``spares`` it keeps nothing ready."""


class Madang:
    """A site started by ``bin/up`` on an empty state directory."""

    name = "Madang"

    @contextmanager
    def running(self, spares: bool = True) -> Iterator[Running]:
        base = state() / "bench"
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="site-", dir=base) as folder:
            more = {} if spares else {"MADANG_SPARES": "0"}
            with Site.started(Path(folder), state() / "images", **more) as site:
                yield MadangRunning(site)


class MadangRunning:
    def __init__(self, site: Site) -> None:
        self.site = site

    def users(self, count: int) -> list[Jupyter]:
        return [Jupyter(f"{self.site.url}/jupyter", self.site.account("bench").key) for _ in range(count)]

    def forget(self, user: Jupyter, kernel: str) -> None:
        user.stop_kernel(kernel)
        rest = httpx.Client(base_url=f"{self.site.url}/api/v1", headers={"Authorization": f"Bearer {user.token}"})
        with rest:
            for session in _sessions(rest):
                rest.delete(f"/sessions/{session['id']}").raise_for_status()
            wait_for(lambda: not _sessions(rest), what="the end of the session")

    def own_processes(self) -> set[int]:
        return memory.with_descendants({self.site.process.pid}) - self.session_processes()

    def session_processes(self) -> set[int]:
        states = [json.loads(file.read_text()) for file in (self.site.state / "sandboxes").glob("*/state.json")]
        return memory.with_descendants({int(state["jail"]) for state in states})


class Peer:
    """jupyter_server with ipykernel, in an environment of its own that the bench makes."""

    name = "jupyter_server"

    @contextmanager
    def running(self, spares: bool = True) -> Iterator[Running]:
        port, token = free_port(), secrets.token_hex(16)
        command = [str(install_peer(state()) / "bin" / "jupyter"), "server", "--no-browser", "--ip=127.0.0.1"]
        command += [f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
        with tempfile.TemporaryDirectory(prefix="madang-peer-") as folder:
            env = {
                **os.environ,
                "JUPYTER_TOKEN": token,
                "HOME": folder,
                "SHELL": "/bin/bash",
                "JUPYTER_CONFIG_DIR": folder,
            }
            log = Path(folder) / "log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [*command, f"--ServerApp.root_dir={folder}"], env=env, cwd=folder, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=output, start_new_session=True,
                )  # fmt: skip
            try:
                url = f"http://127.0.0.1:{port}"
                wait_for(lambda: _answers(process, f"{url}/api", log), 60, "jupyter_server")
                yield PeerRunning(process.pid, url, token)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


class PeerRunning:
    def __init__(self, pid: int, url: str, token: str) -> None:
        self.pid, self.url, self.token = pid, url, token

    def users(self, count: int) -> list[Jupyter]:
        return [Jupyter(self.url, self.token) for _ in range(count)]

    def forget(self, user: Jupyter, kernel: str) -> None:
        user.stop_kernel(kernel)

    def own_processes(self) -> set[int]:
        return {self.pid}

    def session_processes(self) -> set[int]:
        return memory.with_descendants({self.pid}) - {self.pid}


def install_peer(state: Path) -> Path:
    """The peer's environment under ``state``, made when its requirements changed."""
    peer = state / "bench" / "peer"
    stamp = digest_files([REQUIREMENTS]) + sys.version
    if not is_fresh(peer, stamp):
        print(f"Installing the peer (jupyter_server and its kernel) into {peer} …", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(peer)], check=True)
        pip = [str(peer / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        write_stamp(peer, stamp)
    return peer


def _sessions(rest: httpx.Client) -> list[dict[str, str]]:
    """The user's sessions that have not ended."""
    found: list[dict[str, str]] = rest.get("/sessions", params={"state": "live"}).raise_for_status().json()["items"]
    return found


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"jupyter_server ended:\n{log.read_text(errors='replace')[-3000:]}")
    try:
        return httpx.get(url, timeout=2.0).status_code < 500
    except httpx.HTTPError:
        return False
