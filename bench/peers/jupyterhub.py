"""The peer JupyterHub: a hub with its proxy, and a jupyter_server as a local process for each user."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import environments, memory
from bench.jupyter import PATIENCE, Jupyter
from bench.peers.process import server
from bench.subject import SERVERS, Server
from bin.lib.layout import state
from bin.lib.running import wait_for
from bin.lib.servers import free_port

CONFIG = Path(__file__).with_name("jupyterhub_config.py")


class JupyterHub:
    name = "JupyterHub"
    scenarios = SERVERS | {"bell"}

    def missing(self) -> str:
        return "" if shutil.which("npm") else "its proxy needs node and npm: sudo apt-get install npm"

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Server]:
        place, token, port = environments.jupyterhub(state()), secrets.token_hex(16), free_port()
        with tempfile.TemporaryDirectory(prefix="madang-peer-") as name:
            folder = Path(name)
            ours = {"BENCH_TOKEN": token, "BENCH_PLACE": str(place), "BENCH_FOLDER": name}
            ours |= {"BENCH_PORTS": json.dumps([port, free_port(), free_port()])}
            url = f"http://127.0.0.1:{port}"
            command = [str(place / "bin" / "jupyterhub"), "-f", str(CONFIG)]
            with server(command, folder, f"{url}/hub/api/", **ours) as process:
                yield RunningHub(process.pid, url, token)


class HubUser(Jupyter):
    """A user whose server is started with their first kernel."""

    def __init__(self, hub: str, name: str, token: str) -> None:
        super().__init__(f"{hub}/user/{name}", token)
        self.opens = f"{hub}/hub/api/users/{name}/server"

    def start_kernel(self) -> str:
        answer = self.http.post(self.opens)
        if answer.status_code == 202:
            with self.http.stream("GET", f"{self.opens}/progress", timeout=PATIENCE) as progress:
                for line in progress.iter_lines():
                    if '"ready": true' in line:
                        break
        elif answer.is_error and "already running" not in answer.text:
            raise RuntimeError(f"{self.opens}: {answer.status_code} {answer.text[:500]}")
        return super().start_kernel()

    def has_server(self) -> bool:
        answer = self.http.get(self.opens.removesuffix("/server"))
        return bool(answer.raise_for_status().json()["servers"])


class RunningHub(Server):
    def __init__(self, pid: int, url: str, token: str) -> None:
        self.pid, self.url, self.token = pid, url, token
        self._count = 0

    def users(self, count: int) -> list[Jupyter]:
        names = [f"bench{self._count + index}" for index in range(count)]
        self._count += count
        answer = httpx.post(
            f"{self.url}/hub/api/users", json={"usernames": names}, headers={"Authorization": f"token {self.token}"},
            timeout=PATIENCE,
        )  # fmt: skip
        answer.raise_for_status()
        return [HubUser(self.url, name, self.token) for name in names]

    def forget(self, user: HubUser, kernel: str) -> None:
        """End the user's server, and its kernels with it."""
        answer = user.http.delete(user.opens)
        answer.raise_for_status()
        wait_for(lambda: not user.has_server(), what="the end of the user's server")

    def services(self) -> dict[str, int]:
        return {"hub": self.pid}

    def own_processes(self) -> set[int]:
        return memory.with_descendants({self.pid}) - self.session_processes()

    def session_processes(self) -> set[int]:
        children = [pid for pid, parent in memory.parents().items() if parent == self.pid]
        return memory.with_descendants({pid for pid in children if "jupyterhub-singleuser" in memory.command(pid)})
