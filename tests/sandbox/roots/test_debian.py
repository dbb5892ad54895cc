"""Debian as an image: its own Lua and its own Python, whatever the host has."""

from __future__ import annotations

import uuid

import pytest

from sandbox.images import Image, installed, selftest
from tests.sandbox.conftest import Inside, Lab
from tests.sandbox.roots.conftest import DEBIAN
from tests.sandbox.test_ipython import ask
from tests.sandbox.test_languages import answer
from tests.sandbox.test_languages import run as run_cell
from tests.sandbox.test_run import run

DRIVER = "jail"
ADDED = ["debian"]
pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def debian(roots: Lab) -> Image:
    roots.image = installed()["debian"]
    return roots.image


async def kernel(lab: Lab, name: str) -> Inside:
    client, id = await lab.client(await lab.start()), str(uuid.uuid4())
    await client.call("kernel.start", id=id, name=name)
    return Inside(await client.open("kernel.attach", id=id, session="test", since=0), id)


async def test_it_offers_what_it_has(roots: Lab, debian: Image):
    assert {"debian-bash", "debian-lua", "debian-python"} <= {kernel.name for kernel in debian.kernels}
    assert debian.languages[0].name == "bash"
    assert await selftest.trial(roots.driver, debian) == ""
    step = (await run(roots, {"main.lua": "print(6 * 7)"}, "cat /etc/os-release; lua5.4 main.lua")).steps["run"]
    assert f"VERSION_CODENAME={DEBIAN}" in step["stdout"]
    assert step["stdout"].endswith("\n42\n")


async def test_lua_keeps_what_a_cell_leaves(roots: Lab, debian: Image):
    inside = await kernel(roots, "debian-lua")
    await run_cell(inside, "x = 41")
    assert "42" in (await run_cell(inside, "print(x + 1)"))[0]


async def test_python_is_the_images_own(roots: Lab, debian: Image):
    inside = await kernel(roots, "debian-python")
    said, reply = await run_cell(
        inside, "import sys, os\nx = 41\nprint(sys.executable, os.path.dirname(os.__file__))\nx + 1"
    )
    assert reply["status"] == "ok", said
    assert "/usr/bin/python3 /usr/lib/python3" in said
    assert said.endswith("42")
    said, reply = await run_cell(inside, "def f():\n    return 1 / 0\n\nf()")
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "ZeroDivisionError", "division by zero")
    assert "line 4" in said and "line 2" in said
    assert "python_cells" not in said, "its driver is no part of what went wrong"
    assert "SyntaxError" in (await run_cell(inside, "1 +"))[0]
    assert "41" in (await run_cell(inside, "print(x)"))[0]


async def test_python_asks_shows_and_is_interrupted(roots: Lab, debian: Image):
    inside = await kernel(roots, "debian-python")
    said, asked = await answer(inside, "print('hello', input('name? '))", ["마당"])
    assert asked == ["name? "]
    assert said.endswith("hello 마당\n")
    said, reply = await run_cell(inside, "print('begun')\nwhile True: pass", until="begun")
    assert reply["ename"] == "KeyboardInterrupt"
    shows = "class R:\n    def _repr_html_(self): return '<b>x</b>'\n    def __repr__(self): return 'plain'\nR()"
    assert "plain" in (await run_cell(inside, shows))[0]
    said, reply = await run_cell(inside, "raise SystemExit(3)")
    assert "is started again with the next cell" in said
    assert "7" in (await run_cell(inside, "7"))[0]


async def test_python_completes_explains_and_knows_what_is_whole(roots: Lab, debian: Image):
    inside = await kernel(roots, "debian-python")
    await run_cell(inside, "import os")
    reply = await ask(inside, "shell", "complete_request", {"code": "os.path.jo", "cursor_pos": 10})
    assert "os.path.join" in reply["matches"]
    reply = await ask(inside, "shell", "inspect_request", {"code": "os.path.join", "cursor_pos": 12, "detail_level": 0})
    assert "join(a, *p)" in reply["data"]["text/plain"]
    for code, expected in (("x = 1", "complete"), ("def f():", "incomplete"), ("1 1", "invalid")):
        assert (await ask(inside, "shell", "is_complete_request", {"code": code}))["status"] == expected


async def test_an_image_with_its_own_python_does_not_mislead_the_runner(roots: Lab, debian: Image):
    """The runner imports late: a terminal, a run and a search for ports all work beside another Python."""
    client = await roots.client(await roots.start())
    await client.call("terminal.start", name="t", command="exit 3")
    assert (await client.call("hello"))["image"] == "debian"
    async for _, record in await client.open("ports.watch"):
        assert b"[" in record
        break
