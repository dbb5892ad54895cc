"""The disk limit of a project: against every way to write, with nothing lost and deleting possible."""

from __future__ import annotations

import asyncio
import os

import pytest

from sandbox.drivers import Exit, Sample
from sandbox.room import measure
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Inside, Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

LIMIT = 64 * MIB
SLOTS = Slots(memory=512 * MIB, disk=LIMIT)
BLOCK = f"block = bytes({MIB})\n"
# What may be written between two looks is a matter of the disk; what holds is that it ends soon after.
OVERSHOOT = 2048 * MIB


def room(lab: Lab) -> int:
    fd = os.open(lab.folder / "project", os.O_RDONLY | os.O_DIRECTORY)
    try:
        return measure(fd).size
    finally:
        os.close(fd)


async def until(lab: Lab, id: str, notice: str) -> Sample:
    """The first sample with ``notice``."""
    async with asyncio.timeout(60):
        async for event in lab.driver.events(id):
            assert not isinstance(event, Exit), event
            if isinstance(event, Sample) and event.notice == notice:
                return event
    raise AssertionError("the events ended")


WAYS = {
    "many files": "n = 0\nwhile True:\n    n += 1\n    with open(f'f{n}', 'wb') as f: f.write(block)",
    "one file": "with open('big', 'wb', 0) as f:\n    while True: f.write(block)",
    "without a name": (
        "import os\nheld = [os.open('.', os.O_TMPFILE | os.O_RDWR) for _ in range(9)]\nn = 0\n"
        "while True:\n    n += 1\n    os.write(held[n % 9], block)"
    ),
    "deleted and mapped": (
        "import mmap, os\nmaps = []\nwhile True:\n    f = open('gone', 'w+b'); f.truncate(8 << 20)\n"
        "    maps.append(mmap.mmap(f.fileno(), 8 << 20)); f.close(); os.unlink('gone')\n"
        "    for n in range(8): maps[-1][n << 20:n + 1 << 20] = block"
    ),
    "holes filled through mmap": (
        "import mmap\nfiles = [open(f'h{n}', 'w+b') for n in range(40)]\nmaps = []\n"
        "for f in files: f.truncate(60 << 20); maps.append(mmap.mmap(f.fileno(), 60 << 20))\n"
        "for n in range(60):\n    for m in maps: m[n << 20:n + 1 << 20] = block"
    ),
    "a limit raised again": (
        "import resource, signal, time\nn = 0\nwhile True:\n    try:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)\n"
        "        n += 1\n        with open(f'r{n}', 'wb') as f: f.write(block)\n    except OSError: time.sleep(0.01)"
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_no_way_to_write_goes_on_beyond_the_limit(lab: Lab, way: str):
    id = await lab.start(SLOTS)
    inside = await lab.kernel(id)
    await inside.send(BLOCK + WAYS[way])
    sample = await until(lab, id, "disk_full")
    assert "MiB" in sample.detail
    sizes = [room(lab)]
    async with asyncio.timeout(60):  # on a slow machine the mount is sealed later
        while sizes[-3:] != sizes[-1:] * 3:
            await lab.sample(id, 2)
            sizes.append(room(lab))
    assert sizes[-1] < LIMIT + OVERSHOOT


async def test_a_writer_gets_an_error_and_a_terminal_can_delete(lab: Lab):
    id = await lab.start(SLOTS)
    inside = await lab.kernel(id)
    (lab.folder / "project" / "kept").write_text("kept")
    said = await inside.run(f"{BLOCK}f = open('big', 'wb', 0)\nwhile True: f.write(block)")
    assert "File too large" in said
    await until(lab, id, "disk_full")
    assert (lab.folder / "project" / "kept").read_text() == "kept"
    assert "big" in await shell(inside, "ls; rm big; ls")
    await inside.run("f.close()")
    await until(lab, id, "")
    assert await inside.run("print(open('again', 'w').write('x'))") == "1\n"


async def test_deleting_from_outside_makes_a_sealed_project_writable_again(lab: Lab):
    id = await lab.start(SLOTS)
    inside = await lab.kernel(id)
    await inside.send(BLOCK + WAYS["holes filled through mmap"])
    async with asyncio.timeout(60):
        while "read-only" not in (await until(lab, id, "disk_full")).detail:
            pass
    for file in (lab.folder / "project").iterdir():
        file.unlink()
    await until(lab, id, "")
    fresh = await lab.kernel(id)
    assert await fresh.run("print(open('again', 'w').write('x'))") == "1\n"


async def test_too_many_small_files_are_a_full_disk_too(lab: Lab):
    id = await lab.start(Slots(memory=512 * MIB, disk=LIMIT))
    inside = await lab.kernel(id)
    await inside.send("import os\nn = 0\nwhile True:\n    n += 1\n    os.close(os.open(f'f{n}', os.O_CREAT))")
    sample = await until(lab, id, "disk_full")
    assert "files and folders" in sample.detail
    await lab.sample(id, 2)
    before = len(os.listdir(lab.folder / "project"))
    await lab.sample(id, 2)
    assert len(os.listdir(lab.folder / "project")) == before


async def test_a_session_of_a_full_project_starts_and_its_files_can_be_read(lab: Lab):
    project = lab.folder / "project"
    project.mkdir()
    (project / "big").write_bytes(bytes(LIMIT + MIB))
    id = await lab.start(SLOTS)
    inside = await lab.kernel(id)
    assert (await until(lab, id, "disk_full")).detail
    assert await inside.run("import os; print(os.path.getsize('big'))") == f"{LIMIT + MIB}\n"
    async with asyncio.timeout(60):  # a program that has just begun is found at the next look
        while "File too large" not in await inside.run("with open('more', 'wb') as f: f.write(bytes(99999))"):
            pass
    for _ in range(3):  # nor does it keep anybody from beginning
        assert await (await lab.kernel(id)).run("print(open('small', 'w').write('x'))") == "1\n"


async def test_preallocation_is_refused_as_on_file_systems_without_it(lab: Lab):
    inside = await lab.kernel(await lab.start(SLOTS))
    said = await shell(inside, "fallocate -l 10M made 2>&1; stat -c %b made 2>&1")
    assert "not supported" in said
    code = "import os\nwith open('made', 'w') as f: os.posix_fallocate(f.fileno(), 0, 9999)\n"
    assert await inside.run(f"{code}print(os.stat('made').st_size)") == "9999\n"


async def shell(inside: Inside, command: str) -> str:
    return await inside.run(
        f"import subprocess; print(subprocess.run({command!r}, shell=True, "
        "stdout=-1, stderr=-2, text=True).stdout, end='')"
    )
