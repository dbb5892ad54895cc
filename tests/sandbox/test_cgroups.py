"""Control groups read and written as files: both versions, on a tree made for the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.jail.cgroups import Cgroup, Gauges
from sandbox.jail.seen import Readings
from sandbox.runner.children import RESERVED_TASKS
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
    second.open_reserve(SLOTS, True)
    assert (folder / "pids.max").read_text() == str(64 + RESERVED_TASKS)
    second.open_reserve(SLOTS, False)
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


def test_the_gauges_show_what_is_there_now(first: Cgroup, second: Cgroup):
    for group, cpu in ((first, "cpuacct/cpuacct.usage"), (second, "cpu/cpu.stat")):
        gauges = Gauges(group)
        assert (gauges.cpu_ms(), gauges.memory_kib()) == (1234, 8 * 1024)
        controller, file = cpu.split("/")
        text = "usage_usec 2000000\nuser_usec 1\n" if group.version == 2 else "2000000000\n"
        (group.paths[controller] / file).write_text(text)
        assert gauges.cpu_ms() == 2000


def test_totals_never_fall(second: Cgroup):
    before = Usage(cpu_ms=9999, wall_ms=5000, bytes_written=7, memory_peak_kib=99999)
    after = second.usage(before, 4000)
    assert (after.cpu_ms, after.wall_ms, after.bytes_written, after.memory_peak_kib) == (9999, 5000, 7, 99999)


def test_removing_what_is_gone_is_no_error(tmp_path: Path):
    group = Cgroup(2, {"memory": tmp_path / "never"})
    assert group.remove()
    assert group.processes() == []


def group(folder: Path, version: int) -> Cgroup:
    """With every optional controller."""
    if version == 2:
        return Cgroup(2, dict.fromkeys(("cpu", "memory", "pids", "io", "cpuset"), folder))
    return Cgroup(1, {name: folder / name for name in ("cpu", "cpuacct", "memory", "pids", "cpuset", "blkio")})


def test_cores_and_transfers_are_limited_in_version_2(tmp_path: Path):
    group(tmp_path / "id", 2).create(SLOTS, [0, 1, 5], "8:0")
    assert (tmp_path / "id" / "cpuset.cpus").read_text() == "0-1,5"
    fields = (tmp_path / "id" / "io.max").read_text().split()
    assert fields[0] == "8:0"
    assert {field.partition("=")[0] for field in fields[1:]} == {"rbps", "wbps", "riops", "wiops"}


def test_cores_and_transfers_are_limited_in_version_1(tmp_path: Path):
    (tmp_path / "cpuset").mkdir()
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    group(tmp_path, 1).create(SLOTS, [3], "8:0")
    assert (tmp_path / "cpuset" / "cpuset.cpus").read_text() == "3"
    assert (tmp_path / "blkio" / "blkio.throttle.write_bps_device").read_text().startswith("8:0 ")


def test_without_the_optional_controllers_it_goes_on(second: Cgroup):
    second.create(SLOTS, [0], "8:0")
    assert not (second.paths["cpu"] / "cpuset.cpus").exists()
    assert not (second.paths["cpu"] / "io.max").exists()


def test_both_versions_give_the_readings_that_are_shown(first: Cgroup, second: Cgroup):
    (second.paths["memory"] / "memory.stat").write_text("anon 5\nfile 7\ninactive_file 3\nshmem 2\n")
    (second.paths["cpu"] / "cpu.stat").write_text("usage_usec 9\nuser_usec 1500000\nsystem_usec 20000\n")
    text = "cache 1\ntotal_cache 7\ntotal_inactive_file 3\ntotal_shmem 2\n"
    (first.paths["memory"] / "memory.stat").write_text(text)
    (first.paths["cpuacct"] / "cpuacct.stat").write_text("user 150\nsystem 2\n")
    usage = Usage(memory_kib=4, wall_ms=2500, processes=3)
    expected = Readings(4096, 7, 3, 2, 1500, 20, 2.5, 3)
    assert [one.readings(usage) for one in (first, second)] == [expected, expected]


def test_the_larger_of_the_two_accounts_of_transfers_counts(tmp_path: Path):
    folder = tmp_path / "id"
    one = group(folder, 2)
    one.create(SLOTS)
    files = {"cpu.stat": "usage_usec 1\n", "memory.current": "1\n", "pids.current": "1\n"}
    for name, text in (files | {"io.stat": "8:0 rbytes=100 wbytes=700 rios=1\n7:0 rbytes=5 wbytes=5\n"}).items():
        (folder / name).write_text(text)
    usage = one.usage(Usage(), 1000, (300, 400))
    assert (usage.bytes_read, usage.bytes_written) == (300, 700)
