"""The runner: pid 1 of a sandbox. Serves its methods on one inherited socket until its lifeline breaks.

The methods are listed in ``docs/developers/architecture.md``; each is one function below whose
name is the method's with an underscore for the dot.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.egress import Door
from sandbox.runner.kernel import Kernel
from sandbox.runner.log import KEPT, Cursor, Log, Trace
from sandbox.runner.modes import Modes
from sandbox.runner.ports import Ports
from sandbox.runner.process import Spare
from sandbox.runner.run import Runs
from sandbox.runner.terminal import Terminal
from sandbox.runner.wire import CallError, Peer

PROTOCOL = 1
MAX_KERNELS = 32
MAX_TERMINALS = 32
SPARE_SECONDS = 120  # a session that has asked for no kernel by then is one of terminals
SCROLLBACK = 4 * 1024 * 1024  # bytes of a terminal's output: more than a screen's 10,000 lines
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True)
class RunnerConfig:
    """``listener`` and ``lifeline`` are sockets' descriptors, ``spill`` a folder's; a ``cwd`` starts at ``root``.

    ``programs`` says of those ``kernels`` that are not IPython's what they run: see :mod:`sandbox.runner.language`.
    With ``spare`` the sandbox waits for the session that will claim it, a kernel ready in it. ``door`` is the port
    on loopback of the proxy to the network, 0 for none.
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
        self._terminals: dict[str, Terminal] = {}
        self._lifeline = socket.socket(fileno=config.lifeline)
        self._door = Door()
        names = [name for name in dir(self) if name.startswith(("kernel_", "terminal_"))]
        self._methods = {name.replace("_", ".", 1): getattr(self, name) for name in names} | {"hello": self.hello}
        self._methods |= self._door.methods | Ports(config.door).methods
        self._methods |= Runs(self._children, self._activity).methods

    async def serve(self) -> None:
        """Serve until the lifeline ends: without the jail there is no sandbox."""
        self._children.open()
        if self._config.door:
            await self._door.listen(self._config.door)
        listener = socket.socket(fileno=self._config.listener)
        listener.setblocking(False)
        server = await asyncio.start_unix_server(self._accept, sock=listener, limit=1 << 20)
        self._lifeline.setblocking(False)
        if self._config.spare:
            await self._spare.fill()
        self._report({"ready": True})
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._lifeline, self._heard, ended)
        async with server:
            await ended.wait()

    def _heard(self, ended: asyncio.Event) -> None:
        """Lines of the jail: ``claim`` and ``stop``. Its silence is the end."""
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
            elif word == b"stop":  # everything ends now: that is no accident of the kernels
                for kernel in self._kernels.values():
                    kernel.leave()

    def _claim(self, root: str, environment: dict[str, str]) -> None:
        """A session has claimed this sandbox: the project is mounted at ``root``, which may be home itself."""
        os.environ.update(environment)
        os.chdir(root)
        self._root = Path(root)
        self._report({"claimed": True})
        asyncio.get_running_loop().call_later(SPARE_SECONDS, lambda: asyncio.ensure_future(self._spare.drop()))

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
        log = _log(self._config.spill)
        program = self._config.programs.get(name)
        kernel = Kernel(id, name, self._folder(cwd), log, self._spare, self._activity, program)
        self._kernels[id] = kernel
        kernel.on_end = lambda: self._forget(self._kernels, id, log)
        try:
            await kernel.start()
        except (CallError, TimeoutError, OSError) as error:
            self._kernels.pop(id, None)
            log.close()
            raise _refusal(error, "The kernel did not start in time.") from error
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
                await _follow(peer, call, cursor, kernel.log, lambda seq: kernel.addressed_to(seq, session))
            finally:
                kernel.connections -= 1
                kernel.leave_off(session, cursor.acknowledged)
                kernel.log.release(cursor)

        peer.on_write(call, write)
        peer.on_acknowledge(call, cursor.acknowledge)
        peer.spawn(call, pump())
        return {"first": cursor.seq, "next": kernel.log.next}

    # Terminals

    async def terminal_start(
        self, peer: Peer, call: int, name: str = "", cwd: str = "", rows: int = 24, cols: int = 80
    ) -> dict[str, Any]:
        name = name or next(str(n) for n in range(1, MAX_TERMINALS + 2) if str(n) not in self._terminals)
        if not _NAME.fullmatch(name):
            raise CallError("bad_request", "A terminal's name has letters, digits, - and _, at most 32.")
        if name in self._terminals:
            raise CallError("exists", "There is a terminal with this name already.")
        if len(self._terminals) >= MAX_TERMINALS:
            raise CallError("failed", f"This session has {MAX_TERMINALS} terminals already. Close one first.")
        log = _log(self._config.spill, SCROLLBACK, Modes())
        terminal = Terminal(name, log, self._children, self._activity)
        try:
            terminal.start(self._folder(cwd), int(rows), int(cols))
        except OSError as error:
            log.close()
            raise _refusal(error, "The terminal did not start.") from error
        self._terminals[name] = terminal
        terminal.on_end = lambda: self._forget(self._terminals, name, log)
        self._activity.input()
        return terminal.describe()

    async def terminal_list(self, peer: Peer, call: int) -> list[dict[str, Any]]:
        return [terminal.describe() for terminal in self._terminals.values()]

    async def terminal_resize(self, peer: Peer, call: int, name: str, rows: int, cols: int) -> dict[str, Any]:
        self._terminal(name).resize(int(rows), int(cols))
        return {}

    async def terminal_stop(self, peer: Peer, call: int, name: str) -> dict[str, Any]:
        self._terminal(name).stop()
        return {}

    async def terminal_attach(
        self, peer: Peer, call: int, name: str, since: int | None = None, tail: bool = False
    ) -> dict[str, Any]:
        terminal = self._terminal(name)
        log = terminal.log
        start = log.tail if tail else log.next if since is None else int(since)
        cursor = log.cursor(start, afresh=tail)

        async def pump() -> None:
            try:
                await _follow(peer, call, cursor, log, restored=terminal.restored)
            finally:
                log.release(cursor)

        peer.on_write(call, terminal.write)
        peer.on_acknowledge(call, cursor.acknowledge)
        peer.spawn(call, pump())
        return {"first": cursor.seq, "next": log.next, "rows": terminal.rows, "cols": terminal.columns}

    # Inside

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Peer(reader, writer, self._methods).serve()

    def _kernel(self, id: str) -> Kernel:
        if not (kernel := self._kernels.get(id)):
            raise CallError("not_found", "There is no such kernel.")
        return kernel

    def _terminal(self, name: str) -> Terminal:
        if not (terminal := self._terminals.get(name)):
            raise CallError("not_found", "There is no such terminal.")
        return terminal

    def _folder(self, cwd: str) -> Path:
        folder = (self._root / cwd.lstrip("/")).resolve()
        return folder if folder.is_dir() else self._root

    def _forget(self, owned: dict[str, Any], name: str, log: Log) -> None:
        owned.pop(name, None)
        log.close()

    def _report(self, report: dict[str, object]) -> None:
        try:
            self._lifeline.send(json.dumps(report).encode() + b"\n")
        except OSError:
            return  # full: the next report says more than this one; gone: serve() ends


def _log(spill: int, limit: int = KEPT, trace: Trace | None = None) -> Log:
    try:
        return Log(spill, limit, trace)
    except OSError as error:
        raise _refusal(error, "There is no room for its output.") from error


def _refusal(error: Exception, otherwise: str) -> CallError:
    """``error`` as what a person can do something about."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EAGAIN:
        return CallError("failed", "This session has as many processes as it may. End some of them first.")
    if code == errno.ENOMEM:
        return CallError("failed", "This session's memory is full. End a program or restart a kernel first.")
    if code in (errno.ENFILE, errno.EMFILE, errno.ENOSPC):
        return CallError("failed", f"{otherwise} {os.strerror(code)}.")
    return CallError("failed", str(error) or otherwise)


async def _follow(
    peer: Peer,
    call: int,
    cursor: Cursor,
    log: Log,
    wanted: Callable[[int], bool] = lambda seq: True,
    restored: Callable[[int], bytes] = lambda seq: b"",
) -> None:
    """Send what ``cursor`` reads and is ``wanted``, at the peer's pace, until the log ends or the peer leaves.

    After a cut ``restored`` is what goes before the next record; one that is not wanted goes as an empty one.
    """
    try:
        while (record := await cursor.next()) is not None:
            seq, payload = record
            header: dict[str, Any] = {"stream": call, "seq": seq}
            if not wanted(seq):
                payload = b""
            if cursor.cut:
                header["cut"], payload = log.next, restored(seq) + payload
            elif not payload:
                continue
            cursor.sent(seq, len(payload))
            await peer.send(header, payload)
        await peer.send({"stream": call, "end": log.ended})
    except ConnectionError:
        return


def run(config: RunnerConfig) -> None:
    """Be the runner until the end; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(Runner(config).serve())
    finally:
        os._exit(0)
