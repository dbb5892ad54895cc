"""Control groups read and written as files: both versions, on a tree made for the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.jail.cgroups import Cgroup
from sandbox.slots import MIB, Slots
from sandbox.usage import Usage

SLOTS = Slots(cpu=0.5, memory=256 * MIB, processes=64)


@pytest.fixture
def second(tmp_path: Path) -> Cgroup:
    group = Cgroup(2, dict.fromkeys(("cpu", "memory", "pids"), tmp_path / "madang" / "id"))
    group.create(SLOTS)
    files = {"cpu.stat": "usage_usec 1234567\nuser_usec 1\n", "memory.current": f"{8 * MIB}\n", "pids.current": "3\n"}
    files |= {"cgroup.procs": "", "memory.events": "low 0\noom 1\noom_kill 2\n"}
    for name, text in files.items():
        (tmp_path / "madang" / "id" / name).write_text(text)
    return group


@pytest.fixture
def first(tmp_path: Path) -> Cgroup:
    names = ("cpu", "cpuacct", "memory", "pids", "freezer")
    group = Cgroup(1, {name: tmp_path / name / "madang" / "id" for name in names})
    group.create(SLOTS)
    memory = {"memory.usage_in_bytes": str(8 * MIB), "memory.max_usage_in_bytes": str(9 * MIB), "cgroup.procs": ""}
    for name, text in (memory | {"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"}).items():
        (group.paths["memory"] / name).write_text(text)
    (group.paths["cpuacct"] / "cpuacct.usage").write_text("1234567890\n")
    (group.paths["pids"] / "pids.current").write_text("3\n")
    return group


def test_limits_of_version_2(second: Cgroup):
    folder = second.paths["cpu"]
    assert (folder / "cpu.max").read_text() == "50000 100000"
    assert (folder / "memory.max").read_text() == str(256 * MIB)
    assert (folder / "pids.max").read_text() == "64"


def test_limits_of_version_1(first: Cgroup):
    assert (first.paths["cpu"] / "cpu.cfs_quota_us").read_text() == "50000"
    assert (first.paths["memory"] / "memory.limit_in_bytes").read_text() == str(256 * MIB)


def test_both_versions_read_the_same_accounts(first: Cgroup, second: Cgroup):
    before = Usage(memory_kib=4096, wall_ms=1000, memory_peak_kib=5000)
    readings = [group.usage(before, 3000) for group in (first, second)]
    assert [reading.cpu_ms for reading in readings] == [1234, 1234]
    assert [reading.memory_kib for reading in readings] == [8192, 8192]
    assert [reading.memory_peak_kib for reading in readings] == [9216, 8192]  # memory.peak is not everywhere
    assert [reading.memory_kib_s for reading in readings] == [(4096 + 8192) * 2 // 2] * 2
    assert [reading.processes for reading in readings] == [3, 3]
    assert [group.out_of_memory_kills() for group in (first, second)] == [2, 2]


def test_totals_never_fall(second: Cgroup):
    before = Usage(cpu_ms=9999, wall_ms=5000, bytes_written=7, memory_peak_kib=99999)
    after = second.usage(before, 4000)
    assert (after.cpu_ms, after.wall_ms, after.bytes_written, after.memory_peak_kib) == (9999, 5000, 7, 99999)


def test_removing_what_is_gone_is_no_error(tmp_path: Path):
    group = Cgroup(2, {"memory": tmp_path / "never"})
    assert group.remove()
    assert group.processes() == []
