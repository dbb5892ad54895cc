"""Control groups, version 1 and 2: limits, accounts, freezing, and the end of a sandbox's processes.

Sources: the kernel's ``admin-guide/cgroup-v1`` and ``admin-guide/cgroup-v2``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.jail.account import integrated
from sandbox.slots import Slots
from sandbox.usage import Usage

ROOT = Path("/sys/fs/cgroup")
_V1 = ("cpu", "cpuacct", "memory", "pids", "freezer")
_V2 = ("cpu", "memory", "pids")
_PERIOD_US = 100_000


class CgroupError(Exception):
    """This process may not make control groups here; the message says what is missing."""


@dataclass(frozen=True)
class Cgroup:
    """The control groups of one sandbox: one directory (v2), or one for each controller (v1)."""

    version: int
    paths: dict[str, Path]

    def create(self, slots: Slots) -> None:
        """Make the directories and set the limits of ``slots``.

        Raises:
            OSError: a directory or a limit was refused.
        """
        for path in set(self.paths.values()):
            path.mkdir(parents=True, exist_ok=True)
        quota = max(1000, int(slots.cpu * _PERIOD_US))
        if self.version == 2:
            self._write("cpu", "cpu.max", f"{quota} {_PERIOD_US}")
            self._write("memory", "memory.max", str(slots.memory))
            if (self.paths["memory"] / "memory.swap.max").exists():
                self._write("memory", "memory.swap.max", "0")
        else:
            self._write("cpu", "cpu.cfs_period_us", str(_PERIOD_US))
            self._write("cpu", "cpu.cfs_quota_us", str(quota))
            self._write("memory", "memory.limit_in_bytes", str(slots.memory))
        self._write("pids", "pids.max", str(slots.processes))

    def join(self) -> None:
        """Put the calling process in."""
        for path in set(self.paths.values()):
            (path / "cgroup.procs").write_text("0")

    def freeze(self, frozen: bool) -> None:
        """Stop every process, or let them go on; returns once the kernel says so."""
        if self.version == 2:
            self._write("memory", "cgroup.freeze", "1" if frozen else "0")
            return
        state = "FROZEN" if frozen else "THAWED"
        for _ in range(200):
            self._write("freezer", "freezer.state", state)
            if self._read("freezer", "freezer.state").strip() == state:
                return
            time.sleep(0.005)
        raise OSError(f"the cgroup did not become {state}")

    def processes(self) -> list[int]:
        try:
            return [int(line) for line in self._read("memory", "cgroup.procs").split()]
        except OSError:
            return []

    def kill(self) -> None:
        """SIGKILL everything inside, frozen or not."""
        try:
            self.freeze(False)
        except OSError:
            pass  # already gone: there is nothing to thaw
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def remove(self, seconds: float = 5.0) -> bool:
        """Remove the directories once they are empty; whether all are gone."""
        deadline = time.monotonic() + seconds
        while True:
            left = [path for path in set(self.paths.values()) if not _rmdir(path)]
            if not left:
                return True
            if time.monotonic() > deadline:
                return False
            self.kill()
            time.sleep(0.01)

    def out_of_memory_kills(self) -> int:
        file = "memory.events" if self.version == 2 else "memory.oom_control"
        return _field(self._read("memory", file), "oom_kill")

    def refused_tasks(self) -> int:
        """How often the limit of processes and threads refused one."""
        try:
            return _field(self._read("pids", "pids.events"), "max")
        except FileNotFoundError:
            return 0  # version 1 had none before Linux 4.8

    def usage(self, before: Usage, wall_ms: int) -> Usage:
        """The accounts now. ``before`` is the last reading: totals never fall, and memory is integrated since it."""
        if self.version == 2:
            cpu_ms = _field(self._read("cpu", "cpu.stat"), "usage_usec") // 1000
            peak = self._read_number("memory", "memory.peak")
        else:
            cpu_ms = int(self._read("cpuacct", "cpuacct.usage")) // 1_000_000
            peak = self._read_number("memory", "memory.max_usage_in_bytes")
        read, written = self._io()
        now = integrated(before, wall_ms, self.memory_kib())
        return replace(
            now,
            cpu_ms=max(cpu_ms, before.cpu_ms),
            memory_peak_kib=max(peak // 1024, now.memory_peak_kib),
            processes=int(self._read("pids", "pids.current")),
            bytes_read=max(read, before.bytes_read),
            bytes_written=max(written, before.bytes_written),
        )

    def memory_kib(self) -> int:
        """What it holds now, page cache included."""
        file = "memory.current" if self.version == 2 else "memory.usage_in_bytes"
        return int(self._read("memory", file)) // 1024

    def _io(self) -> tuple[int, int]:
        """Bytes read and written, by proc(5) ``io``: a process's account includes its waited-for children."""
        read = written = 0
        for pid in self.processes():
            try:
                text = Path(f"/proc/{pid}/io").read_text()
            except OSError:
                continue  # ended just now, or not ours to see: the total never falls for that
            read += _field(text, "read_bytes")
            written += _field(text, "write_bytes")
        return read, written

    def _read(self, controller: str, file: str) -> str:
        return (self.paths[controller] / file).read_text()

    def _read_number(self, controller: str, file: str) -> int:
        try:
            return int(self._read(controller, file))
        except FileNotFoundError:
            return 0  # memory.peak came with Linux 5.19

    def _write(self, controller: str, file: str, text: str) -> None:
        (self.paths[controller] / file).write_text(text)


def parent_groups() -> tuple[int, dict[str, Path]]:
    """Version, and for each controller the directory under which this process may make groups.

    Raises:
        CgroupError: there is none.
    """
    own = dict(_own_groups())
    if (ROOT / "cgroup.controllers").exists():
        base = _v2_base(ROOT / own[""].lstrip("/"))
        return 2, dict.fromkeys(_V2, base)
    bases = {}
    for controller in _V1:
        mount = next((path for path in (ROOT / controller, ROOT / "cpu,cpuacct") if path.is_dir()), None)
        if controller not in own or mount is None:
            raise CgroupError(f"The cgroup controller {controller} is not there.")
        bases[controller] = mount / own[controller].lstrip("/") / "madang"
        _try(controller, bases[controller])
    return 1, bases


def _try(controller: str, base: Path) -> None:
    """Make a group, and one in it: that the first is there says nothing about whose it is."""
    trial = base / f"trial-{os.getpid()}"
    try:
        base.mkdir(exist_ok=True)
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise CgroupError(f"No cgroup can be made for {controller}: {error.strerror}.") from error


def sandbox_group(id: str, version: int, bases: dict[str, Path]) -> Cgroup:
    return Cgroup(version, {controller: base / id for controller, base in bases.items()})


def _v2_base(own: Path) -> Path:
    if os.geteuid() == 0:
        base = ROOT / "madang"
        base.mkdir(exist_ok=True)
        parents = [ROOT, base]
    else:
        base = own.parent if own.name == "service" else own
        if not os.access(base / "cgroup.procs", os.W_OK) or base == ROOT:
            raise CgroupError("This process has no cgroup of its own (systemd's Delegate=yes).")
        _become_leaf(base)
        parents = [base]
    for parent in parents:
        available = (parent / "cgroup.controllers").read_text().split()
        if missing := [controller for controller in _V2 if controller not in available]:
            raise CgroupError(f"The cgroup controllers {', '.join(missing)} are not delegated to this user.")
        (parent / "cgroup.subtree_control").write_text(" ".join(f"+{controller}" for controller in _V2))
    return base


def _become_leaf(base: Path) -> None:
    """Move what runs in ``base`` into a leaf: a group with processes cannot have groups with limits."""
    leaf = base / "service"
    leaf.mkdir(exist_ok=True)
    for pid in (base / "cgroup.procs").read_text().split():
        try:
            (leaf / "cgroup.procs").write_text(pid)
        except ProcessLookupError:
            continue


def _own_groups() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.replace(":", "").partition(" ")
        if key == name:
            return int(value)
    return 0


def _rmdir(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
