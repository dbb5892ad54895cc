"""A driver whose sandboxes do what a test says, for the session service's tests.

The :class:`Ground` is the host: its boxes outlive a driver, as sandboxes outlive the session
service. With ``runners`` each box runs the real runner as a plain process, so that streams are real;
nothing isolates it, which is why this lives among the tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.memory import with_descendants
from sandbox.drivers import Cleared, Exit, Refused, Sample, SandboxError, SandboxSpec
from sandbox.gpu import Device
from sandbox.runner.sockets import listen
from sandbox.usage import Usage
from tests.settings import IMAGES, ROOT

RUNNER = """
import sys
from pathlib import Path
from sandbox.runner import ports
from sandbox.runner.server import RunnerConfig, run
ports.TABLES = tuple(sys.argv[5:])
listener, lifeline, spill = map(int, sys.argv[1:4])
run(RunnerConfig("lab", ("python3",), Path(sys.argv[4]), listener, lifeline, spill))
"""


@dataclass
class Box:
    """One sandbox of the lab."""

    spec: SandboxSpec
    usage: Usage = field(default_factory=Usage)
    paused: bool = False
    exit: Exit | None = None
    samples: asyncio.Queue[Sample | Refused | Exit] = field(default_factory=asyncio.Queue)
    refused: list[Refused] = field(default_factory=list)
    clean: bool = True
    marked: int = 0
    process: subprocess.Popen[bytes] | None = None
    lifeline: socket.socket | None = None

    def use(self, idle_ms: int = 0, busy: bool = False, **more: int) -> None:
        """Let it use ``more`` than so far, and be seen."""
        totals = {name: getattr(self.usage, name) + amount for name, amount in more.items()}
        self.usage = replace(self.usage, **totals)
        self.samples.put_nowait(Sample(self.usage, busy, idle_ms))

    def refuse(self, call: str, reason: str, count: int) -> None:
        """Let its policy have refused ``call`` ``count`` times in all."""
        self.refused.append(Refused(call, reason, count))
        self.samples.put_nowait(self.refused[-1])

    def end(self, reason: str = "stopped", detail: str = "") -> None:
        if self.exit is None:
            self.exit = Exit(reason, self.usage, detail)
            self.samples.put_nowait(self.exit)
            self._end_process()

    def _end_process(self) -> None:
        if self.process is not None and self.lifeline is not None:
            family = with_descendants({self.process.pid})  # its kernels, which no namespace takes down with it
            self.lifeline.close()
            for pid in family:
                with contextlib.suppress(ProcessLookupError):  # the lifeline's end may have been enough
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Ground:
    """The host of a lab. ``fail`` is what the next start raises; ``gate`` holds starts back while it is cleared.

    ``tables`` stand for those of a sandbox's own network (proc(5), ``net/tcp``), for its runners share the host's.
    """

    state: Path
    runners: bool = False
    tables: list[Path] = field(default_factory=list)
    boxes: dict[str, Box] = field(default_factory=dict)
    collected: list[str] = field(default_factory=list)
    gpus: list[Device] = field(default_factory=list)
    expected: list[tuple[str, int, float, float]] = field(default_factory=list)
    fail: list[SandboxError] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def close(self) -> None:
        for box in self.boxes.values():
            box.end()


class LabDriver:
    """Satisfies :class:`sandbox.drivers.Driver`."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    async def open(self) -> None: ...

    async def gpus(self) -> list[Device]:
        return self.ground.gpus

    async def close(self) -> None: ...

    async def start(self, spec: SandboxSpec) -> None:
        await self.ground.gate.wait()
        if self.ground.fail:
            raise self.ground.fail.pop(0)
        box = Box(spec)
        if self.ground.runners:
            self._start_runner(box)
        self.ground.boxes[spec.id] = box

    def expect(self, image: str, count: int, begin: float, end: float) -> None:
        self.ground.expected.append((image, count, begin, end))

    async def adopt(self) -> list[str]:
        return list(self.ground.boxes)

    async def events(self, id: str) -> AsyncIterator[Sample | Refused | Exit]:
        box = self._box(id)
        while True:
            event = box.exit if box.exit and box.samples.empty() else await box.samples.get()
            yield event
            if isinstance(event, Exit):
                return

    async def pause(self, id: str) -> None:
        self._box(id).paused = True

    async def resume(self, id: str) -> None:
        self._box(id).paused = False

    async def mark(self, id: str) -> Usage:
        box = self._box(id)
        box.refused.clear()
        box.marked += 1
        return box.usage

    async def clear(self, id: str) -> Cleared:
        box = self._box(id)
        if box.exit:
            raise SandboxError("gone", "It has ended.")
        if box.lifeline:
            box.lifeline.send(b"clean\n")
            shutil.rmtree(self.runner_socket(id).parent / "run", ignore_errors=True)
        return Cleared(box.usage, 1000, tuple(box.refused), box.clean and not box.refused)

    async def stop(self, id: str) -> None:
        self._box(id).end()

    async def collect(self, id: str) -> None:
        self.ground.boxes.pop(id, None)
        self.ground.collected.append(id)

    def runner_socket(self, id: str) -> Path:
        return self.ground.state / "sandboxes" / id / "runner.sock"

    def _box(self, id: str) -> Box:
        if id not in self.ground.boxes:
            raise SandboxError("gone", "There is no such sandbox.")
        return self.ground.boxes[id]

    def _start_runner(self, box: Box) -> None:
        folder = self.runner_socket(box.spec.id).parent
        folder.mkdir(parents=True)
        listener = listen(folder / "runner.sock")
        box.lifeline, inside = socket.socketpair()
        spill = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        root = box.spec.project or folder
        python = IMAGES / "python" / "bin" / "python"
        numbers = [str(fd) for fd in (listener.fileno(), inside.fileno(), spill)]
        box.process = subprocess.Popen(
            [
                str(python if python.exists() else sys.executable),
                "-c",
                RUNNER,
                *numbers,
                str(root),
                *map(str, self.ground.tables),
            ],
            pass_fds=(listener.fileno(), inside.fileno(), spill),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder), "PS1": "$ "},
            start_new_session=True,
        )
        for held in (listener, inside):
            held.close()
        os.close(spill)
