"""Whether a program waits for what is typed: real programs that read in each way there is."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from sandbox.runner import waiting
from sandbox.runner.keyboard import Keyboard
from tests.until import until

pytestmark = pytest.mark.skipif(not waiting.can_know(), reason="this machine's kernel does not tell")

READS = {
    "read": "import os; os.read(0, 10)",
    "readv": "import os; os.readv(0, [bytearray(10)])",
    "another descriptor": "import os; os.read(os.dup(0), 10)",
    "a thread": "import os, threading; threading.Thread(target=os.read, args=(0, 10)).start()",
    "poll": "import select; p = select.poll(); p.register(0, select.POLLIN); p.poll()",
    "select": "import select; select.select([0], [], [])",
    "epoll": "import select; e = select.epoll(); e.register(0, select.EPOLLIN); e.poll()",
    "a child": "import subprocess; subprocess.run(['cat'])",
}
DOES_NOT = {
    "sleep": "import time; time.sleep(60)",
    "another pipe": "import os; os.read(os.pipe()[0], 10)",
    "poll another pipe": "import os, select; p = select.poll(); p.register(os.pipe()[0], 1); p.poll()",
}


@pytest.mark.parametrize("way", READS)
async def test_a_program_that_waits_is_seen_until_it_has_its_line(way: str):
    keyboard = Keyboard()
    keyboard.begin()
    with keyboard.reader() as stdin:
        program = subprocess.Popen([sys.executable, "-c", READS[way]], stdin=stdin, stdout=subprocess.DEVNULL)
    await until(keyboard.waited_for)
    await keyboard.write("line\n")
    assert not keyboard.waited_for() or way == "a child"  # which asks for the next one
    keyboard.close()
    assert await asyncio.to_thread(program.wait, 20) == 0
    keyboard.end()


@pytest.mark.parametrize("way", DOES_NOT)
async def test_a_program_that_does_not_is_not(way: str):
    keyboard = Keyboard()
    keyboard.begin()
    code = f"print('begun', flush=True); {DOES_NOT[way]}"
    with keyboard.reader() as stdin:
        program = subprocess.Popen([sys.executable, "-c", code], stdin=stdin, stdout=subprocess.PIPE)
    assert program.stdout is not None
    await asyncio.to_thread(program.stdout.readline)
    for _ in range(20):
        assert not keyboard.waited_for()
        await asyncio.sleep(0.01)
    program.kill()
    program.communicate()
    keyboard.end()


async def reads(keyboard: Keyboard) -> str:
    """What a program finds that reads once."""
    with keyboard.reader() as stdin:
        command = [sys.executable, "-c", "import os; print(os.read(0, 99).decode(), end='')"]
        return await asyncio.to_thread(subprocess.check_output, command, stdin=stdin, text=True, timeout=20)


async def test_input_ends_with_a_cell_and_begins_again_with_the_next():
    keyboard = Keyboard()
    assert await reads(keyboard) == ""
    keyboard.begin()
    await keyboard.write("not read\n")
    keyboard.end()
    assert await reads(keyboard) == ""
    keyboard.begin()
    await keyboard.write("one\n")
    assert await reads(keyboard) == "one\n"
    keyboard.close()
    assert await reads(keyboard) == ""
    keyboard.end()
