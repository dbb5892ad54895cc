"""Control groups, version 1 and 2: limits, accounts, freezing, and the end of a sandbox's processes.

Sources: the kernel's ``admin-guide/cgroup-v1`` and ``admin-guide/cgroup-v2``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.jail import disks, pseudofiles
from sandbox.jail.account import integrated
from sandbox.jail.seen import Readings, ranges
from sandbox.runner.children import RESERVED_TASKS
from sandbox.slots import Slots
from sandbox.usage import Usage

ROOT = Path("/sys/fs/cgroup")
_V1 = ("cpu", "cpuacct", "memory", "pids", "freezer")
_V2 = ("cpu", "memory", "pids")
# Used where the host has them: each is a second lock on a door that has one already, or a finer account.
OPTIONAL = {1: ("cpuset", "blkio"), 2: ("cpuset", "io")}
_PERIOD_US = 100_000
# By version: where the CPU time and the memory that are used now stand.
_CPU = {1: ("cpuacct", "cpuacct.usage"), 2: ("cpu", "cpu.stat")}
_MEMORY = {1: ("memory", "memory.usage_in_bytes"), 2: ("memory", "memory.current")}


class CgroupError(Exception):
    """This process may not make control groups here; the message says what is missing."""


@dataclass(frozen=True)
class Cgroup:
    """The control groups of one sandbox: one directory (v2), or one for each controller (v1).

    With ``nested`` its processes are in groups beneath these, which somebody else makes (a container engine).
    Limits, accounts and freezing hold for all that is beneath.
    """

    version: int
    paths: dict[str, Path]
    nested: bool = False

    def create(self, slots: Slots, cores: Sequence[int] = (), disk: str = "") -> None:
        """Make the directories and set the limits of ``slots``; pin to ``cores``; limit input and output on ``disk``.

        ``disk`` is a block device, ``major:minor``.

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
            if (self.paths["memory"] / "memory.memsw.limit_in_bytes").exists():
                self._write("memory", "memory.memsw.limit_in_bytes", str(slots.memory))
        self.open_reserve(slots, False)
        if cores and "cpuset" in self.paths:
            self._pin(cores)
        self.throttle(disk)

    def throttle(self, disk: str) -> None:
        """Limit input and output on ``disk`` where there is a controller for it."""
        if disk and self.paths.keys() & {"io", "blkio"}:
            try:
                self._limit_io(disk)
            except OSError as error:  # some devices cannot be throttled: no reason to refuse a session
                sys.stderr.write(f"disk {disk} is not throttled: {error}\n")

    def _pin(self, cores: Sequence[int]) -> None:
        path = self.paths["cpuset"]
        if self.version == 1 and not (path / "cpuset.mems").read_text().strip():
            (path / "cpuset.mems").write_text((path.parent / "cpuset.mems").read_text())
        (path / "cpuset.cpus").write_text(ranges(cores))

    def _limit_io(self, disk: str) -> None:
        most = disks.BYTES_PER_SECOND, disks.OPERATIONS_PER_SECOND
        if self.version == 2:
            self._write("io", "io.max", f"{disk} rbps={most[0]} wbps={most[0]} riops={most[1]} wiops={most[1]}")
            return
        for way in ("read", "write"):
            self._write("blkio", f"blkio.throttle.{way}_bps_device", f"{disk} {most[0]}")
            self._write("blkio", f"blkio.throttle.{way}_iops_device", f"{disk} {most[1]}")

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
        return [int(line) for text in self._each("memory", "cgroup.procs") for line in text.split()]

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
            left = [path for path in self._all_paths() if not _rmdir(path)]
            if not left:
                return True
            if time.monotonic() > deadline:
                return False
            self.kill()
            time.sleep(0.01)

    def out_of_memory_kills(self) -> int:
        file = "memory.events" if self.version == 2 else "memory.oom_control"
        if self.version == 2 or not self.nested:
            return _field(self._read("memory", file), "oom_kill")
        return sum(_field(text, "oom_kill") for text in self._each("memory", file))  # version 1 counts in each alone

    def refused_tasks(self) -> int:
        """How often the limit of processes and threads refused one."""
        return sum(_field(text, "max") for text in self._each("pids", "pids.events"))  # version 1: since Linux 4.8

    def open_reserve(self, slots: Slots, open: bool) -> None:
        """Leave room for the tasks that only the runner may start beyond ``slots``, or none.

        Programs are kept from it by RLIMIT_NPROC, whose refusals nobody counts: so it is open while it is needed.
        """
        self._write("pids", "pids.max", str(slots.processes + (RESERVED_TASKS if open else 0)))

    def usage(self, before: Usage, wall_ms: int, transferred: tuple[int, int] = (0, 0)) -> Usage:
        """The accounts now. ``before`` is the last reading: totals never fall, and memory is integrated since it.

        ``transferred`` are bytes read and written by the processes' own accounts; the devices' accounts are
        looked at here, and the larger counts (see :mod:`sandbox.jail.disks`).
        """
        cpu_ms = _cpu_ms(self.version, self._read(*_CPU[self.version]))
        peak = self._read_number("memory", "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes")
        read, written = self._device_io()
        now = integrated(before, wall_ms, self.memory_kib())
        return replace(
            now,
            cpu_ms=max(cpu_ms, before.cpu_ms),
            memory_peak_kib=max(peak // 1024, now.memory_peak_kib),
            processes=self.tasks(),
            bytes_read=max(read, transferred[0], before.bytes_read),
            bytes_written=max(written, transferred[1], before.bytes_written),
        )

    def tasks(self) -> int:
        """Processes and threads, with those that have ended and were not waited for."""
        return int(self._read("pids", "pids.current"))

    def memory_kib(self) -> int:
        """What it holds now, page cache included."""
        return int(self._read(*_MEMORY[self.version])) // 1024

    def readings(self, usage: Usage) -> Readings:
        """What the files inside show of the accounts, besides ``usage``."""
        memory = _fields(self._read("memory", "memory.stat"))
        if self.version == 2:
            cpu = _fields(self._read("cpu", "cpu.stat"))
            user, system = cpu.get("user_usec", 0) // 1000, cpu.get("system_usec", 0) // 1000
        else:
            cpu = _fields(self._read("cpuacct", "cpuacct.stat"))
            user, system = cpu.get("user", 0) * 10, cpu.get("system", 0) * 10
        total = "total_" if self.version == 1 else ""
        return Readings(
            memory=usage.memory_kib * 1024,
            file=memory.get("file" if self.version == 2 else "total_cache", 0),
            inactive_file=memory.get(f"{total}inactive_file", 0),
            shared=memory.get(f"{total}shmem", 0),
            user_ms=user,
            system_ms=system,
            seconds=usage.wall_ms / 1000,
            processes=usage.processes,
        )

    def shown(self) -> list[tuple[Path, str]]:
        """Its own directories and where programs look for them, to know their limits: to be bound read-only."""
        if self.version == 2:
            return [(self.paths["memory"], str(ROOT))]
        names = ("cpu", "cpuacct", "memory", "pids", "cpuset")
        return [(self.paths[name], f"{ROOT}/{name}") for name in names if name in self.paths]

    def _device_io(self) -> tuple[int, int]:
        try:
            if "io" in self.paths:
                return disks.of_io_stat(self._read("io", "io.stat"))
            if "blkio" in self.paths:
                return disks.of_blkio(self._read("blkio", "blkio.throttle.io_service_bytes"))
        except FileNotFoundError:
            pass  # the root group, or a kernel that keeps no such account: the processes' own count
        return 0, 0

    def _each(self, controller: str, file: str) -> Iterator[str]:
        """The texts of ``file`` in every group of the sandbox that has it."""
        path = self.paths[controller]
        for folder in [path, *(_folders(path) if self.nested else ())]:
            with contextlib.suppress(OSError):  # it has just gone, or has no such file
                yield pseudofiles.read(f"{folder}/{file}")

    def _all_paths(self) -> list[Path]:
        """What is to be removed, the innermost first. An engine makes groups in every hierarchy that there is."""
        if not self.nested:
            return list(set(self.paths.values()))
        own = next(iter(self.paths.values()))
        tops = {*self.paths.values(), *ROOT.glob(f"*/{own.parent.name}/{own.name}")}
        return [path for top in tops for path in [*reversed(_folders(top)), top]]

    def _read(self, controller: str, file: str) -> str:
        return pseudofiles.read(f"{self.paths[controller]}/{file}")

    def _read_number(self, controller: str, file: str) -> int:
        try:
            return int(self._read(controller, file))
        except FileNotFoundError:
            return 0  # memory.peak came with Linux 5.19

    def _write(self, controller: str, file: str, text: str) -> None:
        (self.paths[controller] / file).write_text(text)


class Gauges:
    """The two accounts of a sandbox that are looked at most often, held open."""

    def __init__(self, cgroup: Cgroup) -> None:
        self._version = cgroup.version
        self._cpu, self._memory = (
            os.open(cgroup.paths[controller] / file, os.O_RDONLY | os.O_CLOEXEC)
            for controller, file in (_CPU[cgroup.version], _MEMORY[cgroup.version])
        )

    def cpu_ms(self) -> int:
        return _cpu_ms(self._version, os.pread(self._cpu, 4096, 0).decode())

    def memory_kib(self) -> int:
        """What it holds now, page cache included."""
        return int(os.pread(self._memory, 64, 0)) // 1024


ParentGroups = tuple[int, dict[str, Path]]


def parent_groups(at_top: bool = False) -> ParentGroups:
    """Version, and for each controller the directory under which this process may make groups.

    With ``at_top`` it is one path in every hierarchy, wherever this process is itself: what is root's only.

    Raises:
        CgroupError: there is none.
    """
    own = dict.fromkeys(dict(_own_groups()), "/") if at_top else dict(_own_groups())
    if (ROOT / "cgroup.controllers").exists():
        base = _v2_base(ROOT / own[""].lstrip("/"))
        enabled = (base / "cgroup.subtree_control").read_text().split()
        return 2, dict.fromkeys((*_V2, *(name for name in OPTIONAL[2] if name in enabled)), base)
    bases = {}
    for controller in _V1:
        mount = next((path for path in (ROOT / controller, ROOT / "cpu,cpuacct") if path.is_dir()), None)
        if controller not in own or mount is None:
            raise CgroupError(f"The cgroup controller {controller} is not there.")
        bases[controller] = mount / own[controller].lstrip("/") / "madang"
        _try(controller, bases[controller])
    for controller in OPTIONAL[1]:
        base = ROOT / controller / own.get(controller, "").lstrip("/") / "madang"
        if controller in own and _usable(controller, base):
            bases[controller] = base
    return 1, bases


def _usable(controller: str, base: Path) -> bool:
    try:
        _try(controller, base)
        if controller == "cpuset":  # a new group has no cores and no memory, and what has none takes no process
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not (base / file).read_text().strip():
                    (base / file).write_text((base.parent / file).read_text())
    except (CgroupError, OSError):
        return False
    return True


def _try(controller: str, base: Path) -> None:
    """Make a group, and one in it: that the first is there says nothing about whose it is."""
    trial = base / f"trial-{os.getpid()}"
    try:
        base.mkdir(exist_ok=True)
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise CgroupError(f"No cgroup can be made for {controller}: {error.strerror}.") from error


def sandbox_group(id: str, version: int, bases: dict[str, Path], nested: bool = False) -> Cgroup:
    return Cgroup(version, {controller: base / id for controller, base in bases.items()}, nested)


def _folders(path: Path) -> list[Path]:
    """The groups beneath, the outermost first; one that goes meanwhile is passed over, as os.walk() does."""
    return [Path(where, name) for where, names, _ in os.walk(path) for name in names]


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
        for controller in set(OPTIONAL[2]) & set(available):
            _enable(parent, controller)
    return base


def _enable(parent: Path, controller: str) -> None:
    try:
        (parent / "cgroup.subtree_control").write_text(f"+{controller}")
    except OSError:
        return  # listed, and not given: the sandbox goes without, and the doctor says so


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


def _cpu_ms(version: int, text: str) -> int:
    return _field(text, "usage_usec") // 1000 if version == 2 else int(text) // 1_000_000


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.replace(":", "").partition(" ")
        if key == name:
            return int(value)
    return 0


def _fields(text: str) -> dict[str, int]:
    rows = (line.split(" ", 1) for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _rmdir(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
