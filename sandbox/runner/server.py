"""The runner: pid 1 of a sandbox. Serves its methods on one inherited socket until its lifeline breaks.

The methods are listed in ``docs/developers/architecture.md``; each is one function below whose
name is the method's with an underscore for the dot, or in the module of its kind.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sandbox.runner import sockets
from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.command import Commands
from sandbox.runner.egress import Door
from sandbox.runner.kernel import Kernel
from sandbox.runner.log import Log
from sandbox.runner.ports import Ports
from sandbox.runner.process import Spare
from sandbox.runner.run import Runs
from sandbox.runner.servers import Servers
from sandbox.runner.serving import follow, new_log, refusal
from sandbox.runner.terminals import Terminals
from sandbox.runner.warm import Warm
from sandbox.runner.wire import CallError, Peer

PROTOCOL = 1
MAX_KERNELS = 32
SPARE_SECONDS = 120  # a session that has asked for no kernel by then is one of terminals


@dataclass(frozen=True)
class RunnerConfig:
    """``listener`` and ``lifeline`` are sockets' descriptors, ``spill`` a folder's; a ``cwd`` starts at ``root``.

    ``programs`` says of those ``kernels`` that are not IPython's what they run: see :mod:`sandbox.runner.language`.
    With ``spare`` the sandbox waits for the session that will claim it, a kernel ready in it. ``door`` is the port
    on loopback of the proxy to the network, 0 for none. ``scratch`` are the folders that programs can write to.
    """

    image: str
    kernels: tuple[str, ...]
    root: Path
    listener: int
    lifeline: int
    spill: int
    spare: bool = False
    door: int = 0
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)
    scratch: tuple[str, ...] = ()


class Runner:
    """Kernels and terminals of one sandbox."""

    def __init__(self, config: RunnerConfig) -> None:
        self._config = config
        self._root = config.root
        self._told = b""
        self._children = Children()
        self._spare = Spare(self._children, config.programs.get(config.kernels[0]))
        self._activity = Activity(self._report)
        self._kernels: dict[str, Kernel] = {}
        self._lifeline = socket.socket(fileno=config.lifeline)
        self._door = Door()
        names = [name for name in dir(self) if name.startswith("kernel_")]
        self._methods = {name.replace("_", ".", 1): getattr(self, name) for name in names} | {"hello": self.hello}
        self._methods |= self._door.methods | Ports(config.door).methods
        warm = Warm(self._children, lambda pid: self._report({"warm": pid}))
        self._runs = Runs(self._children, self._activity, warm, config.scratch, self._drop_spare)
        self._methods |= self._runs.methods
        self._methods |= Terminals(config.spill, self._children, self._activity, self._folder).methods
        self._methods |= Servers(self._children, self._activity, lambda: self._root).methods
        self._methods |= Commands(self._children, self._activity, self._folder).methods

    async def serve(self) -> None:
        """Serve until the lifeline ends: without the jail there is no sandbox."""
        self._children.open()
        if self._config.door:
            await self._door.listen(self._config.door)
        listener = socket.socket(fileno=self._config.listener)
        listener.setblocking(False)
        server = await sockets.serve(self._accept, listener)
        self._lifeline.setblocking(False)
        if self._config.spare:
            await self._spare.fill()
        self._report({"ready": True})
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._lifeline, self._heard, ended)
        await ended.wait()
        server.close()  # and not waited for: from Python 3.12 on it would be closed once all clients have left

    def _heard(self, ended: asyncio.Event) -> None:
        """Lines of the jail: ``claim``, ``clean`` and ``stop``. Its silence is the end."""
        try:
            heard = self._lifeline.recv(65536)
        except ConnectionError:  # it went with words of ours unread
            heard = b""
        if not heard:
            ended.set()
            return
        *lines, self._told = (self._told + heard).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"claim":
                self._claim(**json.loads(rest))
            elif word == b"clean":
                self._report({"clean": self._runs.clean()})
            elif word == b"stop":  # everything ends now: that is no accident of the kernels
                for kernel in self._kernels.values():
                    kernel.leave()

    def _claim(self, root: str, environment: dict[str, str]) -> None:
        """A session has claimed this sandbox: the project is mounted at ``root``, which may be home itself."""
        os.environ.update(environment)
        os.chdir(root)
        self._root = Path(root)
        self._report({"claimed": True})
        asyncio.get_running_loop().call_later(SPARE_SECONDS, self._drop_spare)

    def _drop_spare(self) -> None:
        """Who runs programs, or has waited for long, is not going to ask for a kernel."""
        if self._spare.filled:
            self._dropping = asyncio.ensure_future(self._spare.drop())

    async def hello(self, peer: Peer, call: int) -> dict[str, Any]:
        return {"image": self._config.image, "kernels": list(self._config.kernels), "protocol": PROTOCOL}

    # Kernels

    async def kernel_start(self, peer: Peer, call: int, id: str, name: str, cwd: str = "") -> dict[str, Any]:
        try:
            id = str(UUID(id))
        except (ValueError, AttributeError) as error:
            raise CallError("bad_request", "A kernel's id is a UUID.") from error
        if name not in self._config.kernels:
            raise CallError("not_found", f"This image has no kernel called {name!r}.")
        if id in self._kernels:
            raise CallError("exists", "There is a kernel with this id already.")
        if len(self._kernels) >= MAX_KERNELS:
            raise CallError("failed", f"This session has {MAX_KERNELS} kernels already. Stop one first.")
        log = new_log(self._config.spill)
        program = self._config.programs.get(name)
        kernel = Kernel(id, name, self._folder(cwd), log, self._spare, self._activity, program)
        self._kernels[id] = kernel
        kernel.on_end = lambda: self._forget(id, log)
        try:
            await kernel.start()
        except (CallError, TimeoutError, OSError) as error:
            self._kernels.pop(id, None)
            log.close()
            raise refusal(error, "The kernel did not start in time.") from error
        self._activity.input()
        return kernel.describe()

    async def kernel_list(self, peer: Peer, call: int) -> list[dict[str, Any]]:
        return [kernel.describe() for kernel in self._kernels.values()]

    async def kernel_interrupt(self, peer: Peer, call: int, id: str) -> dict[str, Any]:
        kernel = self._kernel(id)
        await kernel.interrupt()
        return kernel.describe()

    async def kernel_restart(self, peer: Peer, call: int, id: str) -> dict[str, Any]:
        kernel = self._kernel(id)
        await kernel.restart()
        return kernel.describe()

    async def kernel_stop(self, peer: Peer, call: int, id: str) -> dict[str, Any]:
        await self._kernel(id).stop()
        return {}

    async def kernel_attach(
        self, peer: Peer, call: int, id: str, session: str, since: int | None = None
    ) -> dict[str, Any]:
        kernel = self._kernel(id)
        start = since if since is not None else kernel.left_off(session)
        cursor = kernel.log.cursor(int(start))

        async def write(payload: bytes) -> None:
            try:
                await kernel.write(session, payload)
            except CallError:
                return  # what is no message is for nobody; web has told its client already

        async def pump() -> None:
            kernel.connections += 1
            try:
                await follow(peer, call, cursor, kernel.log, lambda seq: kernel.addressed_to(seq, session))
            finally:
                kernel.connections -= 1
                kernel.leave_off(session, cursor.acknowledged)
                kernel.log.release(cursor)

        peer.on_write(call, write)
        peer.on_acknowledge(call, cursor.acknowledge)
        peer.spawn(call, pump())
        return {"first": cursor.seq, "next": kernel.log.next}

    # Inside

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Peer(reader, writer, self._methods).serve()

    def _kernel(self, id: str) -> Kernel:
        if not (kernel := self._kernels.get(id)):
            raise CallError("not_found", "There is no such kernel.")
        return kernel

    def _folder(self, cwd: str) -> Path:
        folder = (self._root / cwd.lstrip("/")).resolve()
        return folder if folder.is_dir() else self._root

    def _forget(self, id: str, log: Log) -> None:
        self._kernels.pop(id, None)
        log.close()

    def _report(self, report: dict[str, object]) -> None:
        try:
            self._lifeline.send(json.dumps(report).encode() + b"\n")
        except OSError:
            return  # full: the next report says more than this one; gone: serve() ends


def run(config: RunnerConfig) -> None:
    """Be the runner until the end; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(Runner(config).serve())
    finally:
        os._exit(0)
