"""Floods of output: nothing grows without bound, Ctrl-C gets through, and what was cut says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner import messages
from sandbox.runner.wire import Stream
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Inside, Lab
from tests.sandbox.test_runner import screen, terminal, until

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

GROWTH_KIB = 16 * 1024
"""By how much a process may grow under a flood: the bounds of its queues, and what Python takes around them."""


def processes(lab: Lab, id: str) -> dict[int, int]:
    """The resident set, in KiB, of each process in the sandbox."""
    state = json.loads((lab.driver.runner_socket(id).parent / "state.json").read_text())
    pids = (Path(state["cgroup"]["memory"]) / "cgroup.procs").read_text().split()
    return {int(pid): resident(int(pid)) for pid in pids}


def resident(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0  # it has just ended
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")), 0)


async def settled(lab: Lab, id: str) -> int:
    """CPU milliseconds of the sandbox, once a second passes in which it uses next to none."""
    before = (await lab.sample(id)).usage.cpu_ms
    while True:
        now = (await lab.sample(id, 2)).usage.cpu_ms
        if now - before < 50:
            return now
        before = now


async def texts(inside: Inside) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for _, payload in inside.stream:
        _, parts = messages.unpack(payload)
        yield str(messages.field(parts[0], "msg_type")), json.loads(parts[3])


@pytest.mark.parametrize(
    "flood",
    [
        "while True: print('y' * 1000)",
        "import sys\nwhile True: sys.stdout.write('y')",
        "from IPython.display import display, HTML\nwhile True: display(HTML('<p>' + 'y' * 5000))",
        "import threading\ndef flood():\n    while True: print('y' * 1000)\n"
        "for _ in range(4): threading.Thread(target=flood, daemon=True).start()\nflood()",
        "import subprocess\nsubprocess.run(['yes'])",
    ],
    ids=["lines", "letters", "displays", "threads", "programs"],
)
async def test_a_cell_is_slowed_down_by_a_client_that_does_not_read(lab: Lab, flood: str):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("print(1)")
    before = processes(lab, id)
    await inside.send(flood)
    await until(inside, lambda kind, content, _: "y" in json.dumps(content) and kind in ("stream", "display_data"))
    await settled(lab, id)  # which it does only because it waits
    after = processes(lab, id)
    assert all(after[pid] - size < GROWTH_KIB for pid, size in before.items() if pid in after)
    await (await lab.client(id)).call("kernel.interrupt", id=inside.kernel)
    error = await until(inside, lambda kind, _, __: kind == "error")
    assert error["ename"] == "KeyboardInterrupt"
    if "threading" not in flood:
        await until(inside, lambda _, content, __: content.get("execution_state") == "idle")
        assert await inside.run("print('on')") == "on\n"


async def test_a_cell_goes_on_while_nobody_is_there(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("print(1)")
    before = processes(lab, id)
    await inside.send("for n in range(120000): print(f'{n:>1000}')\nopen('done', 'w').close()")
    await inside.stream.close()
    done = lab.folder / "project" / "done"
    async with asyncio.timeout(120):
        while not done.exists():
            await asyncio.sleep(0.1)
    after = processes(lab, id)
    assert all(after[pid] - size < GROWTH_KIB for pid, size in before.items()), (before, after)
    client = await lab.client(id)
    stream = await client.open("kernel.attach", id=inside.kernel, session="test", since=0)
    assert stream.result["first"] > 0
    first, text = None, ""
    async for _, payload in stream:
        if first is None:
            first = stream.cut
        _, parts = messages.unpack(payload)
        content = json.loads(parts[3])
        text += content.get("text", "")
        if content.get("execution_state") == "idle":
            break
    assert first == stream.result["next"], "it is told that something is missing, and what is old"
    numbers = [int(line) for line in text.split("\n")[1:-1]]
    assert numbers == list(range(numbers[0], 120000)), "all that is kept is whole and in order"


async def test_a_line_of_a_gigabyte_is_many_messages(lab: Lab):
    id = await lab.start(Slots(memory=2048 * MIB))
    inside = await lab.kernel(id)
    id_ = await inside.send("import sys\nsys.stdout.write('x' * 10**9)\nprint('end')")
    got, largest, tail = 0, 0, ""
    async for _, payload in inside.stream:
        _, parts = messages.unpack(payload)
        if messages.field(parts[1], "msg_id") != id_:
            continue
        content = json.loads(parts[3])
        text = content.get("text", "")
        got, largest, tail = got + text.count("x"), max(largest, len(text)), (tail + text)[-4:]
        if content.get("execution_state") == "idle":
            break
    assert (got, tail) == (10**9, "end\n")
    assert largest < MIB


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("'x' * (20 << 20)", "execute_result"),
        ("from IPython.display import display\ndisplay({'text/html': 'x' * (100 << 20)}, raw=True)", "display_data"),
        ("raise ValueError('x' * (20 << 20))", "error"),
    ],
)
async def test_what_no_page_could_show_is_replaced_by_a_note(lab: Lab, code: str, kind: str):
    inside = await lab.kernel(await lab.start(Slots(memory=1024 * MIB)))
    await inside.send(code)
    content = await until(inside, lambda found, _, __: found == kind)
    assert "cut" in json.dumps(content)
    await until(inside, lambda _, content, __: content.get("execution_state") == "idle")
    assert await inside.run("print('on')") == "on\n"


async def test_a_kernel_that_sends_it_all_the_same_is_cut_by_the_runner(lab: Lab):
    """The kernel's own bounds are in the hands of the code that it runs; the runner's are not."""
    inside = await lab.kernel(await lab.start(Slots(memory=1024 * MIB)))
    code = """
kernel = get_ipython().kernel
from jupyter_client.session import Session
plain = Session(key=b'')
plain.send(kernel.iopub_socket, 'stream', {'name': 'stdout', 'text': 'x' * (30 << 20)}, parent=kernel.get_parent())
"""
    await inside.send(code)
    content = await until(inside, lambda found, content, _: found == "stream" and "cut" in content["text"])
    assert len(content["text"]) < 1000
    assert await inside.run("print('on')") == "on\n"


async def test_a_million_tiny_writes_and_a_thousand_displays_arrive(lab: Lab):
    inside = await lab.kernel(await lab.start())
    said = await inside.run("import sys\nfor _ in range(10**6): sys.stdout.write('.')")
    assert said == "." * 10**6
    id = await inside.send(
        "from IPython.display import display, Markdown\nfor n in range(1000): display(Markdown(str(n)))"
    )
    shown = []
    async for _, payload in inside.stream:
        _, parts = messages.unpack(payload)
        content = json.loads(parts[3])
        if messages.field(parts[1], "msg_id") == id and "data" in content:
            shown.append(content["data"]["text/markdown"])
        if messages.field(parts[1], "msg_id") == id and content.get("execution_state") == "idle":
            break
    assert shown == [str(n) for n in range(1000)]


async def test_what_forked_children_print_is_kept(lab: Lab):
    inside = await lab.kernel(await lab.start())
    code = "import os\nfor n in range(5):\n    if os.fork() == 0: print('child', n); os._exit(0)\n    os.wait()"
    await inside.send(code)
    seen = ""
    async for kind, content in texts(inside):
        seen += content["text"] if kind == "stream" else ""
        if seen.count("\n") == 5:
            break
    assert seen == "".join(f"child {n}\n" for n in range(5))


async def test_characters_of_programs_are_not_torn(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send("import os; os.system('for n in $(seq 2000); do printf \"한글마당\"; done; echo; echo end')")
    text = ""
    async for kind, content in texts(inside):
        text += content["text"] if kind == "stream" else ""
        if "end" in text:
            break
    assert text == "한글마당" * 2000 + "\nend\n"


async def flooded(stream: Stream) -> None:
    await screen(stream, "$")
    await stream.write(b"yes\n")
    await screen(stream, "y\r\ny\r\n")


async def test_a_terminals_flood_waits_for_its_reader(lab: Lab):
    id = await lab.start()
    stream = await terminal(await lab.client(id))
    await flooded(stream)
    before = processes(lab, id)
    await settled(lab, id)
    after = processes(lab, id)
    assert all(after[pid] - size < GROWTH_KIB for pid, size in before.items() if pid in after)
    await stream.write(b"\x03")
    await screen(stream, "^C", "$ ")


async def test_a_large_paste_into_a_program_that_echoes_is_no_deadlock(lab: Lab):
    id = await lab.start()
    stream = await terminal(await lab.client(id))
    await screen(stream, "$")
    await stream.write(b"stty -echo -icanon; cat; stty sane\n")
    pasted = b"".join(b"%099d\n" % n for n in range(5000))
    writing = asyncio.create_task(stream.write(pasted + b"\x04"))
    await screen(stream, f"{4999:099}")
    await writing
