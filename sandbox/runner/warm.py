"""A program of Python without its interpreter's start: one that has started waits, and is forked for it.

Who waits is :mod:`sandbox.runner.pause`, in a process of the same command, folder and environment as the program's
would be, so a fork of it is what ``python main.py`` is: the same ``__main__``, ``sys.path``, tracebacks and exit
status. What differs is that the forks of one process hash strings alike.
"""

from __future__ import annotations

import asyncio
import math
import os
import resource
import shutil
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.runner.children import Children, Orphaned, clean_child, signal_group

Begun = Callable[[int], None]
HOOK = Path("/etc/madang/warm")
"""The folder inside where ``sitecustomize.py`` is that waits, in images that have it."""


class Warm:
    """At most one interpreter that waits. ``told`` hears of its pid, 0 for none: nobody else inside may touch it.

    It is the parent of what is forked from it, and tells how that ended. Should it end before, the kernel makes that a
    child of the runner's.
    """

    def __init__(self, children: Children, told: Callable[[int], None]) -> None:
        self._children, self._told = children, told
        self._for: tuple[tuple[str, ...], Path] = (), Path()
        self._pid = 0
        self._control: socket.socket | None = None
        self._begun: Begun | None = None
        self._buried: Orphaned | None = None

    def launch(
        self,
        program: Sequence[str],
        folder: Path,
        cpu_s: float,
        ends: Sequence[int],
        begun: Begun,
        buried: Orphaned,
    ) -> bool:
        """Run ``program`` in ``folder`` with ``ends`` as its standard streams; False where it is to be done otherwise.

        ``begun`` hears of its pid, 0 if there is none after all, and ``buried`` of its end.
        """
        if not program or not HOOK.is_dir():
            return False
        try:
            if not self._pid or self._for != (tuple(program), folder):
                self.drop()
                self._start(program, folder)
            assert self._control is not None
            os.kill(self._pid, signal.SIGCONT)  # a program before may have stopped it
            variables = [f"{name}={value}" for name, value in {**os.environ, "PWD": str(folder)}.items()]
            order = os.fsencode("\0".join([str(folder), str(math.ceil(cpu_s)), *variables]))
            socket.send_fds(self._control, [order], list(ends))
        except OSError:
            self.drop()
            return False
        self._begun, self._buried = begun, buried
        return True

    def drop(self) -> None:
        """End it."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        if self._pid:
            signal_group(self._pid, signal.SIGKILL)
            self._pid = 0
            self._told(0)
        if begun := self._begun:
            self._begun = None
            begun(0)

    def _start(self, program: Sequence[str], folder: Path) -> None:
        path = shutil.which(program[0])
        if path is None:
            raise FileNotFoundError(program[0])
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            pid = os.fork()
            if pid == 0:
                _become_waiting(path, program, folder, theirs.fileno())
        self._pid, self._for = pid, (tuple(program), folder)
        self._control.setblocking(False)
        asyncio.get_running_loop().add_reader(self._control, self._hear)
        self._children.watch(pid, lambda code: self._ended(pid))
        self._told(pid)

    def _hear(self) -> None:
        """A pid, or how it ended: pid, status, microseconds in user and in system mode, the most memory in KiB."""
        assert self._control is not None
        try:
            pid, *rest = map(int, self._control.recv(256).split())
        except BlockingIOError:
            return
        except (OSError, ValueError):  # it has ended
            self.drop()
            return
        if not rest and (begun := self._begun):
            self._begun = None
            begun(pid)
        elif rest and (buried := self._buried):
            self._buried = None
            status, user, system, peak = rest
            used = resource.struct_rusage((user / 1e6, system / 1e6, peak, *[0] * 13))
            buried(pid, os.waitstatus_to_exitcode(status), used)

    def _ended(self, pid: int) -> None:
        if pid == self._pid:
            self._pid = 0
            self.drop()
            self._told(0)


def _become_waiting(path: str, program: Sequence[str], folder: Path, control: int) -> None:
    """In the forked child: never returns."""
    try:
        clean_child(keep=[control])
        os.setsid()
        for place in (0, 1, 2):  # of the kind that a program's will be: what is made for them at the start is made once
            reader, writer = os.pipe()
            os.dup2(writer if place else reader, place)
        os.set_inheritable(control, True)
        os.chdir(folder)
        paths = [str(HOOK), *filter(None, [os.environ.get("PYTHONPATH")])]
        more = {"PYTHONPATH": os.pathsep.join(paths), "MADANG_WAIT": str(control), "PWD": str(folder)}
        os.execve(path, list(program), {**os.environ, **more})  # noqa: S606 - no shell
    finally:
        os._exit(127)
