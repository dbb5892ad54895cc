"""Runs in real sandboxes: what programs print, how they end, and what holds them."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.runner.run import pack_file, unpack_file
from sandbox.runner.wire import Stream
from sandbox.slots import Slots
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

PYTHON = "python main.py"


@dataclass
class Told:
    """What a run said: its steps by name, with ``stdout`` and ``stderr``, and the files it left."""

    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    failed: str = ""


async def run(
    lab: Lab,
    files: dict[str, str],
    command: str = PYTHON,
    build: str = "",
    stdin: bytes = b"",
    slots: Slots | None = None,
    policy: str = "default",
    **limits: float,
) -> Told:
    client = await lab.client(await lab.start(slots, policy=policy))
    bounds = {"time_s": 20, "cpu_s": 20, "output": 1 << 20} | limits
    stream = await client.open("run.start", build=build, command=command, **bounds)
    for path, text in files.items():
        await stream.write(pack_file(path, text.encode()))
    await stream.write(b"g")
    await stream.write(b"i" + stdin)
    await stream.write(b"e")
    told, name, output = Told(), "", {}
    async for _, record in stream:
        kind, body = record[:1], record[1:]
        if kind == b"b":
            name, output = body.decode(), {b"1": b"", b"2": b""}
        elif kind == b"s":
            told.steps[name] = json.loads(body) | {"stdout": output[b"1"].decode(), "stderr": output[b"2"].decode()}
        elif kind == b"f":
            path, data = unpack_file(record)
            told.files[path] = data
        else:
            output[kind] += body
    told.failed = stream.end
    return told


async def test_a_program_says_hello_and_what_it_used_is_its_own(lab: Lab):
    told = await run(lab, {"main.py": "import sys; print('héllo, 마당'); print('oops', file=sys.stderr)"})
    step = told.steps["run"]
    assert (step["stdout"], step["stderr"]) == ("héllo, 마당\n", "oops\n")
    assert (step["exit_code"], step["signal"], step["cause"], step["truncated"]) == (0, None, "", False)
    assert 1000 < step["peak_kib"] < 25_000, "the program's, not that of the runner it was forked from"
    assert 0 < step["cpu_ms"] < step["wall_ms"] + 100
    assert (told.files, told.failed) == ({}, "")


async def test_who_watches_has_all_that_was_said_before_the_run_is_over(lab: Lab):
    holding, watching = [await lab.client(id) for id in [await lab.start()] * 2]
    command = "read x; head -c 9000000 /dev/zero; printf end"
    held = await holding.open("run.start", build="", command=command, time_s=20, cpu_s=20, output=10 << 20, id="a")
    watched = await watching.open("run.attach", id="a")

    async def heard(stream: Stream, after: float) -> bytes:
        await asyncio.sleep(after)
        return b"".join([record[1:] async for _, record in stream if record[:1] == b"1"])

    slowly = asyncio.create_task(heard(watched, 0.5))
    await held.write(b"g", b"i\n", b"e")
    said = await heard(held, 0)
    await lab.driver.stop(lab.ids[-1])
    assert said == bytes(9_000_000) + b"end"
    assert await slowly == said


async def test_input_arrives_whole_and_ends(lab: Lab):
    sent = b"0123456789abcdef" * 50_000
    told = await run(
        lab, {"main.py": "import sys; d = sys.stdin.buffer.read(); print(len(d), hash(d) != 0)"}, stdin=sent
    )
    assert told.steps["run"]["stdout"] == f"{len(sent)} True\n"


async def test_input_that_nobody_reads_is_no_harm(lab: Lab):
    told = await run(lab, {"main.py": "print('done')"}, stdin=b"x" * 3_000_000)
    assert (told.steps["run"]["stdout"], told.steps["run"]["exit_code"]) == ("done\n", 0)


async def test_several_files_and_those_that_are_left(lab: Lab):
    program = "from pack.part import f\nopen('out/é.txt', 'w').write(f())\nopen('raw', 'wb').write(bytes([0, 255]))"
    files = {"main.py": program, "pack/part.py": "def f(): return open('data.txt').read() * 2", "data.txt": "ab"}
    told = await run(lab, files, command=f"mkdir out && ln -s /etc/passwd link && {PYTHON}")
    assert told.steps["run"]["exit_code"] == 0, told
    assert told.files == {"out/é.txt": b"abab", "raw": b"\0\xff"}


async def test_how_a_program_ends_is_told(lab: Lab):
    left = await run(lab, {"main.py": "raise SystemExit(7)"})
    assert (left.steps["run"]["exit_code"], left.steps["run"]["signal"]) == (7, None)
    killed = await run(lab, {"main.py": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"})
    assert (killed.steps["run"]["exit_code"], killed.steps["run"]["signal"]) == (None, "SIGSEGV")
    absent = await run(lab, {}, command="nosuchprogram")
    assert absent.steps["run"]["exit_code"] == 127
    assert "nosuchprogram" in absent.steps["run"]["stderr"]


async def test_ctrl_c_means_to_a_program_what_it_always_does(lab: Lab):
    told = await run(lab, {"main.py": "import os, signal; os.kill(os.getpid(), signal.SIGINT)"})
    assert "KeyboardInterrupt" in told.steps["run"]["stderr"]


async def test_an_endless_program_ends_at_its_time(lab: Lab):
    sleeping = await run(lab, {"main.py": "print('on', flush=True); import time; time.sleep(1000)"}, time_s=0.5)
    assert (sleeping.steps["run"]["cause"], sleeping.steps["run"]["stdout"]) == ("time_limit", "on\n")
    computing = await run(lab, {"main.py": "while True: pass"}, cpu_s=1)
    step = computing.steps["run"]
    assert (step["cause"], step["signal"]) == ("time_limit", "SIGXCPU")
    assert 700 <= step["cpu_ms"] < 2500  # the kernel looks at the limit with each tick, and counts exactly


async def test_what_a_program_started_ends_with_it_and_is_counted(lab: Lab):
    burn = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.3: pass"
    command = "python burn.py & wait; sleep 1000 & echo left"
    told = await run(lab, {"burn.py": burn}, command=command)
    assert (told.steps["run"]["stdout"], told.steps["run"]["cause"]) == ("left\n", "")
    assert told.steps["run"]["cpu_ms"] >= 300


async def test_a_flood_is_cut_where_its_limit_is(lab: Lab):
    told = await run(lab, {}, command="yes", output=100_000)
    step = told.steps["run"]
    assert (step["cause"], step["truncated"], len(step["stdout"])) == ("output_limit", True, 100_000)
    exactly = await run(lab, {}, command="head -c 100000 /dev/zero | tr '\\0' x", output=100_000)
    assert (exactly.steps["run"]["cause"], exactly.steps["run"]["truncated"]) == ("", False)


async def test_a_fork_bomb_ends_at_its_time(lab: Lab):
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    told = await run(lab, {"main.py": bomb}, slots=Slots(memory=512 << 20, processes=40), time_s=2)
    assert told.steps["run"]["cause"] == "time_limit"


async def test_a_memory_hog_is_told_so(lab: Lab):
    hog = "kept = []\nwhile True: kept.append(bytearray(1 << 24))"
    told = await run(lab, {"main.py": hog}, slots=Slots(memory=192 << 20))
    step = told.steps["run"]
    assert (step["cause"], step["signal"]) == ("memory_limit", "SIGKILL")
    assert step["peak_kib"] > 64 * 1024


async def test_a_file_cannot_be_placed_outside(lab: Lab):
    for path in ("../x", "/tmp/x", "a/../../x", ""):
        told = await run(lab, {path: "x"}, command="echo never")
        assert (told.steps, "not a path" in told.failed) == ({}, True), path


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc here")
async def test_a_build_comes_first_and_its_errors_are_its_own(lab: Lab):
    hello = '#include <stdio.h>\nint main(void) { puts("built"); return 3; }\n'
    built = await run(lab, {"main.c": hello}, command="./main", build="gcc -o main main.c")
    assert (built.steps["build"]["exit_code"], built.steps["run"]["stdout"]) == (0, "built\n")
    assert built.steps["run"]["exit_code"] == 3
    assert built.files == {}, "what the build made is not what the program left"
    broken = await run(lab, {"main.c": "int main(void) { return x; }"}, command="./main", build="gcc -o main main.c")
    assert list(broken.steps) == ["build"]
    assert "error" in broken.steps["build"]["stderr"]


async def test_whoever_leaves_takes_the_run_along(lab: Lab):
    id = await lab.start()
    client = await lab.client(id)
    stream = await client.open("run.start", build="", command="sleep 4321", time_s=600, cpu_s=600, output=1000)
    await stream.write(b"g")
    async for _, record in stream:
        if record == b"brun":
            break
    assert "sleep" in await running(lab, id)
    await client.close()
    while "sleep" in await running(lab, id):
        continue


async def running(lab: Lab, id: str) -> str:
    """The names of what runs inside, as another run sees it."""
    client = await lab.client(id)
    look = "cat /proc/[0-9]*/comm 2>/dev/null"
    stream = await client.open("run.start", build="", command=look, time_s=20, cpu_s=20, output=100_000)
    await stream.write(b"g")
    names = b""
    async for _, record in stream:
        if record[:1] == b"1":
            names += record[1:]
    return names.decode()


async def test_what_leaves_its_group_ends_with_its_step(lab: Lab):
    flee = "for n in 1 2 3; do setsid sh -c 'setsid sleep 600 & sleep 600' & done; sleep 0.2; echo fled"
    told = await run(lab, {}, build=flee, command="ps -e -o args | grep -c '^sleep'")
    assert told.steps["build"]["stdout"] == "fled\n"
    assert told.steps["run"]["stdout"] == "0\n"


async def test_what_flees_for_ever_does_not_hold_its_run(lab: Lab):
    flee = 'flee() { setsid bash -c "$(declare -f flee); flee" & }; flee; sleep 0.2; echo fled'
    told = await run(lab, {}, command=flee)
    assert told.steps["run"]["stdout"] == "fled\n"
    assert (await run(lab, {}, command="echo next")).steps["run"]["stdout"] == "next\n"
