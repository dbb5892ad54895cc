"""One step of a run: a shell command as a process group of its own, its input, its output, and what it used.

The kernel remembers the most memory that a process ever had from before its ``exec`` too, and a child of the
runner begins with the runner's. So the command is the child of a small shell, which tells its pid and
ends: the command comes to the runner as an orphan, with accounts of its own. It begins only when that shell is gone,
which would bury it if it were quicker. That shell is spawned, not forked: a fork copies the runner's page tables, and
then both write to copies of pages. A command that is nothing but words needs no second shell. An interpreter that
waits for its program (:mod:`sandbox.runner.warm`) needs none of that.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import math
import os
import re
import resource
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from sandbox.runner.children import DEFAULT, SOONER_KILLED, Children, Orphaned, most_tasks, signal_group
from sandbox.runner.pipes import Input, Pipe
from sandbox.runner.warm import Begun

_BURY_SECONDS = 2.0
_STARTER = """
cd -- "$1" && unset OLDPWD && ulimit -S -t "$2" && ulimit -H -t "$3" && ulimit -u "$4" || exit 127
echo "$5" >/proc/self/oom_score_adj
shift 5
set -m
{ read -r <&5; exec "$@" 3>&- 5<&-; } 4>&- & echo $! >&3
"""
_WORDS = re.compile(r"[A-Za-z0-9_./+,:@%-]+( [A-Za-z0-9_./=+,:@%-]+)*")
_TO_BASH = """
    . : alias bg bind break builtin caller cd command compgen complete continue declare dirs disown echo enable eval
    exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read
    readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias
    unset wait case coproc do done elif else esac fi for function if in select then time until while"""
_BUILTIN = frozenset(_TO_BASH.split())
"""What a first word is to bash before it looks for a program: a builtin command, or a reserved word (bash(1))."""
_FREE_FROM = 10
"""Descriptors below are the starter's own."""
_OUT_OF_MEMORY = (  # of cgroups version 2, and 1
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
)


Launch = Callable[[Sequence[int], Begun, Orphaned], bool]


@dataclass(frozen=True)
class Limits:
    """``time_s`` of the clock and ``cpu_s`` of a core, in seconds; ``output`` in bytes. For each step."""

    time_s: float
    cpu_s: float
    output: int


@dataclass
class Step:
    """``say(descriptor, data)`` is told what the command writes to 1 and 2, in the order in which it comes.

    Where it is ``alone`` in its sandbox, all that begins meanwhile and loses its parent is its, and is ended with it.
    ``launch`` starts it in a quicker way, where that can be done (:meth:`Warm.launch`), and ``give_up`` has that end.
    """

    command: str
    folder: Path
    limits: Limits
    children: Children
    say: Callable[[int, bytes], None]
    input: Input = field(default_factory=Input)
    alone: bool = True
    launch: Launch = lambda ends, begun, buried: False
    give_up: Callable[[], None] = lambda: None
    _cause: str = ""
    _code: int | None = None
    _pid: int = 0
    _starter: int = 0
    _told: bytes = b""
    _written: int = 0
    _cpu_s: float = 0.0
    _peak_kib: int = 0

    def __post_init__(self) -> None:
        self._told_all = asyncio.Event()
        self._ended = asyncio.Event()
        self._buried = asyncio.Event()
        self._open: list[Pipe] = []
        self._gone: dict[int, int] = {}
        self._before: set[int] = set()

    async def run(self) -> dict[str, Any]:
        """Run the command to its end and tell how it was. ``cause`` is the limit that ended it, or "".

        Raises:
            OSError: it could not be started.
        """
        self._before = self.children.strays()
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
            for pipe in self._open:
                pipe.drain()
            await self._end_group()
        finally:
            await self._until_known()
            self._kill()
            self.children.orphaned.discard(self._bury)
            self._close()
        return self._account(wall, _out_of_memory_kills() - kills)

    # Inside

    def _start(self) -> None:
        reader, typed = os.pipe()
        self._open = [Pipe(partial(self._take, 1)), Pipe(partial(self._take, 2))]
        theirs = [reader, *(pipe.writer for pipe in self._open)]
        try:
            if not self.launch(theirs, self._known, self._bury):
                told = Pipe(self._tell, self._told_is_all)
                self._open.append(told)
                reading, held = os.pipe()  # the shell holds an end of it as long as it lives
                theirs += [told.writer, held, reading]
                self._starter = _spawn_starter(self.command, self.folder, self.limits, theirs)
        except OSError:
            os.close(typed)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        self.input.attach(typed)

    def _tell(self, data: bytes) -> None:
        self._told += data

    def _take(self, descriptor: int, data: bytes) -> None:
        room = self.limits.output - self._written
        if room > 0:
            self.say(descriptor, data[:room])
        self._written += len(data)
        if len(data) > room:
            self._stop("output_limit")

    def _told_is_all(self) -> None:
        """The starter has told the command's pid, or ended without: then its own end is the command's."""
        self._known(int(self._told) if self._told.strip().isdigit() else self._starter)

    def _known(self, pid: int) -> None:
        self._pid = pid
        self._told_all.set()
        if not pid:  # who was to start it has ended: so has the command
            self._ended.set()
        if self._cause:
            self._kill()
        self._look()

    async def _until_known(self) -> None:
        """Whoever is called off at once has to wait until it is known what to end."""
        if self._open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BURY_SECONDS):
                    await self._told_all.wait()

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
        if not (self._starter or self._pid):
            self.give_up()
        for group in {self._starter, self._pid} - {0}:
            if self._gone.get(group) is None or group == self._pid:
                signal_group(group, signal.SIGKILL)

    def _strays(self) -> set[int]:
        return self.children.strays() - self._before if self.alone else set()

    async def _end_group(self) -> None:
        """End what the command left behind, and wait until it is buried: it belongs to the account.

        Who has left its group is found when its parent is gone: then it is the runner's child.
        """
        self._kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BURY_SECONDS):
                while (strays := self._strays()) or (self._pid and _lives(self._pid)):
                    for pid in strays:
                        os.kill(pid, signal.SIGKILL)
                    self._buried.clear()
                    await self._buried.wait()

    def _close(self) -> None:
        for pipe in self._open:
            pipe.close()
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
    with contextlib.suppress(OSError, ValueError):
        rows = (line.split() for line in Path(_memory_events()).read_text().splitlines())
        return sum(int(row[1]) for row in rows if row and row[0] == "oom_kill")
    return 0


@cache
def _memory_events() -> str:
    return next(filter(os.path.exists, _OUT_OF_MEMORY), os.devnull)


def _spawn_starter(command: str, folder: Path, limits: Limits, ends: Sequence[int]) -> int:
    """The pid of a shell that starts ``command``, with ``ends`` as its descriptors from 0."""
    seconds = math.ceil(limits.cpu_s)
    tasks = most_tasks()
    rules = [folder, seconds, seconds + 1, "unlimited" if tasks is None else tasks, SOONER_KILLED]
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FREE_FROM) for end in ends]
    try:
        return os.posix_spawn(
            "/bin/bash",
            ["bash", "--norc", "-c", _STARTER, "run", *map(str, rules), *words_of(command, folder)],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, end, place) for place, end in enumerate(high)],
            setsid=True,
            setsigmask=(),
            setsigdef=DEFAULT,
        )
    finally:
        for end in high:
            os.close(end)


def words_of(command: str, folder: Path) -> list[str]:
    """The words to execute for ``command``: its own where bash would do nothing else with it, or a bash to read it."""
    words = command.split(" ")
    program = words[0]
    found = folder / program if "/" in program else shutil.which(program) or ""
    if _WORDS.fullmatch(command) and program not in _BUILTIN and os.access(found, os.X_OK) and os.path.isfile(found):
        return words
    return ["/bin/bash", "--norc", "-c", command]
