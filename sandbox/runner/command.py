"""Commands: a program with arguments, run in the project to its end, what it said bounded.

``command.run`` opens a stream. A record begins with one byte, as those of :mod:`sandbox.runner.run` do: ``i`` and ``e``
to us, ``1``, ``2`` and ``s`` from us. It ends with its stream.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.pipes import Input
from sandbox.runner.step import Limits, Step
from sandbox.runner.wire import CallError, Peer

MAX_COMMANDS = 8


class Commands:
    """The runner's method for commands."""

    def __init__(self, children: Children, activity: Activity, folder: Callable[[str], Path]) -> None:
        self._children, self._activity, self._folder = children, activity, folder
        self._running: set[object] = set()
        self.methods = {"command.run": self.run}

    async def run(
        self, peer: Peer, call: int, command: list[str], folder: str, time_s: float, output: int
    ) -> dict[str, Any]:
        """Opens the stream of a command in ``folder`` of the project; limits as in :class:`Limits`."""
        if len(self._running) >= MAX_COMMANDS:
            raise CallError("failed", f"{MAX_COMMANDS} commands are running already.")
        given = Input()
        records: asyncio.Queue[bytes] = asyncio.Queue()  # its limits bound it
        limits = Limits(float(time_s), float(time_s), int(output))
        line = shlex.join([str(word) for word in command])

        def say(descriptor: int, data: bytes) -> None:
            records.put_nowait(b"%d" % descriptor + data)

        step = Step(line, self._folder(folder), limits, self._children, say, given, alone=False)

        async def work() -> None:
            try:
                records.put_nowait(b"s" + json.dumps(await step.run()).encode())
            except OSError as error:
                records.put_nowait(b"f" + str(error.strerror).encode())

        async def pump() -> None:
            self._running.add(given)
            self._activity.busy(given, True)
            working = asyncio.ensure_future(work())
            number = 0
            try:
                while (record := await records.get())[:1] != b"f":
                    await peer.send({"stream": call, "seq": number}, record)
                    number += 1
                    if record[:1] == b"s":
                        break
                failed = record[1:].decode() if record[:1] == b"f" else ""
                await peer.send({"stream": call, "end": failed})
            except ConnectionError:
                return
            finally:
                working.cancel()
                given.detach()
                self._running.discard(given)
                self._activity.busy(given, False)

        async def write(record: bytes) -> None:
            if record[:1] == b"i":
                await given.write(record[1:])
            elif record[:1] == b"e":
                given.end()

        peer.on_write(call, write)
        peer.spawn(call, pump())
        return {}
