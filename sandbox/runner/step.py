"""One step of a run: a shell command as a process group of its own, its input, its output, and what it used.

The kernel remembers the most memory that a process ever had from before its ``exec`` too, and a child of the
runner begins as a copy of the runner. So the command is the child of a small shell, which tells its pid and
ends: the command comes to the runner as an orphan, with accounts of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.runner.children import Children, clean_child, signal_group

READ = 64 * 1024
TYPED_AHEAD = 1 << 20
_BURY_SECONDS = 2.0
_STARTER = 'set -m; /bin/bash --norc -c "$1" 3>&- & echo $! >&3'
_OUT_OF_MEMORY = (  # of cgroups version 2, and 1
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
)


@dataclass(frozen=True)
class Limits:
    """``time_s`` of the clock and ``cpu_s`` of a core, in seconds; ``output`` in bytes. For each step."""

    time_s: float
    cpu_s: float
    output: int


class Input:
    """What a program reads: bytes that wait for it, at most about ``TYPED_AHEAD``, and then their end."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = self._over = False
        self._fd = -1
        self._room = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """Give it ``data``; waits while it has not read what came before."""
        if self._over or self._ended:
            return
        self._data += data
        self._flush()
        while len(self._data) >= TYPED_AHEAD and not self._over:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        self._ended = True
        self._flush()

    def attach(self, fd: int) -> None:
        """From now on it is read from the other end of the pipe ``fd``, which is closed here."""
        os.set_blocking(fd, False)
        self._fd = fd
        asyncio.get_running_loop().add_writer(fd, self._flush)

    def detach(self) -> None:
        """Nobody reads any more."""
        self._over = True
        self._data.clear()
        self._room.set()
        if self._fd >= 0:
            asyncio.get_running_loop().remove_writer(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _flush(self) -> None:
        if self._fd < 0:
            return
        loop = asyncio.get_running_loop()
        try:
            while self._data:
                del self._data[: os.write(self._fd, self._data[:READ])]
        except BlockingIOError:
            loop.add_writer(self._fd, self._flush)
        except OSError:
            self.detach()
            return
        if not self._data:
            loop.remove_writer(self._fd)
            if self._ended:
                self.detach()
        if len(self._data) < TYPED_AHEAD:
            self._room.set()


@dataclass
class Step:
    """``say(descriptor, data)`` is told what the command writes to 1 and 2, in the order in which it comes."""

    command: str
    folder: Path
    limits: Limits
    children: Children
    say: Callable[[int, bytes], None]
    input: Input = field(default_factory=Input)
    _cause: str = ""
    _code: int | None = None
    _pid: int = 0
    _starter: int = 0
    _told: bytes = b""
    _written: int = 0
    _cpu_s: float = 0.0
    _peak_kib: int = 0

    def __post_init__(self) -> None:
        self._ended = asyncio.Event()
        self._buried = asyncio.Event()
        self._open: dict[int, int] = {}
        self._gone: dict[int, int] = {}

    async def run(self) -> dict[str, Any]:
        """Run the command to its end and tell how it was. ``cause`` is the limit that ended it, or "".

        Raises:
            OSError: it could not be started.
        """
        began, kills = time.monotonic(), _out_of_memory_kills()
        self.children.orphaned.add(self._bury)
        try:
            self._start()
            try:
                async with asyncio.timeout(self.limits.time_s):
                    await self._ended.wait()
            except TimeoutError:
                self._stop("time_limit")
                await self._ended.wait()
            wall = time.monotonic() - began
            self._drain()
            await self._end_group()
        finally:
            self._kill()
            self.children.orphaned.discard(self._bury)
            self._close()
        return self._account(wall, _out_of_memory_kills() - kills)

    # Inside

    def _start(self) -> None:
        ends = {name: os.pipe() for name in (0, 1, 2, 3)}
        theirs = [ends[0][0], ends[1][1], ends[2][1], ends[3][1]]
        try:
            self._starter = os.fork()
        except OSError:
            for fd in (fd for pair in ends.values() for fd in pair):
                os.close(fd)
            raise
        if self._starter == 0:
            _become_starter(self.command, self.folder, self.limits, theirs)
        for fd in theirs:
            os.close(fd)
        self.input.attach(ends[0][1])
        loop = asyncio.get_running_loop()
        self._open = {descriptor: ends[descriptor][0] for descriptor in (1, 2, 3)}
        for descriptor, fd in self._open.items():
            os.set_blocking(fd, False)
            loop.add_reader(fd, self._read, descriptor)

    def _read(self, descriptor: int) -> bool:
        """Take what is there; whether there may be more."""
        try:
            data = os.read(self._open[descriptor], READ)
        except BlockingIOError:
            return False
        if not data:
            self._shut(descriptor)
        if descriptor == 3:
            self._told += data
            if not data:
                self._known()
        elif data:
            self._take(descriptor, data)
        return bool(data)

    def _take(self, descriptor: int, data: bytes) -> None:
        room = self.limits.output - self._written
        if room > 0:
            self.say(descriptor, data[:room])
        self._written += len(data)
        if len(data) > room:
            self._stop("output_limit")

    def _known(self) -> None:
        """The starter has told the command's pid, or ended without: then its own end is the command's."""
        self._pid = int(self._told) if self._told.strip().isdigit() else self._starter
        if self._cause:
            self._kill()
        self._look()

    def _bury(self, pid: int, code: int, usage: resource.struct_rusage) -> None:
        self._gone[pid] = code
        self._cpu_s += usage.ru_utime + usage.ru_stime
        if pid != self._starter:
            self._peak_kib = max(self._peak_kib, usage.ru_maxrss)
        self._buried.set()
        self._look()

    def _look(self) -> None:
        if self._pid in self._gone and self._code is None:
            self._code = self._gone[self._pid]
            self._ended.set()

    def _stop(self, cause: str) -> None:
        self._cause = self._cause or cause
        self._kill()

    def _kill(self) -> None:
        for group in {self._starter, self._pid} - {0}:
            if self._gone.get(group) is None or group == self._pid:
                signal_group(group, signal.SIGKILL)

    def _drain(self) -> None:
        """What was written before the end is still in the pipes, at most what they hold: others may write on."""
        for descriptor in (1, 2):
            taken = self._written
            while descriptor in self._open and self._written - taken <= 1 << 20 and self._read(descriptor):
                continue

    async def _end_group(self) -> None:
        """End what the command left behind, and wait until it is buried: it belongs to the account."""
        self._kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BURY_SECONDS):
                while _lives(self._pid):
                    self._buried.clear()
                    await self._buried.wait()

    def _shut(self, descriptor: int) -> None:
        fd = self._open.pop(descriptor)
        asyncio.get_running_loop().remove_reader(fd)
        os.close(fd)

    def _close(self) -> None:
        for descriptor in list(self._open):
            self._shut(descriptor)
        self.input.detach()

    def _account(self, wall: float, kills: int) -> dict[str, Any]:
        code = self._code if self._code is not None else -signal.SIGKILL
        cause = self._cause
        if not cause and code:
            if kills > 0:
                cause = "memory_limit"
            elif code == -signal.SIGXCPU or self._cpu_s >= self.limits.cpu_s:
                cause = "time_limit"
        return {
            "exit_code": code if code >= 0 else None,
            "signal": signal.Signals(-code).name if -code in set(signal.Signals) else None,
            "cpu_ms": round(self._cpu_s * 1000),
            "wall_ms": round(wall * 1000),
            "peak_kib": self._peak_kib,
            "truncated": self._written > self.limits.output,
            "cause": cause,
        }


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _out_of_memory_kills() -> int:
    """How often the kernel has ended a process of this sandbox for its memory limit."""
    for path in _OUT_OF_MEMORY:
        with contextlib.suppress(OSError, ValueError):
            rows = (line.split() for line in Path(path).read_text().splitlines())
            return sum(int(row[1]) for row in rows if row and row[0] == "oom_kill")
    return 0


def _become_starter(command: str, folder: Path, limits: Limits, ends: list[int]) -> None:
    """In the forked child: never returns."""
    try:
        clean_child(keep=ends)
        os.setsid()
        high = [os.dup(end) for end in ends]
        for place, end in enumerate(high):
            os.dup2(end, place, inheritable=True)
        os.closerange(4, max(high) + 1)
        seconds = math.ceil(limits.cpu_s)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        os.chdir(folder)
        os.execve("/bin/bash", ["bash", "--norc", "-c", _STARTER, "run", command], dict(os.environ))  # noqa: S606 - no shell that we do not mean
    finally:
        os._exit(127)
