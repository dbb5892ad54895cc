"""The jail driver's end of the zygotes (:mod:`sandbox.jail.zygote`)."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from pathlib import Path

from sandbox.drivers import SandboxError
from sandbox.images import Image

_READY_SECONDS = 60
_CHECKOUT = Path(__file__).resolve().parents[2]


class Zygote:
    """The driver's end of one image's zygote; started at the first need, and again if it died."""

    def __init__(self, image: Image, prefix: Path) -> None:
        self._image, self._prefix = image, prefix
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
        python = self._prefix / "bin" / "python"
        if not python.exists():
            message = f"The image {self._image.name} is not installed on this host: python -m sandbox.images.install"
            raise SandboxError("image_missing", message)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = await asyncio.to_thread(self._spawn, theirs)
        self._control = ours
        ours.setblocking(False)
        try:
            ready = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 64), _READY_SECONDS)
        except TimeoutError:
            ready = b""
        ours.setblocking(True)
        if ready != b"ready":
            self._process.kill()
            raise SandboxError("zygote_failed", f"The image {self._image.name} could not be loaded; the log says why.")

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        python = str(self._prefix / "bin" / "python")
        command = [python, "-P", "-m", "sandbox.jail.zygote", str(control.fileno()), *self._image.preload]
        keep = [control.fileno()]
        return subprocess.Popen(command, cwd="/", env=self._environment(), pass_fds=keep, stdin=subprocess.DEVNULL)

    def _environment(self) -> dict[str, str]:
        """Nothing of ours but what it needs: a secret in the environment would be in every sandbox's memory."""
        single = dict.fromkeys(self._image.thread_variables, "1")  # a fork cannot inherit threads
        ours = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONPATH": str(_CHECKOUT)}
        cache = {"HOME": str(self._prefix), "MPLCONFIGDIR": str(self._prefix / "matplotlib")}
        return {**ours, **cache, **single, **self._image.environment}
