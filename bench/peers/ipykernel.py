"""The limit: ipykernel itself, spoken to by jupyter_client without any server."""

from __future__ import annotations

import json
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from bench import environments, memory
from bench.jupyter import PATIENCE, Kernel, Message
from bench.subject import KERNELS, Running
from bin.lib.layout import state


class BareKernel:
    name = "bare ipykernel"
    scenarios = KERNELS

    def missing(self) -> str:
        return ""

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Running]:
        python = environments.jupyter_server(state()) / "bin" / "python"
        argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        with tempfile.TemporaryDirectory(prefix="madang-peer-") as folder:
            spec = Path(folder) / "python3"
            spec.mkdir()
            spec.joinpath("kernel.json").write_text(
                json.dumps({"argv": argv, "display_name": "", "language": "python"})
            )
            running = RunningKernels(Path(folder))
            try:
                yield running
            finally:
                running.stop_all()


class RunningKernels(Running):
    def __init__(self, folder: Path) -> None:
        self._specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
        self._folder = folder
        self.managers: dict[str, Any] = {}

    def users(self, count: int) -> list[RunningKernels]:
        return [self] * count

    def start_kernel(self) -> str:
        id = str(uuid.uuid4())
        file = str(self._folder / f"{id}.json")
        manager = KernelManager(kernel_name="python3", kernel_spec_manager=self._specs, connection_file=file)
        manager.start_kernel(stderr=subprocess.DEVNULL)
        self.managers[id] = manager
        return id

    def stop_kernel(self, id: str) -> None:
        self.managers.pop(id).shutdown_kernel(now=True)

    def kernel(self, id: str) -> Kernel:
        return Connection(self.managers[id].blocking_client())

    def stop_all(self) -> None:
        for id in list(self.managers):
            self.stop_kernel(id)

    def own_processes(self) -> set[int]:
        return set()

    def session_processes(self) -> set[int]:
        return memory.with_descendants({manager.provisioner.pid for manager in self.managers.values()})


class Connection(Kernel):
    """jupyter_client's own connection to a kernel, over ZeroMQ."""

    def __init__(self, client: Any) -> None:
        self.client = client
        client.start_channels()
        client.wait_for_ready(PATIENCE)

    def execute(self, code: str) -> str:
        return str(self.client.execute(code, store_history=False, allow_stdin=False))

    def close(self) -> None:
        self.client.stop_channels()

    def _receive(self) -> Message:
        message: Message = self.client.get_iopub_msg(PATIENCE)
        return message
