"""Granted is what is seen: the texts, as pure functions, and what programs make of them in real sandboxes."""

from __future__ import annotations

import os
import re
import shutil
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jail import seen
from sandbox.jail.cgroups import parent_groups
from sandbox.jail.seen import Load, Readings
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Inside, Lab

jail = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

cores = st.lists(st.integers(0, 300), min_size=1, max_size=20, unique=True).map(sorted)
amounts = st.integers(0, 1 << 44)
readings = st.builds(
    Readings, amounts, amounts, amounts, amounts, amounts, amounts, st.floats(0, 1e9), st.integers(0, 10**5)
)
CPUINFO = "".join(
    f"processor\t: {n}\nmodel name\t: Chip\nsiblings\t: 64\ncpu cores\t: 32\nflags\t\t: fpu\n\n" for n in range(301)
)


def parse_ranges(text: str) -> list[int]:
    found: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@given(cores)
def test_a_list_of_cores_is_as_the_kernel_writes_it(chosen: list[int]):
    assert parse_ranges(seen.ranges(chosen)) == chosen


@given(cores)
def test_only_the_granted_cores_are_in_cpuinfo(chosen: list[int]):
    text = seen.cpuinfo(CPUINFO, chosen)
    assert [int(n) for n in re.findall(r"^processor\s*: (\d+)", text, re.M)] == chosen
    assert set(re.findall(r"^(?:siblings|cpu cores)\s*: (\d+)", text, re.M)) == {str(len(chosen))}
    assert text.count("flags") == len(chosen)


def test_what_belongs_to_no_core_stays_in_cpuinfo():
    assert "Hardware : Board" in seen.cpuinfo("processor : 0\n\nprocessor : 1\n\nHardware : Board\n", [1])


@given(cores)
def test_the_folder_of_cores_lists_them_and_holds_them(chosen: list[int]):
    files = seen.cpu_files(chosen)
    for name in "online", "possible", "present":
        assert parse_ranges(files[f"{seen.CPU_FOLDER}/{name}"]) == chosen
    assert {int(n) for path in files for n in re.findall(r"/cpu(\d+)/", path)} == set(chosen)
    mask = files[f"{seen.CPU_FOLDER}/cpu{chosen[0]}/topology/core_siblings"].strip()
    assert all(len(word) == 8 for word in mask.split(","))
    assert int(mask.replace(",", ""), 16) == sum(1 << core for core in chosen)


@given(st.floats(0.01, 400), st.lists(st.integers(0, 500), min_size=1, max_size=64, unique=True), st.data())
def test_the_least_taken_cores_are_chosen(cpu: float, offered: list[int], data: st.DataObject):
    taken = {core: data.draw(st.integers(0, 5)) for core in offered}
    chosen = seen.choose_cores(cpu, offered, taken)
    assert len(chosen) == len(set(chosen)) == min(len(offered), max(1, -int(-cpu // 1)))
    assert set(chosen) <= set(offered)
    left = [taken[core] for core in set(offered) - set(chosen)]
    assert not left or max(taken[core] for core in chosen) <= min(left)


def test_sandboxes_are_spread_over_the_cores():
    taken: dict[int, int] = {}
    for _ in range(12):
        for core in seen.choose_cores(1, range(4), taken):
            taken[core] = taken.get(core, 0) + 1
    assert taken == {0: 3, 1: 3, 2: 3, 3: 3}


@given(st.integers(32 * MIB, 1 << 43), readings)
def test_memory_is_the_granted_and_its_text_has_one_size(limit: int, now: Readings):
    text = seen.meminfo(limit, now)
    values = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB$", text, re.M)}
    assert values["MemTotal"] == limit // 1024
    assert 0 <= values["MemFree"] <= values["MemAvailable"] <= values["MemTotal"]
    assert all(0 <= value <= values["MemTotal"] for value in values.values())
    assert len(text) == len(seen.meminfo(limit, Readings()))


@given(st.integers(32 * MIB, 1 << 43), readings)
def test_sysinfo_says_the_same_as_meminfo(limit: int, now: Readings):
    told = struct.unpack("@l3L6LHHLLI0l", seen.sysinfo(limit, now, seen.Load((0.5, 1e30, 0.0))))
    meminfo = dict(re.findall(r"(\w+): +(\d+) kB", seen.meminfo(limit, now)))
    assert [value // 1024 for value in told[4:7]] == [int(meminfo[name]) for name in ("MemTotal", "MemFree", "Shmem")]
    assert told[1] == 1 << 15 and told[-1] == 1


@given(cores, st.lists(st.tuples(st.integers(-9, 900), st.integers(-9, 90), st.floats(0.0, 2.0)), max_size=20))
def test_no_number_in_stat_falls_and_its_text_never_shrinks(chosen: list[int], steps: list[tuple[int, int, float]]):
    now, shown = Readings(), Readings()
    before, size = [[0] * 10] * (len(chosen) + 1), 0
    for user, system, seconds in steps:
        now = Readings(user_ms=now.user_ms + user, system_ms=now.system_ms + system, seconds=now.seconds + seconds)
        shown = seen.after(shown, now, len(chosen))
        text = seen.stat(1_000, chosen, shown)
        rows = [line.split() for line in text.splitlines() if line.startswith("cpu")]
        assert [row[0] for row in rows] == ["cpu", *(f"cpu{core}" for core in chosen)]
        numbers = [[int(number) for number in row[1:]] for row in rows]
        assert [sum(column) for column in zip(*numbers[1:], strict=True)] == numbers[0]
        for row, former in zip(numbers, before, strict=True):
            assert all(new >= old for new, old in zip(row, former, strict=True))
        assert len(text) >= size
        before, size = numbers, len(text)


@given(st.lists(st.tuples(st.floats(0, 64), st.floats(0.1, 100)), max_size=30))
def test_load_is_between_what_was_and_what_is(steps: list[tuple[float, float]]):
    load = Load()
    for busy, seconds in steps:
        after = load.after(busy, seconds)
        for old, new in zip(load.means, after.means, strict=True):
            assert min(old, busy) - 1e-6 <= new <= max(old, busy) + 1e-6
        load = after
    assert len(load.text(7)) == 48


# In real sandboxes

SEES = {
    "nproc": ("nproc", r"^(\d+)$"),
    "online": ("getconf _NPROCESSORS_ONLN", r"^(\d+)$"),
    "configured": ("getconf _NPROCESSORS_CONF", r"^(\d+)$"),
    "cpuinfo": ("grep -c ^processor /proc/cpuinfo", r"^(\d+)$"),
    "stat": ("grep -c '^cpu[0-9]' /proc/stat", r"^(\d+)$"),
    "folder": ("ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l", r"^(\d+)$"),
    "lscpu": ("LC_ALL=C lscpu", r"^CPU\(s\):\s+(\d+)$"),
    "node": ("node -p 'os.cpus().length'", r"^(\d+)$"),
    "node, offered": ("node -p 'os.availableParallelism()'", r"^(\d+)$"),
    "java": ("java -XshowSettings:system -version 2>&1; java -version 2>&1", r"Effective CPU Count: (\d+)"),
    "go": (
        "cd /tmp && printf 'package main\nimport \"runtime\"\nfunc main() { println(runtime.NumCPU()) }' > n.go && "
        "GOCACHE=/tmp/go go run n.go 2>&1",
        r"^(\d+)$",
    ),
}
PATH = f"{os.defpath}:/usr/local/bin"
TOOLS = [
    name
    for name, (command, _) in SEES.items()
    if shutil.which(name.split(",")[0], path=PATH) or name in ("online", "configured", "cpuinfo", "stat", "folder")
]
granted = pytest.mark.parametrize("cpu", [1, 2])
HOST = len(os.sched_getaffinity(0))


async def shell(inside: Inside, command: str) -> str:
    return await inside.run(
        f"import subprocess; print(subprocess.run({command!r}, shell=True, "
        "stdout=-1, stderr=-2, text=True).stdout, end='')"
    )


@pytest.fixture
def slots(cpu: int) -> Slots:
    return Slots(cpu=cpu, memory=1024 * MIB)


class TestInside:
    pytestmark = jail

    @granted
    async def test_every_tool_that_is_there_counts_the_granted_cores(self, lab: Lab, slots: Slots):
        inside = await lab.kernel(await lab.start(slots))
        expected = min(int(slots.cpu), HOST)
        for tool in TOOLS:
            command, pattern = SEES[tool]
            said = await shell(inside, command)
            found = re.search(pattern, said, re.MULTILINE)
            assert found, f"{tool}: {said}"
            assert int(found[1]) == expected, tool

    async def test_half_a_core_is_seen_as_one(self, lab: Lab):
        inside = await lab.kernel(await lab.start(Slots(cpu=0.5, memory=256 * MIB)))
        said = await inside.run("import os; print(os.cpu_count(), len(os.sched_getaffinity(0)))")
        assert said == "1 1\n"

    @granted
    async def test_a_matrix_product_uses_no_more_threads_than_cores(self, lab: Lab, slots: Slots):
        inside = await lab.kernel(await lab.start(slots))
        said = await inside.run(
            "import ctypes, glob, numpy, os\n"
            "library = ctypes.CDLL(glob.glob(os.path.dirname(numpy.__file__) + '.libs/*openblas*')[0])\n"
            "before = len(os.listdir('/proc/self/task'))\na = numpy.random.rand(900, 900); b = a @ a\n"
            "print(len(os.listdir('/proc/self/task')) - before, library.scipy_openblas_get_num_threads64_())"
        )
        assert said == f"0 {min(int(slots.cpu), HOST)}\n"

    @granted
    async def test_a_program_of_its_own_starts_a_thread_for_each_core(self, lab: Lab, slots: Slots):
        inside = await lab.kernel(await lab.start(slots))
        program = "import numpy, os; a = numpy.ones((500, 500)); a @ a; print(len(os.listdir('/proc/self/task')))"
        assert await shell(inside, f'python -c "{program}"') == f"{min(int(slots.cpu), HOST)}\n"

    async def test_free_and_top_show_the_granted_memory_and_follow_it(self, lab: Lab):
        id = await lab.start(Slots(memory=512 * MIB))
        inside = await lab.kernel(id)
        rows = await shell(inside, "free -b")
        assert int(rows.splitlines()[1].split()[1]) == 512 * MIB
        assert "512.0 total" in await shell(inside, "top -bn1 -w 200")
        free = "def free(): return int(open('/proc/meminfo').read().split('MemFree:')[1].split()[0]) >> 10\n"
        before = int(await inside.run(f"{free}print(free())"))
        await inside.run("held = bytearray(b'x') * (200 << 20)")
        await lab.sample(id, 3)
        assert int(await inside.run("print(free())")) < before - 150
        await inside.run("del held")
        await lab.sample(id, 3)
        assert int(await inside.run("print(free())")) > before - 50

    @pytest.mark.parametrize("policy", ["default", "strict"])
    async def test_sysinfo_tells_the_granted_memory_and_the_sandboxs_own_clock(self, lab: Lab, policy: str):
        inside = await lab.kernel(await lab.start(Slots(memory=512 * MIB), policy=policy))
        said = await inside.run(
            "import ctypes, os, struct\nprint(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20)\n"
            "libc = ctypes.CDLL(None)\ntold = ctypes.create_string_buffer(b'?' * 128, 128)\n"
            "print(libc.sysinfo(told), told.raw[112:] == b'?' * 16)\n"
            "uptime, *_ = struct.unpack_from('l', told)\n"
            "print(abs(uptime - float(open('/proc/uptime').read().split()[0])) < 2)\n"
            "print(libc.sysinfo(None), libc.sysinfo(ctypes.c_void_p(-8)))"
        )
        assert said == "512\n0 True\nTrue\n-1 -1\n"

    async def test_top_sees_what_computes(self, lab: Lab):
        id = await lab.start(Slots(cpu=1, memory=256 * MIB))
        inside = await lab.kernel(id)
        times = "def times(): return [int(n) for n in open('/proc/stat').readline().split()[1:5]]\n"
        before = eval(await inside.run(f"{times}print(times())"))
        await inside.run("import time\nend = time.process_time() + 1.0\nwhile time.process_time() < end: pass")
        await lab.sample(id, 3)
        after = eval(await inside.run("print(times())"))
        assert sum(after[:3]) - sum(before[:3]) >= 90
        assert after[3] > before[3]
        assert float(await inside.run("print(open('/proc/loadavg').read().split()[0])")) > 0

    async def test_the_clock_of_the_machine_began_with_the_sandbox(self, lab: Lab):
        inside = await lab.kernel(await lab.start(Slots(memory=256 * MIB)))
        said = await inside.run("print(float(open('/proc/uptime').read().split()[0]))")
        assert 0 <= float(said) < 600
        assert await shell(inside, "ps -o etimes= -p 1 | tr -d ' '") in {f"{n}\n" for n in range(600)}

    async def test_java_and_others_find_the_limits_in_their_own_cgroup(self, lab: Lab):
        inside = await lab.kernel(await lab.start(Slots(cpu=1, memory=384 * MIB)))
        said = await shell(inside, "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes")
        assert str(384 * MIB) in said
        if shutil.which("java", path=PATH):
            said = await shell(inside, "java -XX:+PrintFlagsFinal -version 2>&1")
            heap = re.search(r"MaxHeapSize\s*=\s*(\d+)", said)
            assert heap and int(heap[1]) <= 192 * MIB, said
        if shutil.which("node", path=PATH):
            assert await shell(inside, "node -p 'os.totalmem() >> 20'") == "384\n"
            assert await shell(inside, "node -p 'process.constrainedMemory() / 1048576'") == "384\n"

    async def test_what_is_shown_cannot_be_changed_and_cores_cannot_be_added(self, lab: Lab):
        inside = await lab.kernel(await lab.start(Slots(cpu=1, memory=256 * MIB)))
        for path in (
            "/proc/meminfo",
            "/proc/stat",
            "/sys/devices/system/cpu/online",
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/cpu/cgroup.procs",
        ):
            said = await shell(inside, f"(echo 1 > {path}) 2>&1; (rm {path}) 2>&1; (chmod 777 {path}) 2>&1")
            assert said.count("\n") == 3, said
        widened = await inside.run(
            f"import os\ntry: os.sched_setaffinity(0, range({os.cpu_count()}))\nexcept OSError as error: pass\n"
            "print(len(os.sched_getaffinity(0)))"
        )
        if "cpuset" in parent_groups()[1]:
            assert widened == "1\n"
        await inside.run(  # and whatever cores it has: the quota counts the time on all of them
            "import subprocess, sys, time\nburn = 'while True: pass'\nbegan = time.monotonic(), sum(os.times()[:4])\n"
            "hogs = [subprocess.Popen([sys.executable, '-c', burn]) for _ in range(4)]\ntime.sleep(2)\n"
            "for hog in hogs: hog.kill(); hog.wait()\n"
            "used = (sum(os.times()[:4]) - began[1]) / (time.monotonic() - began[0])"
        )
        assert float(await inside.run("print(used)")) < 1.2
