"""The runner's methods, inside a real sandbox: kernels, their logs, and terminals."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.runner import messages
from sandbox.runner.modes import RESET
from sandbox.runner.wire import CallError, Client, Stream
from sandbox.slots import Slots
from tests.sandbox.conftest import Inside, Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


async def until(inside: Inside, met: Callable[[str, dict[str, Any], str], bool]) -> dict[str, Any]:
    """Read messages until one meets ``met(type, content, channel)``; returns its content."""
    async for _, payload in inside.stream:
        channel, parts = messages.unpack(payload)
        content = json.loads(parts[3])
        if met(str(messages.field(parts[0], "msg_type")), content, channel):
            return content
    raise AssertionError("the stream ended first")


async def screen(stream: Stream, *texts: str) -> str:
    """Read a terminal until ``texts`` came, in this order."""
    seen, wanted = "", re.compile(".*?".join(map(re.escape, texts)), re.DOTALL)
    async for _, payload in stream:
        seen = seen[-65536:] + payload.decode(errors="replace")
        if wanted.search(seen):
            return seen
    raise AssertionError(f"{texts!r} never came: {seen!r}")


async def terminal(client: Client, name: str = "1") -> Stream:
    await client.call("terminal.start", name=name)
    return await client.open("terminal.attach", name=name, since=0)


async def test_a_plot_is_shown_at_the_end_of_its_cell(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send("import matplotlib.pyplot as plt\nplt.plot([1, 4, 9]);")
    shown = await until(inside, lambda kind, _, __: kind in ("display_data", "execute_reply"))
    assert shown["data"]["image/png"].startswith("iVBOR")


async def test_input_is_asked_for_and_answered(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send("print('hello', input('who? '))")
    asked = await until(inside, lambda kind, _, channel: kind == "input_request" and channel == "stdin")
    assert asked == {"prompt": "who? ", "password": False}
    header = {"msg_id": uuid.uuid4().hex, "session": "test", "msg_type": "input_reply", "version": "5.4"}
    reply = [json.dumps(part).encode() for part in (header, {}, {}, {"value": "Yuna", "status": "ok"})]
    await inside.stream.write(messages.pack("stdin", reply))
    said = await until(inside, lambda kind, _, __: kind == "stream")
    assert said["text"].startswith("hello")


async def test_an_endless_loop_is_interrupted_and_its_variables_stay(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.send("n = 1\nprint('on')\nwhile True: pass")
    await until(inside, lambda kind, content, _: kind == "stream" and "on" in content["text"])
    await (await lab.client(id)).call("kernel.interrupt", id=inside.kernel)
    error = await until(inside, lambda kind, _, __: kind == "error")
    assert error["ename"] == "KeyboardInterrupt"
    await until(inside, lambda kind, content, _: content.get("execution_state") == "idle")
    assert await inside.run("print(n)") == "1\n"


async def test_a_restart_forgets_variables_and_keeps_the_log(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("x = 1; print('before')")
    client = await lab.client(id)
    assert (await client.call("kernel.restart", id=inside.kernel))["execution_state"] == "idle"
    assert "NameError" in await inside.run("x")
    again = Inside(await client.open("kernel.attach", id=inside.kernel, session="other", since=0), inside.kernel)
    assert (await until(again, lambda kind, _, __: kind == "stream"))["text"] == "before\n"


async def test_many_kernels_start_at_once_and_all_are_heard(lab: Lab):
    """A kernel that spoke while the runner subscribed was waited for in vain, one in some hundred."""
    client = await lab.client(await lab.start(Slots(memory=1 << 30)))
    for _ in range(4):
        ids = [str(uuid.uuid4()) for _ in range(12)]
        async with asyncio.timeout(50):  # less than a start's own patience
            await asyncio.gather(*(client.call("kernel.start", id=id, name="python3") for id in ids))
        await asyncio.gather(*(client.call("kernel.stop", id=id) for id in ids))


async def test_a_client_resumes_from_its_last_number_and_by_its_session(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("print('first')")
    await inside.stream.close()
    other = await lab.client(id)
    second = Inside(await other.open("kernel.attach", id=inside.kernel, session="two", since=None), inside.kernel)
    await second.run("print('while away')")
    back = await lab.client(id)
    stream = await back.open("kernel.attach", id=inside.kernel, session="test", since=None)
    said = await until(Inside(stream, inside.kernel), lambda kind, _, __: kind == "stream")
    assert said["text"] == "while away\n"
    numbers = await back.open("kernel.attach", id=inside.kernel, session="test", since=3)
    async for seq, _ in numbers:
        assert seq == 3
        break


async def test_replies_go_to_who_asked(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    client = await lab.client(id)
    other = Inside(await client.open("kernel.attach", id=inside.kernel, session="other", since=0), inside.kernel)
    await inside.run("1")
    await other.send("2")
    replies = idle = 0
    async for _, payload in other.stream:
        channel, parts = messages.unpack(payload)
        replies += channel == "shell"
        idle += messages.field(parts[0], "msg_type") == "status" and b"idle" in parts[3]
        if replies and idle == 2:  # in either order: they come by two sockets
            break
    assert replies == 1


async def test_lines_come_whole_and_in_order(lab: Lab):
    inside = await lab.kernel(await lab.start())
    said = await inside.run("for n in range(20000): print(n)")
    assert said == "".join(f"{n}\n" for n in range(20000))


async def test_garbage_harms_neither_kernel_nor_runner(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    for junk in (b"", b"\0" * 100, messages.pack("shell", [b"{", b"{}", b"{}", b"{}"]), b"\xff" * 1000):
        await inside.stream.write(junk)
    assert await inside.run("print(1)") == "1\n"
    client = await lab.client(id)
    for method, params, code in (
        ("kernel.start", {"id": "x", "name": "python3"}, "bad_request"),
        ("kernel.start", {"id": str(uuid.uuid4()), "name": "cobol"}, "not_found"),
        ("kernel.attach", {"id": "x", "session": "s"}, "not_found"),
        ("terminal.start", {"name": "../x"}, "bad_request"),
        ("terminal.attach", {"name": "9"}, "not_found"),
        ("kernel.nonsense", {}, "bad_request"),
    ):
        with pytest.raises(CallError) as error:
            await client.call(method, **params)
        assert error.value.code == code, method


async def test_a_terminal_has_colours_a_size_and_ctrl_c(lab: Lab):
    client = await lab.client(await lab.start())
    stream = await terminal(client)
    assert "\x1b[32mwork@madang" in await screen(stream, "$")
    await client.call("terminal.resize", name="1", rows=33, cols=111)
    await stream.write(b"stty size\n")
    await screen(stream, "33 111")
    await stream.write(b"bash -c 'echo be\"\"gun; sleep 1000'\n")
    await screen(stream, "begun")
    await stream.write(b"\x03")  # (dash, while it starts a program, loses one time in five what comes just then)
    await screen(stream, "^C", "$ ")


async def test_ctrl_c_overtakes_a_flood_that_nobody_reads(lab: Lab):
    id = await lab.start()
    client, writer = await lab.client(id), await lab.client(id)
    stream = await terminal(client)
    await screen(stream, "$")
    await stream.write(b"yes\n")
    await screen(stream, "y\r\ny\r\n")
    silent = await writer.open("terminal.attach", name="1", since=0)  # attached, and never read
    await silent.write(b"\x03")
    await silent.close()
    await screen(stream, "^C", "$ ")


async def test_a_terminal_replays_its_scrollback_and_says_how_it_ended(lab: Lab):
    id = await lab.start()
    client = await lab.client(id)
    stream = await terminal(client)
    await screen(stream, "$")
    await stream.write(b"echo remem''ber me\n")
    await screen(stream, "remember me")
    again = await (await lab.client(id)).open("terminal.attach", name="1", since=0)
    await screen(again, "remember me")
    await again.write(b"exit 3\n")
    rest = [payload async for _, payload in again]
    assert b"exit" in b"".join(rest)
    assert again.end == "exited with status 3"
    assert await client.call("terminal.list") == []


@pytest.mark.skipif(not shutil.which("vim"), reason="there is no vim")
async def test_vim_and_top_start(lab: Lab):
    client = await lab.client(await lab.start())
    stream = await terminal(client)
    await screen(stream, "$")
    await stream.write(b"top -d 1\n")
    await screen(stream, "PID")
    await stream.write(b"q")
    await screen(stream, "$ ")  # leaving, top discards what was typed ahead
    await stream.write(b"vim made.txt\n")
    await screen(stream, "[New]")
    await stream.write(b"ihello")
    await screen(stream, "hello")
    await stream.write(b"\x1b")
    await stream.write(b":wq\n")
    await screen(stream, "$ ")
    await stream.write(b"cat made.txt; echo do''ne\n")
    assert "hello" in await screen(stream, "done")


async def test_a_replay_that_was_cut_begins_in_the_right_state(lab: Lab):
    """More than is kept was shown since a program took the whole screen: its modes are restored all the same."""
    id = await lab.start()
    client = await lab.client(id)
    stream = await terminal(client)
    await screen(stream, "$")
    wide = "한글" * 40
    code = (
        f"import sys\nsys.stdout.write('\\x1b[?1049h\\x1b[?25l\\x1b[7m')\nfor n in range(30000): print(n, '{wide}')\n"
    )
    await stream.write(f"python3 -c \"{code}print('do''ne')\"; sleep 99\n".encode())
    await screen(stream, "done")
    again = await (await lab.client(id)).open("terminal.attach", name="1", since=0)
    assert again.result["first"] > 0
    seq, rest = await anext(aiter(again))
    assert (seq, again.cut) == (again.result["first"], again.result["next"])
    assert rest.startswith(RESET)
    for mode in (b"\x1b[?1049h", b"\x1b[?25l", b"\x1b[7m"):
        assert mode in rest
    async for _, payload in again:
        assert again.cut is None
        rest += payload
        if b"done" in payload:
            break
    lines = rest.decode().split("\r\n")[1:-1]  # no character is torn
    first = int(lines[0].split()[0])
    assert lines[:5] == [f"{n} {wide}" for n in range(first, first + 5)]


async def test_a_program_with_the_whole_screen_draws_it_again_after_a_cut(lab: Lab):
    id = await lab.start()
    client = await lab.client(id)
    stream = await terminal(client)
    await screen(stream, "$")
    code = (
        "import signal, sys, time\nsignal.signal(signal.SIGWINCH, lambda *_: print('drawn again', flush=True))\n"
        "print('\\x1b[?1049h')\nfor n in range(60000): print('x' * 100)\nprint('re''ady', flush=True)\n"
        "while True: time.sleep(1)"
    )
    await stream.write(f'python3 -c "{code}"\n'.encode())
    await screen(stream, "ready")
    again = await (await lab.client(id)).open("terminal.attach", name="1", since=0)
    await screen(again, "drawn again")


async def test_the_end_of_a_killed_kernels_words_is_kept(lab: Lab):
    inside = await lab.kernel(await lab.start())
    await inside.send(
        "import os, signal, sys\nfor n in range(3000): print(n)\nsys.stdout.flush()\nos.kill(os.getpid(), 9)"
    )
    said = ""
    async for _, payload in inside.stream:
        content = json.loads(messages.unpack(payload)[1][3])
        said += content.get("text", "")
        if content.get("execution_state") == "restarting":
            break
    assert said.startswith("".join(f"{n}\n" for n in range(3000)))
    assert "was killed" in said


async def test_a_client_that_leaves_early_goes_on_with_what_it_has_not_taken(lab: Lab):
    """What was sent to it and not acknowledged was lost to a client that came back by its session."""
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("1")
    inside.stream.by_hand = True
    await inside.send("for n in range(20000): print(n)")
    numbers: list[int] = []
    async for seq, _ in inside.stream:
        numbers.append(seq)
        inside.stream.acknowledge(seq + 1)
        if len(numbers) == 3:
            break
    await asyncio.sleep(0)
    async for _ in inside.stream:  # more comes, and is on its way to a client that dies now
        break
    await inside.stream.close()
    back = await lab.client(id)
    async with asyncio.timeout(20):
        while (await back.call("kernel.list"))[0]["connections"]:
            continue
    stream = await back.open("kernel.attach", id=inside.kernel, session="test", since=None)
    assert stream.result["first"] == numbers[-1] + 1


async def test_a_busy_kernels_widgets_are_told_to_who_asks_and_forgotten_with_it(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.send(
        "import ipywidgets as w, time\nbar = w.IntProgress(max=9)\nbar.value = 5\nprint('on')\n"
        "while True: time.sleep(1)"
    )
    await until(inside, lambda kind, content, _: kind == "stream" and "on" in content["text"])
    client = await lab.client(id)
    late = Inside(await client.open("kernel.attach", id=inside.kernel, session="late", since=None), inside.kernel)
    told = await widgets(late)
    bar = next(comm["state"] for comm in told.values() if comm["state"]["_model_name"] == "IntProgressModel")
    assert (bar["value"], bar["max"]) == (5, 9)
    assert bar["layout"].removeprefix("IPY_MODEL_") in told
    await client.call("kernel.restart", id=inside.kernel)
    assert await widgets(late) == {}


async def widgets(inside: Inside) -> dict[str, Any]:
    """All widgets that the runner knows of; the kernel is not asked."""
    header = {"msg_id": uuid.uuid4().hex, "session": "late", "msg_type": "comm_info_request", "version": "5.4"}
    parts = [json.dumps(part).encode() for part in (header, {}, {}, {"target_name": "jupyter.widget", "states": True})]
    await inside.stream.write(messages.pack("control", parts))
    told = await until(inside, lambda kind, _, channel: kind == "comm_info_reply" and channel == "control")
    comms: dict[str, Any] = told["comms"]
    return comms
