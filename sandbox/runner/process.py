"""A kernel's process: forked, opened, and waiting to be told whose kernel it is.

It is told by the first frame on its shell channel, a JSON object with the folder to work in and the
environment. So one can be made before anybody asks for a kernel (:class:`Spare`). Which kernel it is, IPython's or one
of :mod:`sandbox.runner.language` for a program, is decided before the fork.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import traceback
from pathlib import Path
from typing import Any

from sandbox.runner import ipython
from sandbox.runner.channels import Channels, Pairs, pairs, read_frame
from sandbox.runner.children import Children, clean_child, signal_group
from sandbox.runner.forking import fork
from sandbox.runner.wire import CallError

START_SECONDS = 60
_END_SECONDS = 0.5

Program = dict[str, Any] | None
"""What a kernel of ours is to run, as image.toml says it; ``None`` for IPython's own."""


class Process:
    """A kernel's process as the runner sees it. ``ended`` is set, and ``code`` known, once it is gone."""

    def __init__(self, pid: int, channels: Channels) -> None:
        self.pid, self.channels = pid, channels
        self.ended = asyncio.Event()
        self.code = 0

    @classmethod
    async def start(cls, children: Children, program: Program) -> Process:
        """Fork one, for ``program``, and return when it listens.

        Raises:
            CallError: ``failed``, it ended or stayed silent.
        """
        ours, theirs = pairs()
        pid = fork()
        if pid == 0:
            _become_kernel(theirs, program)
        for end in theirs.values():
            end.close()
        process = cls(pid, Channels(ours))
        children.watch(pid, process._on_exit)
        await process.channels.open()
        if not await process._speaks():
            signal_group(pid, signal.SIGKILL)
            process.channels.close()
            raise CallError("failed", "The kernel ended before it was ready.")
        return process

    async def begin(self, cwd: Path) -> None:
        """Make it a kernel that works in ``cwd``, with the runner's environment; from now on it answers."""
        await self.channels.write("shell", json.dumps({"cwd": str(cwd), "environment": dict(os.environ)}).encode())

    async def end(self) -> None:
        """End it and what it left behind in its process group. Its last words can still be read."""
        if not self.ended.is_set():
            signal_group(self.pid, signal.SIGTERM)
            signal_group(self.pid, signal.SIGCONT)
            try:
                async with asyncio.timeout(_END_SECONDS):
                    await self.ended.wait()
            except TimeoutError:
                signal_group(self.pid, signal.SIGKILL)
                await self.ended.wait()
        signal_group(self.pid, signal.SIGKILL)

    async def _speaks(self) -> bool:
        """Whether its first words came in time: that it starts, which those who wait for it know already."""
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self.channels.read() is not None
        except TimeoutError:
            return False

    def _on_exit(self, code: int) -> None:
        self.code = code
        self.ended.set()


class Spare:
    """At most one process that is ready before it is asked for: a kernel of ``program``."""

    def __init__(self, children: Children, program: Program) -> None:
        self._children, self._program = children, program
        self._process: Process | None = None

    @property
    def filled(self) -> bool:
        return self._process is not None

    async def fill(self) -> None:
        self._process = await Process.start(self._children, self._program)

    async def take(self, program: Program) -> Process:
        """The spare process, or a new one where there is none, or it is another program's.

        Raises:
            CallError: ``failed``.
        """
        if program != self._program:
            return await Process.start(self._children, program)
        process, self._process = self._process, None
        if process is None or process.ended.is_set():
            return await Process.start(self._children, program)
        return process

    async def drop(self) -> None:
        """End it: nobody is going to ask."""
        process, self._process = self._process, None
        if process is not None:
            await process.end()
            process.channels.close()


def _become_kernel(ends: Pairs, program: Program) -> None:
    """In the forked child: never returns."""
    code = 1
    try:
        clean_child(keep=[end.fileno() for end in ends.values()])
        os.setsid()
        ipython.run(ends, lambda: _begin(ends["shell"]), program)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _begin(shell: socket.socket) -> None:
    """Wait for the first frame, and be what it says."""
    try:
        order = json.loads(read_frame(shell))
    except ConnectionError:
        raise SystemExit(0) from None  # the runner has no use for a spare kernel any more
    for name, value in order["environment"].items():
        os.environ[name] = value
    os.chdir(order["cwd"] if os.path.isdir(order["cwd"]) else Path.home())
