"""What people do with ipykernel works on our channels too: async cells, forks, queues of cells, the debugger."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from sandbox.runner import messages
from tests.sandbox.conftest import Inside, Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


async def ask(inside: Inside, channel: str, msg_type: str, content: dict[str, Any]) -> dict[str, Any]:
    """Send a request on ``channel`` and return its reply's content."""
    id = uuid.uuid4().hex
    header = {"msg_id": id, "session": "test", "username": "t", "date": "", "version": "5.4", "msg_type": msg_type}
    await inside.stream.write(messages.pack(channel, [json.dumps(part).encode() for part in (header, {}, {}, content)]))
    async for _, payload in inside.stream:
        came_by, parts = messages.unpack(payload)
        if came_by == channel and messages.field(parts[1], "msg_id") == id:
            return dict(json.loads(parts[3]))
    raise AssertionError("the stream ended first")


async def test_async_cells_and_their_background_tasks(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.run("import asyncio\nasync def later():\n    await asyncio.sleep(0.05)\n    done.append(1)\ndone = []")
    await inside.run("task = asyncio.ensure_future(later())")
    assert await inside.run("await task\nprint(done)") == "[1]\n"


async def test_cells_that_wait_are_aborted_after_an_error_and_the_next_is_not(lab: Lab):
    inside = await lab.kernel(await lab.start())
    first = await inside.send("import time; time.sleep(0.3); 1/0")
    queued = [await inside.send(f"print('never {n}')") for n in range(3)]
    statuses: dict[str, str] = {}
    async for _, payload in inside.stream:
        channel, parts = messages.unpack(payload)
        if channel == "shell":
            statuses[messages.field(parts[1], "msg_id")] = messages.field(parts[3], "status")
        if len(statuses) == 4:
            break
    assert statuses == {first: "error", **dict.fromkeys(queued, "aborted")}
    assert await inside.run("print('again')") == "again\n"


async def test_what_forked_children_and_programs_print_is_shown(lab: Lab):
    inside = await lab.kernel(await lab.start())
    code = (
        "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n    pool.map(print, 'ab')"
    )
    said = await inside.run(code + "\nimport subprocess; subprocess.run(['echo', 'c'])\nimport time; time.sleep(0.3)")
    assert sorted(said.replace("\n", "")) == ["a", "b", "c"]


async def test_it_completes_inspects_and_tells_about_itself(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.run("number_of_hens = 3")
    completed = await ask(inside, "shell", "complete_request", {"code": "number_o", "cursor_pos": 8})
    assert "number_of_hens" in completed["matches"]
    inspected = await ask(inside, "shell", "inspect_request", {"code": "len", "cursor_pos": 3, "detail_level": 0})
    assert inspected["found"]
    about = await ask(inside, "control", "kernel_info_request", {})
    assert about["language_info"]["name"] == "python"


async def test_a_busy_kernel_answers_on_control(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send("import time\nwhile True: time.sleep(0.01)")
    about = await ask(inside, "control", "kernel_info_request", {})
    assert about["status"] == "ok"


async def test_the_debugger_stops_at_a_breakpoint(lab: Lab):
    inside = await lab.kernel(await lab.start())
    numbers = iter(range(1, 99))

    async def debug(command: str, **arguments: Any) -> dict[str, Any]:
        request = {"type": "request", "seq": next(numbers), "command": command, "arguments": arguments}
        return await ask(inside, "control", "debug_request", request)

    assert (await debug("initialize", clientID="t", adapterID=""))["success"]
    assert (await debug("attach"))["success"]
    code = "x = 41\nx += 1\nprint(x)"
    path = (await debug("dumpCell", code=code))["body"]["sourcePath"]
    set_ = await debug("setBreakpoints", breakpoints=[{"line": 2}], source={"path": path}, sourceModified=False)
    assert set_["body"]["breakpoints"][0]["verified"]
    await debug("configurationDone")
    await inside.send(code)
    async for _, payload in inside.stream:
        _, parts = messages.unpack(payload)
        if messages.field(parts[0], "msg_type") == "debug_event" and messages.field(parts[3], "event") == "stopped":
            break
    variables = await debug("inspectVariables")
    assert any(variable["name"] == "x" for variable in variables["body"]["variables"])


async def test_the_last_words_of_a_kernel_that_dies_are_heard(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send("import os, sys; print('x' * 1000000 + ' last words'); sys.stdout.flush(); os._exit(3)")
    said = ""
    async for _, payload in inside.stream:
        said = said[-200:] + payload.decode(errors="replace")
        if "started again" in said:
            break
        assert "restarting" not in said
    assert await inside.run("print('on')") == "on\n"


async def test_a_large_cell_behind_a_busy_one_holds_nobody_up(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send("print('hello', input())")
    await inside.send("y = '" + "x" * 2_000_000 + "'; print(len(y))")
    async for _, payload in inside.stream:
        if messages.unpack(payload)[0] == "stdin":
            break
    header = {"msg_id": uuid.uuid4().hex, "session": "test", "msg_type": "input_reply", "version": "5.4"}
    reply = [json.dumps(part).encode() for part in (header, {}, {}, {"value": "Yuna", "status": "ok"})]
    await inside.stream.write(messages.pack("stdin", reply))
    said = ""
    while "2000000" not in said:
        _, payload = await anext(aiter(inside.stream))
        said += payload.decode(errors="replace") if b'"stream"' in payload else ""
    assert "hello" in said
