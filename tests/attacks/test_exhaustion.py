"""Exhaustion: bombs of every kind, as real programs in a real session, beside a neighbour that must not notice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.drivers import Exit, Sample
from sandbox.runner.children import RESERVED_TASKS
from sandbox.runner.wire import CallError
from sandbox.slots import MIB
from tests.attacks.conftest import SLOTS, House

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

# Programs that each try to use something up for good, and go on when it is.
FORK = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0:
            continue
    except OSError:
        time.sleep(0.01)
"""
THREADS = """
import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=(999,)).start()
    except RuntimeError: time.sleep(0.1)
"""
MEMORY = "held = []\nwhile True: held.append(bytearray(b'x') * (8 << 20))"
TMPFS = """
import itertools, os, time
full = set()
for n in itertools.count():
    for folder in '/tmp', '/dev/shm', os.path.expanduser('~'):
        try:
            with open(f'{folder}/f{n}', 'wb') as f: f.write(bytes(1 << 20))
        except OSError:
            time.sleep(0.01)
"""
INODES = """
import itertools, time
for n in itertools.count():
    try: open(f'/tmp/i{n}', 'w').close()
    except OSError: time.sleep(0.01)
"""
PAGE_CACHE = """
import os
while True:
    with open('big', 'wb') as f:
        for _ in range(40): f.write(os.urandom(1 << 20))
    for n in range(8):
        with open(f'hole{n}', 'w+b') as f:
            f.truncate(60 << 20)
            while f.read(1 << 20): pass
"""
DESCRIPTORS = """
import os, socket, time
held = []
while True:
    try: held.append((os.pipe(), socket.socketpair(), os.open('/dev/null', 0), os.eventfd(0)))
    except OSError:
        try: os.fork()
        except OSError: time.sleep(0.1)
"""
TERMINALS = """
import os, time
held = []
while True:
    try: held.append(os.openpty())
    except OSError: time.sleep(0.1)
"""
LOOPS = "import os\nfor _ in range(8): os.fork()\nwhile True: pass"
HIDING = """
import os, signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
for _ in range(12):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(0.01)
        os._exit(0)
time.sleep(999)
"""
DISK = """
import itertools, os, time
block = os.urandom(1 << 20)
for n in itertools.count():
    try:
        with open(f'd{n}', 'wb') as f: f.write(block)
    except OSError: time.sleep(0.01)
"""
BOMBS = {
    "forks": FORK,
    "threads": THREADS,
    "memory": MEMORY,
    "tmpfs": TMPFS,
    "inodes": INODES,
    "page cache": PAGE_CACHE,
    "descriptors": DESCRIPTORS,
    "terminals": TERMINALS,
    "tight loops": LOOPS,
    "hiding processes": HIDING,
    "disk": DISK,
}


def _full_table(sample: Sample) -> bool:
    return sample.notice == "processes_full"


# How each is known to have got what it was after: seen in a sample, or asked inside.
REACHED: dict[str, Callable[[Sample], bool] | str] = {
    "forks": _full_table,
    "threads": _full_table,
    "memory": lambda sample: sample.notice == "memory_full",
    "tmpfs": "os.statvfs('/tmp').f_bavail < 256",
    "inodes": "os.statvfs('/tmp').f_favail == 0",
    "page cache": lambda sample: sample.usage.memory_peak_kib > SLOTS.memory * 0.95 / 1024,
    "descriptors": "len(os.listdir(f'/proc/{bomb.pid}/fd')) > os.sysconf('SC_OPEN_MAX') - 16",
    "terminals": "len(os.listdir('/dev/pts')) >= 256",
    "tight loops": lambda sample: sample.usage.processes > 8 and sample.usage.cpu_ms > 1000,
    "hiding processes": lambda sample: sample.usage.processes > 12,
    "disk": lambda sample: sample.notice == "disk_full",
}


async def reached(house: House, wanted: Callable[[Sample], bool] | str) -> None:
    async with asyncio.timeout(60):
        if isinstance(wanted, str):
            while await house.attacker.run(f"import os; print({wanted})") != "True\n":
                await asyncio.sleep(0.1)
            return
        async for event in house.lab.driver.events(house.id):
            assert not isinstance(event, Exit), event
            if isinstance(event, Sample) and wanted(event):
                return


async def start(house: House, program: str) -> None:
    """Run ``program`` in the attacked session, in a process of its own, and do not wait for it."""
    await house.attacker.run(
        "import subprocess, sys\n"
        f"bomb = subprocess.Popen([sys.executable, '-c', {program!r}], stdout=-3, stderr=-3, start_new_session=True)"
    )


async def samples(house: House, number: int) -> list[Sample]:
    """The next ``number`` samples of the attacked session; fewer where it ends."""
    found: list[Sample] = []
    async for event in house.lab.driver.events(house.id):
        if isinstance(event, Exit):
            assert event.reason == "out_of_memory", event
            assert event.detail
            return found
        if isinstance(event, Sample):
            found.append(event)
        if len(found) == number:
            break
    return found


async def until(house: House, notice: str) -> Sample:
    async with asyncio.timeout(60):
        async for event in house.lab.driver.events(house.id):
            assert not isinstance(event, Exit), event
            if isinstance(event, Sample) and event.notice == notice:
                return event
    raise AssertionError("the events ended")


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_stays_in_its_session(house: House, bomb: str):
    """It gets as far as it can and no further; neighbour and runner answer, and nothing is left (the fixture looks)."""
    await start(house, BOMBS[bomb])
    await reached(house, REACHED[bomb])
    await house.neighbour_answers()
    for sample in await samples(house, 2):
        assert sample.usage.memory_kib <= SLOTS.memory // 1024
        assert sample.usage.processes <= SLOTS.processes + RESERVED_TASKS
    await house.neighbour_answers()
    assert await house.runner_answers() == []


async def test_with_a_full_process_table_a_terminal_opens_and_can_end_them_all(house: House):
    await start(house, FORK)
    sample = await until(house, "processes_full")
    assert str(SLOTS.processes) in sample.detail
    client = await house.lab.client(house.id)
    await client.call("terminal.start", name="1")
    stream = await client.open("terminal.attach", name="1", since=0)
    await stream.write(b"kill -9 -1\n")  # a word of the shell's own: nothing is started for it
    await until(house, "")
    said = b""
    await client.call("terminal.start", name="2")
    stream = await client.open("terminal.attach", name="2", since=0)
    await stream.write(b"echo alive and we''ll\n")
    async for _, payload in stream:
        said += payload
        if b"alive and well" in said:
            break


async def test_when_not_even_the_reserve_is_left_a_terminal_is_refused_with_a_reason(house: House):
    await start(house, FORK)
    await until(house, "processes_full")
    client = await house.lab.client(house.id)

    async def open_terminals() -> None:
        for number in range(32):
            await client.call("terminal.start", name=str(number))

    with pytest.raises(CallError, match="as many processes as it may") as refused:
        await open_terminals()
    assert refused.value.code == "failed"
    assert await house.runner_answers()


async def test_the_kernel_ends_the_programs_of_a_full_memory_not_the_runner(house: House):
    await start(house, MEMORY)
    sample = await until(house, "memory_full")
    assert "memory" in sample.detail
    assert await house.runner_answers() == []
    assert await house.attacker.run("print('still here')") == "still here\n"


async def test_full_temporary_folders_leave_memory_and_say_so(house: House):
    said = await house.attacker.run(
        "import os\nfree = os.statvfs('/tmp')\nprint(free.f_blocks * free.f_frsize, free.f_files)\n"
        "seen = {os.stat(path).st_dev for path in ('/tmp', '/dev/shm', os.path.expanduser('~'))}\nprint(len(seen))\n"
        "try:\n    with open('/tmp/all', 'wb') as f:\n        while True: f.write(bytes(1 << 20))\n"
        "except OSError as error: print(error.strerror)"
    )
    size, inodes, places, reason = said.split(maxsplit=3)
    assert int(size) <= SLOTS.memory // 2
    assert 0 < int(inodes) < 100_000
    assert (places, reason.strip()) == ("1", "No space left on device")
    assert (await samples(house, 2))[-1].usage.memory_kib > int(size) // 1024  # it is the session's own memory
    assert await house.attacker.run("held = bytearray(b'x') * (30 << 20); print(len(held) >> 20)") == "30\n"


async def test_a_full_disk_says_so_and_files_can_be_listed_read_and_deleted_from_outside(house: House):
    await start(house, DISK)
    assert (await until(house, "disk_full")).detail
    project = house.lab.folder / "attacker"
    await house.neighbour_answers()
    written = sorted(project.glob("d*"))
    assert written
    assert all(os.path.getsize(path) <= MIB for path in written)
    assert written[0].read_bytes()
    await house.attacker.run("bomb.kill()")
    for path in project.glob("d*"):
        path.unlink()
    assert (await until(house, "")).detail == ""


async def test_a_huge_sparse_file_is_refused_and_takes_nothing(house: House):
    said = await house.attacker.run(
        "import os\ntry: os.truncate(os.open('sparse', os.O_CREAT | os.O_RDWR), 1 << 44)\n"
        "except OSError as error: print(error.strerror)\nprint(os.stat('sparse').st_blocks)"
    )
    assert said == "File too large\n0\n"


async def test_hard_links_of_a_file_do_not_fill_the_disk(house: House):
    said = await house.attacker.run(
        "import os\nopen('one', 'wb').write(bytes(8 << 20))\nfor n in range(100): os.link('one', f'again{n}')\nprint(1)"
    )
    assert said == "1\n"
    assert [sample.notice for sample in await samples(house, 3)] == ["", "", ""]


async def test_a_crash_leaves_no_core(house: House):
    said = await house.attacker.run(
        "import os, subprocess, sys\n"
        "print(subprocess.run([sys.executable, '-c', 'import os; os.abort()'], cwd='/tmp').returncode)\n"
        "print([name for place in ('.', '/tmp') for name in os.listdir(place) if 'core' in name])"
    )
    assert said == "-6\n[]\n"


async def test_a_flood_of_output_keeps_to_its_log(house: House):
    directory = house.lab.driver.runner_socket(house.id).parent
    free = os.statvfs(directory)
    await house.attacker.run("for n in range(1000): print('x' * (1 << 15), flush=True)")
    await house.neighbour_answers()
    now = os.statvfs(directory)
    assert (free.f_bfree - now.f_bfree) * now.f_frsize < 1024 * MIB
    assert sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file()) < 4 * MIB
