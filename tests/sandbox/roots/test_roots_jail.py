"""A session whose root is an image's own files: they are all it sees, and the walls are as ever."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from sandbox.images import Image, installed, policies_for, selftest
from sandbox.runner.wire import Client
from tests.sandbox.conftest import Lab
from tests.sandbox.roots.archives import PROGRAMS
from tests.sandbox.test_run import run
from tests.settings import IMAGES

DRIVER = "jail"
ADDED = ["tiny"]
pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def tiny(roots: Lab) -> Image:
    roots.image = installed()["tiny"]
    return roots.image


async def said(lab: Lab, command: str, **more: str) -> str:
    """What ``command`` says on both ways."""
    step = (await run(lab, more, command)).steps["run"]
    return f"{step['stdout']}{step['stderr']}"


async def test_it_is_the_images_system_and_nothing_of_the_host_is_there(roots: Lab, tiny: Image):
    told = await said(roots, "cat /etc/os-release; ls / /usr/bin /home /etc")
    assert told.startswith('NAME="Tiny"')
    lines = told.splitlines()
    assert set(PROGRAMS) == set(lines[lines.index("/usr/bin:") + 1 :]), "the last of the folders"
    assert "/home:\nwork\n" in told
    assert lines.count("passwd") == 1, "the sandbox's own lies over the image's"
    for place in (Path(__file__).parents[3], IMAGES.resolve(), roots.folder):
        assert "No such file" in await said(roots, f"ls {place}"), place


async def test_its_root_is_read_only_and_gives_no_rights(roots: Lab, tiny: Image):
    told = await said(
        roots,
        "for place in / /etc /usr/bin /dev /proc/sys/kernel /usr/lib/madang/python; do touch $place/x; done; "
        "touch ~/own /tmp/own && chmod 4755 ~/own && echo written; cat /etc/shadow; cat /etc/passwd; id; "
        "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; mount",
    )
    assert told.count("Read-only file system") + told.count("cannot touch '/proc/sys/kernel/x'") == 6, told
    assert "written\n" in told
    if os.geteuid() == 0:  # an ordinary user unpacks what is then all their own
        assert "secret" not in told
    assert "root:x" not in told
    assert "uid=1000(work) gid=1000(work)" in told
    assert told.count("0000000000000000") == 5
    assert "NoNewPrivs:\t1" in told
    assert "Seccomp:\t2" in told
    top = next(line for line in told.splitlines() if " on / type " in line)
    assert "type overlay (ro,nosuid,nodev" in top
    assert str(roots.folder) not in top, "it says nothing of where the image lies"


async def test_what_it_may_write_to_is_bounded(roots: Lab, tiny: Image):
    told = await said(
        roots, "for n in 1 2 3 4 5 6 7 8 9; do cat /dev/zero | head -c 64M > /tmp/$n || break; done; echo $n"
    )
    assert "No space left on device" in told
    assert "\n4\n" in f"\n{told}", "half of its 512 MiB, and its home takes some of them"


async def test_two_sessions_share_the_files_of_the_image_and_nothing_that_they_write(roots: Lab, tiny: Image):
    await said(roots, "echo mine > /tmp/mine; echo mine > ~/mine")
    assert "mine" not in await said(roots, "ls /tmp ~; cat /tmp/mine 2>/dev/null")
    assert sorted(path.name for path in tiny.root.iterdir()) == ["bin", "etc", *_libraries(tiny)]  # type: ignore[union-attr]


def _libraries(image: Image) -> list[str]:
    assert image.root is not None
    return sorted(path.name for path in image.root.iterdir() if path.name not in ("bin", "etc"))


async def test_an_exam_may_be_held_in_it(roots: Lab, tiny: Image):
    assert "strict" in policies_for(tiny)
    project = roots.folder / "project"
    project.mkdir(exist_ok=True)
    id = await roots.start(policy="strict", project=project)
    client = await roots.client(id)
    stream = await client.open(
        "run.start",
        build="",
        command="cat /etc/os-release; cp=1; cat /usr/bin/id > ~/id; chmod +x ~/id; ~/id; mount",
        time_s=20,
        cpu_s=20,
        output=1 << 16,
    )
    await stream.write(b"g")
    await stream.write(b"e")
    told = "".join([record[1:].decode() async for _, record in stream if record[:1] in (b"1", b"2")])
    assert 'NAME="Tiny"' in told
    assert told.count("Permission denied") == 2, told


async def test_its_terminal_and_its_kernel_are_bash_of_the_image(roots: Lab, tiny: Image):
    id = await roots.start()
    client = await roots.client(id)
    await client.call("terminal.start", name="t", command="cat /etc/os-release")
    assert 'NAME="Tiny"' in await _typed(client)
    from tests.sandbox.test_languages import open_kernel
    from tests.sandbox.test_languages import run as run_cell

    inside = await open_kernel(roots, tiny)
    await run_cell(inside, "x=마당")
    assert "마당 tiny" in (await run_cell(inside, 'source /etc/os-release; echo "$x $ID"'))[0]


async def _typed(client: Client) -> str:
    stream = await client.open("terminal.attach", name="t", since=0)
    text = ""
    async for _, payload in stream:
        text += payload.decode(errors="replace")
        if "tiny" in text:
            break
    return text


async def test_its_self_test_passes(roots: Lab, tiny: Image):
    assert await selftest.trial(roots.driver, tiny) == ""


async def test_it_is_stopped_counted_and_adopted_as_others_are(roots: Lab, tiny: Image):
    id = await roots.start()
    assert id in await roots.successor().adopt()
    await roots.driver.pause(id)
    await roots.driver.resume(id)
    await roots.driver.stop(id)
    ended = await roots.end(id)
    assert (ended.reason, ended.usage.memory_kib_s > 0) == ("stopped", True)


async def test_a_python_of_the_image_would_not_be_found_by_the_runner(roots: Lab, tiny: Image):
    """Modules that are imported late come from the host's place, whatever lies where the host's usually are."""
    root = tiny.root
    assert root is not None
    client = await roots.client(await roots.start())
    assert (await client.call("hello"))["kernels"] == ["tiny-bash"]
    with pytest.raises(Exception, match="no kernel called"):
        await client.call("kernel.start", id=str(uuid.uuid4()), name="python3")
