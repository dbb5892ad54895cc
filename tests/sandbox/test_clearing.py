"""One run after another in the same real sandbox: nothing of the first is left for the second."""

from __future__ import annotations

import asyncio
import json

import pytest

from sandbox.drivers import Cleared
from sandbox.runner.run import pack_file
from sandbox.runner.wire import Client
from sandbox.slots import Slots
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

WAITING = ["python", "main.py"]
LIMITS = {"time_s": 20, "cpu_s": 20, "output": 1 << 20}


class Bench:
    """One sandbox for many runs."""

    def __init__(self, lab: Lab, id: str, client: Client) -> None:
        self.lab, self.id, self.client = lab, id, client
        self.step: dict[str, object] = {}

    @classmethod
    async def of(cls, lab: Lab, slots: Slots | None = None) -> Bench:
        id = await lab.start(slots, hostname="run")
        return cls(lab, id, await lab.client(id))

    async def run(self, text: str, program: list[str] = WAITING) -> str:
        """Run a program; returns what it said."""
        await self.lab.driver.mark(self.id)
        stream = await self.client.open("run.start", build="", command="python main.py", program=program, **LIMITS)
        await stream.write(pack_file("main.py", text.encode()))
        await stream.write(b"g")
        await stream.write(b"e")
        said = ""
        async for _, record in stream:
            if record[:1] in b"12":
                said += record[1:].decode()
            elif record[:1] == b"s":
                self.step = json.loads(record[1:])
        assert stream.end == ""
        return said

    async def clear(self) -> Cleared:
        return await self.lab.driver.clear(self.id)


LEAVE = """
import os, subprocess, sys, socket
for folder in ("/tmp", "/dev/shm", "/run", os.path.expanduser("~"), os.path.expanduser("~/.local/bin")):
    os.makedirs(f"{folder}/left/deep/er"); open(f"{folder}/left/deep/file", "w").write("x" * 1000)
    os.symlink("/etc/passwd", f"{folder}/left/link"); os.chmod(f"{folder}/left/deep", 0)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
socket.socket(socket.AF_UNIX).bind("\\0name")
open("/dev/mqueue/queue", "w")
print(os.getcwd())
"""
LOOK = """
import os, sys
homes = ("/tmp", "/dev/shm", "/run", "/dev/mqueue", os.path.expanduser("~"), os.path.expanduser("~/.local/bin"))
print([name for folder in homes for name in os.listdir(folder) if "left" in name or "queue" in name])
names = [open(f"/proc/{pid}/comm").read().strip() for pid in os.listdir("/proc") if pid.isdigit()]
print("sleep" in names, sorted(os.listdir(".")), os.getcwd())
"""


async def test_the_next_run_finds_nothing_of_the_last(lab: Lab) -> None:
    bench = await Bench.of(lab)
    where = (await bench.run(LEAVE)).strip()
    assert (await bench.clear()).clean
    assert await bench.run(LOOK) == f"[]\nFalse ['main.py'] {where}\n"
    assert (await bench.clear()).clean


async def test_a_run_is_accounted_for_by_itself(lab: Lab) -> None:
    bench = await Bench.of(lab)
    burn = (
        "import time\nkept = bytearray(200 << 20)\nt = time.process_time()\nwhile time.process_time() - t < 0.5: pass"
    )
    before = await lab.driver.mark(bench.id)
    await bench.run(burn)
    large = await bench.clear()
    assert large.usage.since(before).cpu_ms >= 500
    assert large.peak_kib > 200 << 10
    before = await lab.driver.mark(bench.id)
    await bench.run("print('small')")
    small = await bench.clear()
    assert 0 < small.usage.since(before).cpu_ms < 400
    assert small.peak_kib < 100 << 10, "the most memory is that of this run alone"
    assert small.usage.memory_peak_kib > 200 << 10, "and the session's is that of all"
    assert int(str(bench.step["peak_kib"])) < 25_000


@pytest.mark.parametrize(
    "text",
    [
        "import ctypes; ctypes.CDLL(None).ptrace(16, 1, 0, 0)",
        "import ctypes; assert ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0",
        "import os; open(os.path.expanduser('~/.bashrc'), 'a').write('echo me too')",
        "import os; os.unlink(os.path.expanduser('~/.local/bin/python'))",
        "import os; os.chmod(os.path.expanduser('~'), 0o500)",
        "for n in range(5000): open(f'/tmp/{n}', 'w')",
    ],
)
async def test_a_sandbox_that_is_not_as_it_was_is_told_so(lab: Lab, text: str) -> None:
    bench = await Bench.of(lab)
    await bench.run(text)
    assert not (await bench.clear()).clean


async def test_out_of_memory_is_told_so(lab: Lab) -> None:
    bench = await Bench.of(lab, Slots(memory=192 << 20))
    await bench.run("kept = []\nwhile True: kept.append(bytearray(1 << 24))")
    assert bench.step["cause"] == "memory_limit"
    assert not (await bench.clear()).clean


async def test_what_waits_is_out_of_a_programs_reach(lab: Lab) -> None:
    bench = await Bench.of(lab)
    find = "import os\npids = [int(p) for p in os.listdir('/proc') if p.isdigit()]\n"
    waits = int(await bench.run(find + "print(max(pid for pid in pids if pid not in (1, os.getpid())))"))
    assert (await bench.clear()).clean
    grasp = (
        "import os, resource\n"
        f"waits = {waits}\n"
        "def refused(what, *given):\n"
        "    try: what(*given)\n"
        "    except OSError: return True\n"
        "    return False\n"
        "print(refused(open, f'/proc/{waits}/mem', 'r+b'), refused(os.listdir, f'/proc/{waits}/fd'),"
        " refused(resource.prlimit, waits, resource.RLIMIT_CPU, (1, 1)), refused(os.sched_setaffinity, waits, {0}),"
        " refused(os.setpriority, os.PRIO_PROCESS, waits, 5), refused(os.setpriority, os.PRIO_PGRP, waits, 5))"
    )
    assert await bench.run(grasp) == "True " * 5 + "True\n"
    assert not (await bench.clear()).clean, "and who tries leaves the sandbox to nobody"


async def test_who_asks_for_an_earlier_run_is_told_that_it_is_over(lab: Lab) -> None:
    bench = await Bench.of(lab)
    asking = asyncio.create_task(bench.client.open("run.attach", id="other"))
    await bench.run("print('hello')")
    await bench.clear()
    with pytest.raises(Exception, match="over"):
        await asking
