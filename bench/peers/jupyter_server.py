"""The peer jupyter_server, with ipykernel and (through terminado) terminals."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from bench import environments, memory
from bench.desk import Desk
from bench.jupyter import Jupyter
from bench.peers.process import server
from bench.subject import SERVERS, Server
from bin.lib.layout import state
from bin.lib.servers import free_port

NODELAY = Path(__file__).with_name("nodelay.py")


class JupyterServer:
    """A server started as one person would for themselves. With ``nodelay`` its WebSockets send without waiting."""

    scenarios = SERVERS | {"live", "churn", "pages"}

    def __init__(self, nodelay: bool = False) -> None:
        self.name, self.nodelay = "jupyter_server", nodelay
        if nodelay:
            self.name, self.scenarios = "jupyter_server, TCP_NODELAY", frozenset(["round-trip"])

    def missing(self) -> str:
        return ""

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Server]:
        port, token = free_port(), secrets.token_hex(16)
        jupyter = environments.jupyter_server(state()) / "bin" / "jupyter"
        command = [str(jupyter), "server", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
        with tempfile.TemporaryDirectory(prefix="madang-peer-") as name:
            folder = Path(name)
            if self.nodelay:
                shutil.copy(NODELAY, folder / "jupyter_server_config.py")
            command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
            url = f"http://127.0.0.1:{port}"
            with server(command, folder, f"{url}/api", JUPYTER_TOKEN=token) as process:
                yield RunningServer(process.pid, url, token, folder)


class RunningServer(Server):
    def __init__(self, pid: int, url: str, token: str, folder: Path) -> None:
        self.pid, self.url, self.token, self.folder = pid, url, token, folder

    def desk(self, files: Mapping[str, str]) -> Desk:
        """JupyterLab's, of the same server."""
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

        def enter(page: Page) -> None:
            page.goto(f"{self.url}/lab?token={self.token}")

        return Desk(
            lambda name: f"{self.url}/lab/tree/{name}",
            enter, field=".jp-FileEditor .cm-content", cell=".jp-Notebook .jp-Cell",
        )  # fmt: skip

    def users(self, count: int) -> list[Jupyter]:
        return [Jupyter(self.url, self.token) for _ in range(count)]

    def services(self) -> dict[str, int]:
        return {"server": self.pid}

    def own_processes(self) -> set[int]:
        return {self.pid}

    def session_processes(self) -> set[int]:
        return memory.with_descendants({self.pid}) - {self.pid}
