"""The drivers' end of what jails are forked from (:mod:`sandbox.jail.zygote`, :mod:`sandbox.container.keeper`)."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.drivers import SandboxError
from sandbox.images import Image

_READY_SECONDS = 60
_CHECKOUT = Path(__file__).resolve().parents[2]


class Zygote:
    """The driver's end of a process that forks jails; started at the first need, and again if it died.

    ``name`` is for a person. ``command`` is started with the number of its end of the control socket as a further word
    before ``modules``.
    """

    def __init__(self, name: str, command: list[str], environment: dict[str, str], modules: Sequence[str] = ()) -> None:
        self._name, self._command, self._environment, self._modules = name, command, environment, modules
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()

    async def send(self, plan: str, reply: socket.socket) -> None:
        """Ask for a jail; ``reply`` is where it answers."""
        async with self._lock:
            if self._process is None or self._process.poll() is not None:
                await self._start()
            assert self._control is not None
            await asyncio.to_thread(socket.send_fds, self._control, [plan.encode()], [reply.fileno()])

    async def warm(self) -> None:
        async with self._lock:
            if self._process is None:
                await self._start()

    def close(self) -> None:
        if self._control:
            self._control.close()
        if self._process:
            self._process.wait()

    async def _start(self) -> None:
        if not shutil.which(self._command[0]):
            message = f"The {self._name} is not installed on this host: python -m sandbox.images.install"
            raise SandboxError("image_missing", message)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = await asyncio.to_thread(self._spawn, theirs)
        self._control = ours
        ours.setblocking(False)
        try:
            async with asyncio.timeout(_READY_SECONDS):
                ready = await asyncio.get_running_loop().sock_recv(ours, 64)
        except TimeoutError:
            ready = b""
        ours.setblocking(True)
        if ready != b"ready":
            self._process.kill()
            raise SandboxError("zygote_failed", f"The {self._name} could not be loaded; the log says why.")

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        """With nothing of our environment but what it needs: a secret there would be in every sandbox's memory."""
        ours = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONPATH": str(_CHECKOUT)}
        ours["LD_BIND_NOW"] = "1"  # the linker's tables are written to at once, and so shared by all forks
        command, keep = [*self._command, str(control.fileno()), *self._modules], [control.fileno()]
        environment = {**ours, **self._environment}
        return subprocess.Popen(command, cwd="/", env=environment, pass_fds=keep, stdin=subprocess.DEVNULL)


def image_zygote(image: Image, prefix: Path) -> Zygote:
    """The zygote of ``image``, whose environment is at ``prefix``."""
    single = dict.fromkeys(image.thread_variables, "1")  # a fork cannot inherit threads
    cache = {"HOME": str(prefix), "MPLCONFIGDIR": str(prefix / "matplotlib")}
    command = [str(prefix / "bin" / "python"), "-P", "-m", "sandbox.jail.zygote"]
    return Zygote(f"image {image.name}", command, {**cache, **single, **image.environment}, image.preload)
