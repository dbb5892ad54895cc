"""The meter: what one sandbox has used, read from the kernel's accounts again and again."""

from __future__ import annotations

import contextlib
import time
import traceback
from pathlib import Path

from sandbox.egress import account
from sandbox.gpu.metering import GpuMeter
from sandbox.jail.account import AccountFile, integrated
from sandbox.jail.cgroups import Cgroup, Gauges
from sandbox.jail.disks import Transferred, look
from sandbox.jail.notices import Notices
from sandbox.jail.peak import Peak
from sandbox.jail.plan import Plan
from sandbox.jail.shown import Shown
from sandbox.usage import Usage

_MUCH_KIB, _MUCH_MS = 1024, 2


class Meter:
    """Of a sandbox that was built just now. ``notices``, ``peak`` and ``shown`` follow its readings."""

    def __init__(self, plan: Plan, cgroup: Cgroup, shown: Shown) -> None:
        self.notices = Notices(cgroup, plan.slots)
        self._directory, self._cgroup, self._shown = Path(plan.directory), cgroup, shown
        self._gauges = Gauges(cgroup)
        self.peak = Peak(cgroup)
        self._read_kib = 0
        self._began = time.monotonic()
        # Since the sandbox was built; its session is told what came after ``base``.
        self._usage, self._base = Usage(), Usage()
        self._read_ms = self._read_cpu_ms = 0
        self._transferred = Transferred()
        self._account = AccountFile(self._directory)
        self._gpus = GpuMeter(plan.gpus)

    @property
    def usage(self) -> Usage:
        """Since the session began."""
        return self._usage.since(self._base)

    def begin_session(self, directory: Path) -> Usage:
        """What was used while nobody had asked is nobody's: returns that. The sandbox's folder has another name now."""
        self._directory = directory
        self.read()
        self._base = self._usage
        self._write_account()
        return self._base

    def sysinfo(self) -> bytes:
        """What sysinfo(2) is to say inside."""
        return self._shown.sysinfo(self._wall_ms() / 1000)

    def look(self) -> bool:
        """The quick look that memory over time needs; whether much has changed since all accounts were read."""
        try:
            self._usage = integrated(self._usage, self._wall_ms(), self._gauges.memory_kib())
            self.peak.seen(self._usage.memory_kib)
            moved = abs(self._usage.memory_kib - self._read_kib) > _MUCH_KIB
            return moved or self._gauges.cpu_ms() - self._usage.cpu_ms > _MUCH_MS
        except OSError:
            return True  # the next reading tries again, and says why

    def read(self) -> tuple[int, float]:
        """Read all accounts; returns the CPU milliseconds since the last time, and as a share of one core."""
        if not self.account():
            return 0, 0.0
        try:
            self._shown.update(self._cgroup, self._usage)
            self.notices.after(self._usage)
        except OSError:
            traceback.print_exc()
        elapsed, self._read_ms = self._usage.wall_ms - self._read_ms, self._usage.wall_ms
        spent, self._read_cpu_ms = self._usage.cpu_ms - self._read_cpu_ms, self._usage.cpu_ms
        return spent, spent / elapsed if elapsed else 0.0

    def account(self) -> bool:
        """Read the accounts and no more; False where the kernel refuses, and the next reading has to do."""
        before = self._usage
        try:
            processes = self._cgroup.processes()
            self._transferred = self._transferred.after(look(processes))
            totals = self._transferred.read, self._transferred.written
            usage = self._cgroup.usage(before, self._wall_ms(), totals)
            usage = self._gpus.read(usage, frozenset(processes), self._wall_ms(), self.notices.end_for_gpu_memory)
            self._usage = account.added(usage, before, self._directory)
        except OSError:
            traceback.print_exc()
            return False
        self.peak.seen(self._usage.memory_kib)
        self._write_account()
        self._read_kib = self._usage.memory_kib
        return True

    def _write_account(self) -> None:
        with contextlib.suppress(OSError):  # the disk was full when the file was made: it is only for accidents
            self._account.write(self.usage)

    def _wall_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)
