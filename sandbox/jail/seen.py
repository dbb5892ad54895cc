"""What programs inside are shown of the machine: the granted slots instead of the host's.

Pure functions from slots, the host's own texts and the cgroup's readings to the texts of files that
are bound over ``/proc`` (proc(5)) and written under ``/sys``. Which reader is served by what:

- ``nproc``, ``os.cpu_count()`` under an affinity, Go, Java, Node, OpenMP: sched_getaffinity(2), by the
  cores the sandbox is pinned to;
- sysconf(3) ``_SC_NPROCESSORS_*``, ``lscpu``, OpenBLAS: ``/sys/devices/system/cpu``;
- ``free``, ``top``, Node, psutil: ``/proc/meminfo``, ``/proc/stat``, ``/proc/loadavg``, ``/proc/cpuinfo``;
- Java's and .NET's memory, Go's and Node's quotas: the sandbox's own cgroup, bound under ``/sys/fs/cgroup``;
- ``uptime``, ``ps``: a time namespace;
- glibc's ``_SC_PHYS_PAGES`` and ``_SC_AVPHYS_PAGES`` (and so ``getconf`` and ``os.sysconf``), busybox, musl:
  sysinfo(2), which the policies ask about and the jail answers.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

CPU_FOLDER = "/sys/devices/system/cpu"
_TICKS = 100  # USER_HZ, the unit of /proc/stat on every architecture that is served
_KIB = 1024
_NUMBER = re.compile(r"^processor\s*:\s*(\d+)", re.MULTILINE)
_SHARED = re.compile(r"^(siblings|cpu cores)(\s*: )\d+", re.MULTILINE)
_SYSINFO = struct.Struct("=q3Q6QH6xQQI4x")
_LOAD_SECONDS = (60, 300, 900)


@dataclass(frozen=True)
class Readings:
    """A cgroup's accounts: bytes of memory by kind, milliseconds of CPU, and the seconds since it began."""

    memory: int = 0
    file: int = 0
    inactive_file: int = 0
    shared: int = 0
    user_ms: int = 0
    system_ms: int = 0
    seconds: float = 0.0
    processes: int = 1


def choose_cores(cpu: float, offered: Sequence[int], taken: Mapping[int, int]) -> list[int]:
    """As many of the ``offered`` cores as ``cpu`` needs, those first that the fewest sandboxes have (``taken``).

    A part of a core is seen as a whole one; more than there is, as all there is.
    """
    wanted = max(1, math.ceil(cpu))
    return sorted(sorted(offered, key=lambda core: (taken.get(core, 0), core))[:wanted])


def ranges(cores: Sequence[int]) -> str:
    """``cores`` as the kernel lists them: ``0-2,5``."""
    parts: list[list[int]] = []
    for core in sorted(set(cores)):
        if parts and core == parts[-1][-1] + 1:
            parts[-1].append(core)
        else:
            parts.append([core])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in parts)


def cpuinfo(host: str, cores: Sequence[int]) -> str:
    """The host's ``/proc/cpuinfo`` with the blocks of ``cores`` only; what belongs to no core stays."""
    blocks = []
    for block in host.strip("\n").split("\n\n"):
        number = _NUMBER.search(block)
        if number is None or int(number[1]) in cores:
            blocks.append(_SHARED.sub(lambda found: f"{found[1]}{found[2]}{len(cores)}", block))
    return "\n\n".join(blocks) + "\n\n"


def cpu_files(cores: Sequence[int]) -> dict[str, str]:
    """The files of ``/sys/devices/system/cpu`` for ``cores``, which keep their numbers.

    The kernel's own calls (sched_getaffinity, getcpu) speak of the same numbers: who takes one for the
    other must find it.
    """
    listed = ranges(cores)
    whole = {"online": listed, "possible": listed, "present": listed, "offline": "", "isolated": ""}
    files = {**whole, "kernel_max": str(max(cores))}
    for core in cores:
        own = {"core_id": str(core), "physical_package_id": "0", "thread_siblings_list": str(core)}
        own |= {"core_cpus_list": str(core), "core_siblings_list": listed, "package_cpus_list": listed}
        own |= {"thread_siblings": _mask([core]), "core_cpus": _mask([core]), "core_siblings": _mask(cores)}
        files |= {f"cpu{core}/topology/{name}": text for name, text in own.items()}
    return {f"{CPU_FOLDER}/{name}": f"{text}\n" for name, text in files.items()}


def _mask(cores: Sequence[int]) -> str:
    """A CPU mask in the kernel's words of 32 bits."""
    digits = f"{sum(1 << core for core in cores):x}"
    digits = digits.zfill(-(-len(digits) // 8) * 8)
    return ",".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def meminfo(limit: int, readings: Readings) -> str:
    """``/proc/meminfo`` of a machine with ``limit`` bytes of memory and no swap; its size is always the same."""
    used = min(readings.memory, limit)
    cached = min(readings.file, used)
    free = limit - used
    rows = {
        "MemTotal": limit,
        "MemFree": free,
        "MemAvailable": min(limit, free + min(readings.inactive_file, used)),
        "Buffers": 0,
        "Cached": cached,
        "SwapCached": 0,
        "Active": used - min(readings.inactive_file, used),
        "Inactive": min(readings.inactive_file, used),
        "SwapTotal": 0,
        "SwapFree": 0,
        "Dirty": 0,
        "Writeback": 0,
        "AnonPages": used - cached,
        "Mapped": 0,
        "Shmem": min(readings.shared, used),
        "SReclaimable": 0,
        "SUnreclaim": 0,
    }
    return "".join(f"{name + ':':<16}{value // _KIB:>12} kB\n" for name, value in rows.items())


def sysinfo(limit: int, readings: Readings, load: Load) -> bytes:
    """A packed ``struct sysinfo`` (sysinfo(2)) of the same machine; loads are in units of 1/65536."""
    used = min(readings.memory, limit)
    loads = (min(int(mean * (1 << 16)), 1 << 40) for mean in load.means)
    memory = limit, limit - used, min(readings.shared, used), 0, 0, 0  # no buffers, no swap
    return _SYSINFO.pack(int(readings.seconds), *loads, *memory, min(readings.processes, 0xFFFF), 0, 0, 1)


def after(last: Readings, now: Readings, cores: int) -> Readings:
    """``now`` as it is shown after ``last``: no time falls, and as much of it passes as was spent on ``cores``.

    A quota of the processor may be overdrawn for a moment.
    """
    user, system = max(now.user_ms, last.user_ms), max(now.system_ms, last.system_ms)
    spent = (user + system - last.user_ms - last.system_ms) / 1000 / cores
    return replace(now, user_ms=user, system_ms=system, seconds=max(now.seconds, last.seconds + spent))


def stat(began: int, cores: Sequence[int], readings: Readings) -> str:
    """``/proc/stat``: the sandbox's CPU time, even on its cores, and idle time for the rest.

    ``began`` is when the sandbox did, in seconds since the epoch. No number falls from readings to those :func:`after`.
    """
    user, system = (value * _TICKS // 1000 for value in (readings.user_ms, readings.system_ms))
    idle_ms = readings.seconds * 1000 * len(cores) - readings.user_ms - readings.system_ms
    idle = max(0, int(idle_ms * _TICKS / 1000 + 1e-6))
    rows = [f"cpu  {user} 0 {system} {idle} 0 0 0 0 0 0"]
    for place, core in enumerate(cores):
        parts = [(value + place) // len(cores) for value in (user, system, idle)]
        rows.append(f"cpu{core} {parts[0]} 0 {parts[1]} {parts[2]} 0 0 0 0 0 0")
    rows += ["intr 0", "ctxt 0", f"btime {began}", "processes 0", "procs_running 1", "procs_blocked 0", "softirq 0"]
    return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class Load:
    """The mean number of cores kept busy, over 1, 5 and 15 minutes: what ``/proc/loadavg`` shows.

    A host's load counts who waits for a core as well; inside, that is the granted cores at most.
    """

    means: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def after(self, busy: float, seconds: float) -> Load:
        """The load after ``seconds`` more in which ``busy`` cores were busy."""
        one, five, fifteen = (
            busy + (mean - busy) * math.exp(-max(0.0, seconds) / span)
            for mean, span in zip(self.means, _LOAD_SECONDS, strict=True)
        )
        return Load((one, five, fifteen))

    def text(self, processes: int) -> str:
        """The text of ``/proc/loadavg``; its size does not change while processes are below 100,000."""
        means = " ".join(f"{min(mean, 9999.0):.2f}" for mean in self.means)
        return f"{means} {min(1, processes)}/{max(1, processes)} {max(1, processes)}".ljust(47) + "\n"
