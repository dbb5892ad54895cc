"""The disk limit of a project, kept from outside by looking. See ``docs/decisions/the-disk-limit-by-looking.md``.

Each look measures what the files take (:mod:`sandbox.room`), those without a name included. Over the
limit, two steps follow:

*full*: no file may grow beyond what a shell, an editor or a kernel needs to start. The soft RLIMIT_FSIZE of
every process becomes :data:`SMALL`; deleting works everywhere.
*sealed*: somebody found a way to go on (holes filled through mmap, fallocate, folders, a limit raised
again), and is past the limit by the margin. The project becomes read-only inside, and who has a file
in it open for writing is ended. Deleting works from the page.

Under the limit again, everything is as before.
"""

from __future__ import annotations

import os
import resource
import signal
import stat
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from sandbox.jail import linux
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.loop import Loop
from sandbox.jail.plan import PROJECT
from sandbox.room import Look, Room, most_entries

NEAR_SECONDS, BUSY_SECONDS, IDLE_SECONDS = 0.05, 0.25, 60.0
SMALL = 64 * 1024
"""Bytes that a file may still have while the disk is full: home and /tmp are under the same limit."""
_SHARE = 10  # a look takes at most one part of this of the time
_MARGIN, _MARGIN_SHARE = 16 << 20, 16
_SEAL_SECONDS = 2.0
_SLICE = 0.005


class DiskGuard:
    """Watches over the project of one sandbox.

    ``runner`` is its first process, whose own files do not count; ``spaces`` are descriptors of the namespaces to
    enter, in their order, to change its mounts.
    """

    def __init__(self, project: Path, limit: int, cgroup: Cgroup, runner: int, spaces: list[int]) -> None:
        self._folder = os.open(project, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._device = os.fstat(self._folder).st_dev
        self._limit, self._cgroup, self._runner, self._spaces = limit, cgroup, runner, spaces
        self._margin = max(_MARGIN, limit // _MARGIN_SHARE)
        self._looked = self._took = 0.0
        self._free = 0
        self._restrained = self._rests = False
        self.room = Room()
        self.full = self.sealed = False

    @property
    def notice(self) -> tuple[str, str]:
        """A stable word and a sentence for the owner; both empty while there is room."""
        if not self.full:
            return "", ""
        mib = 1 << 20
        if self.room.size >= self._limit:
            what = f"The project's files take {self.room.size // mib} of {self._limit // mib} MiB."
        else:
            what = f"The project has {self.room.entries} files and folders; {most_entries(self._limit)} are allowed."
        how = "It is read-only in the session" if self.sealed else f"No file can grow beyond {SMALL >> 10} KiB"
        where = "on the page" if self.sealed else "on the page or in a terminal"
        return "disk_full", f"{what} {how} until some are deleted, {where}."

    def watch(self, loop: Loop, computes: Callable[[], bool | None], changed: Callable[[], None]) -> None:
        """Look whenever it is time, for ever, if :meth:`glance` is called about each second.

        ``computes`` is None while nothing inside can run. ``changed`` is called when there is something new to tell.
        """
        self._loop, self._computes, self._changed = loop, computes, changed
        loop.after(0, self._wake)

    def glance(self) -> None:
        """Have a look if it is time. An idle project has no timer of its own: to be woken up is most of the cost."""
        if self._rests:
            self._wake()

    def _wake(self) -> None:
        active = self._computes()
        if active is not None and self._due(active):
            self._rests = False
            self._go_on(self._look(), self.notice)
        else:
            self._rest()

    def _rest(self) -> None:
        """Until it is worth asking again whether a look is due."""
        active = bool(self._computes())
        self._rests = not active and not self.full
        if not self._rests:
            near = self.room.size > self._limit * 3 // 4 and not self.full
            self._loop.after(NEAR_SECONDS if active and near else BUSY_SECONDS, self._wake)

    def _due(self, active: bool) -> bool:
        since = time.monotonic() - self._looked
        if since < self._took * _SHARE:
            return False
        return active or self.full or since >= IDLE_SECONDS or self._shrunk()

    def _go_on(self, look: Iterator[None], before: tuple[str, str]) -> None:
        """A slice of a look: others must not wait for all of it."""
        until, over = time.monotonic() + _SLICE, True
        try:
            for _ in look:
                if time.monotonic() > until:
                    over = False
                    break
        except OSError:  # the kernel refused a step; the next look tries again
            traceback.print_exc()
        finally:
            if over:
                self._rest()
            else:
                self._loop.after(0, self._go_on, look, before)
        if over and self.notice != before:
            self._changed()

    def _shrunk(self) -> bool:
        """Whether the file system has lost so much room that the project may be near its limit."""
        return self._free - _free(self._folder) > max(0, self._limit - self.room.size) // 4

    def _look(self) -> Iterator[None]:
        """Measure in small steps, and do what follows.

        Raises:
            OSError: the kernel refused a step.
        """
        began = time.monotonic()
        look = Look(self._folder, 2 * most_entries(self._limit))
        yield from look
        nameless = self._nameless()
        self.room = Room(look.room.size + nameless.size, look.room.entries + nameless.entries)
        self._free = _free(self._folder)
        self._looked = time.monotonic()
        self._took = self._looked - began
        self._decide()

    def _decide(self) -> None:
        if not self.room.over(self._limit, 1):  # at the limit there is no room either
            if self.sealed:
                self._set_read_only(False)
            self.sealed = self.full = False
            self._release()
            return
        self.full = True
        if not self.sealed:
            self._restrain()
            entries = most_entries(self._limit)
            if self.room.size > self._limit + self._margin or self.room.entries > entries + entries // _MARGIN_SHARE:
                self._seal()

    def _restrain(self) -> None:
        self._restrained = True
        self._limit_growth(SMALL)

    def _release(self) -> None:
        """To all, whether they were there or came from one who was."""
        if self._restrained:
            self._limit_growth(None)
            self._restrained = False

    def _limit_growth(self, soft: int | None) -> None:
        """Set the soft limit of the size of files for everybody but the runner; None: the hard one."""
        pids = self._others()

        def limit() -> None:
            for pid in pids:
                _limit_growth(pid, soft)

        self._inside(limit)

    def _seal(self) -> None:
        """Make the project read-only inside. The kernel refuses while a file is open for writing."""
        deadline = time.monotonic() + _SEAL_SECONDS
        while not self._set_read_only(True):
            late = time.monotonic() > deadline
            self._cgroup.freeze(True)  # so that nobody is born while we look
            try:
                for pid in self._others() if late else self._writers():
                    _kill(pid)
            finally:
                self._cgroup.freeze(False)
            if late and not self._others():
                return  # nobody is left who could write
            time.sleep(0.005)  # the dying give their files back within moments
        self.sealed = True
        self._release()

    def _set_read_only(self, read_only: bool) -> bool:
        """False while somebody writes."""
        return self._inside(lambda: linux.set_read_only(PROJECT, read_only))

    def _inside(self, action: Callable[[], object]) -> bool:
        """Do ``action`` in a child that enters the sandbox's namespaces, where it has every capability."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                for space in self._spaces:
                    linux.setns(space, linux.ANY_NAMESPACE)
                action()
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def _others(self) -> list[int]:
        return [pid for pid in self._cgroup.processes() if pid != self._runner]

    def _writers(self) -> list[int]:
        return [pid for pid in self._others() if any(_writes(pid, name, self._device) for name in _descriptors(pid))]

    def _nameless(self) -> Room:
        """Files of the project's device that have no name any more, or never had, and are held open."""
        found: dict[int, int] = {}
        for pid in self._others():
            for path in _held(pid):
                try:
                    status = os.stat(path)
                except OSError:
                    continue  # closed just now
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 0 and status.st_dev == self._device:
                    found[status.st_ino] = status.st_blocks * 512
        return Room(sum(found.values()), len(found))


def _free(folder: int) -> int:
    status = os.fstatvfs(folder)
    return status.f_bfree * status.f_frsize


def _descriptors(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []  # it has just ended


def _held(pid: int) -> list[str]:
    """Every file that ``pid`` has open, or mapped with no name."""
    paths = [f"/proc/{pid}/fd/{name}" for name in _descriptors(pid)]
    try:
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            if line.endswith("(deleted)"):
                first, _, last = line.split(None, 1)[0].partition("-")
                paths.append(f"/proc/{pid}/map_files/{int(first, 16):x}-{int(last, 16):x}")
    except OSError:
        pass  # it has just ended
    return paths


def _writes(pid: int, name: str, device: int) -> bool:
    try:
        status = os.stat(f"/proc/{pid}/fd/{name}")
        text = Path(f"/proc/{pid}/fdinfo/{name}").read_text()
    except OSError:
        return False
    flags = next((int(line.split()[1], 8) for line in text.splitlines() if line.startswith("flags:")), 0)
    return status.st_dev == device and stat.S_ISREG(status.st_mode) and flags & os.O_ACCMODE != os.O_RDONLY


def _limit_growth(pid: int, soft: int | None) -> None:
    try:
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if soft is None else min(soft, hard), hard))
    except ProcessLookupError:
        return  # it has just ended


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
