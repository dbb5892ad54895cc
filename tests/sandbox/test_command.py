"""Commands and programs in terminals, in real sandboxes through the runner."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sandbox.runner.command import MAX_COMMANDS
from sandbox.runner.wire import CallError, Client
from tests.sandbox.conftest import Lab
from tests.sandbox.test_runner import screen

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]


async def run(client: Client, *command: str, stdin: bytes = b"", **bounds: Any) -> tuple[dict[str, Any], bytes, bytes]:
    asked = {"folder": "", "time_s": 20, "output": 1 << 20} | bounds
    stream = await client.open("command.run", command=list(command), **asked)
    await stream.write(b"i" + stdin)
    await stream.write(b"e")
    said, account = {b"1": b"", b"2": b""}, {}
    async for _, record in stream:
        if record[:1] == b"s":
            account = json.loads(record[1:])
        else:
            said[record[:1]] += record[1:]
    return account, said[b"1"], said[b"2"]


async def test_a_command_gets_its_words_and_its_input_and_says_how_it_ended(lab: Lab):
    client = await lab.client(await lab.start())
    account, out, err = await run(
        client,
        "python",
        "-c",
        "import sys; print(sys.argv[1:], sys.stdin.read()); sys.exit(3)",
        "a b",
        "$HOME; 'x'",
        stdin=b"in",
    )
    assert (account["exit_code"], out, err) == (3, b"['a b', \"$HOME; 'x'\"] in\n", b"")


async def test_its_time_and_its_output_are_bounded(lab: Lab):
    client = await lab.client(await lab.start())
    account, _, _ = await run(client, "sleep", "100", time_s=0.5)
    assert account["cause"] == "time_limit"
    account, out, _ = await run(client, "yes", output=1000)
    assert (account["cause"], len(out)) == ("output_limit", 1000)


async def test_one_ends_with_who_asked_and_not_too_many_run_at_once(lab: Lab):
    id = await lab.start()
    client, other = await lab.client(id), await lab.client(id)
    asked = {"command": ["sleep", "1000"], "folder": "", "time_s": 1000, "output": 1}
    for _ in range(MAX_COMMANDS):
        await client.open("command.run", **asked)
    with pytest.raises(CallError, match="running already"):
        await other.open("command.run", **asked)
    await client.close()
    for _ in range(500):
        try:
            _, out, _ = await run(other, "pgrep", "-c", "sleep")
        except CallError:
            await asyncio.sleep(0.02)
            continue
        if out == b"0\n":
            return
    raise AssertionError("they went on")


async def test_git_works_on_the_projects_own_files(lab: Lab):
    client = await lab.client(await lab.start())
    for command in (["init", "-q"], ["config", "user.email", "a@b"], ["config", "user.name", "A"]):
        assert (await run(client, "git", *command))[0]["exit_code"] == 0
    await run(client, "bash", "-c", "echo hi > 'a b'")
    assert (await run(client, "git", "add", "--", "a b"))[0]["exit_code"] == 0
    assert (await run(client, "git", "commit", "-qm", "first"))[0]["exit_code"] == 0
    assert (await run(client, "git", "log", "--format=%s"))[1] == b"first\n"


async def test_a_programs_terminal_can_be_read_after_its_end(lab: Lab):
    client = await lab.client(await lab.start())
    await client.call("terminal.start", name="run-1", command="read -p 'name? ' n; echo hello $n; exit 4")
    stream = await client.open("terminal.attach", name="run-1", since=0)
    await screen(stream, "name?")
    await stream.write(b"Yuna\n")
    await screen(stream, "hello Yuna")
    async for _ in stream:
        continue
    assert stream.end == "exited with status 4"
    again = await client.open("terminal.attach", name="run-1", since=0)
    assert "hello Yuna" in await screen(again, "hello Yuna")
    assert await client.call("terminal.list") == []
    await client.call("terminal.stop", name="run-1")
    with pytest.raises(CallError, match="no such terminal"):
        await client.call("terminal.stop", name="run-1")


async def test_ended_programs_make_room_for_others(lab: Lab):
    client = await lab.client(await lab.start())
    for number in range(40):
        await client.call("terminal.start", name=f"run-{number}", command="true")
        stream = await client.open("terminal.attach", name=f"run-{number}", since=0)
        async for _ in stream:
            continue
    await client.call("terminal.start", name="shell")
    assert [one["name"] for one in await client.call("terminal.list")] == ["shell"]
