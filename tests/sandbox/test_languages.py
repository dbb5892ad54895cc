"""The images of other languages than Python, each in a real sandbox: its kernel, and its first file built and run."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from sandbox.images import Image, described, images
from sandbox.runner import messages
from sandbox.slots import Slots
from tests.sandbox.conftest import Inside, Lab
from tests.sandbox.test_ipython import ask

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

OURS = [image for image in described() if image.base]
# Cells of each: an error in its third line, a loop without end, one that prints what it is given.
WRONG = {
    "bash": "# one\n\nif",
    "c": "int main(void)\n{\n    return nonsense;\n}",
    "cpp": "int main()\n{\n    return nonsense;\n}",
    "java": "class Main {\n    public static void main(String[] a) {\n        nonsense();\n    }\n}",
    "javascript": "// one\n\nthrow new Error('nonsense')",
    "lua": "-- one\n\nerror('nonsense')",
    "sql": "-- one\n\nSELECT nonsense;",
    "go": "package main\nfunc main() {\n    nonsense()\n}",
    "rust": "fn main() {\n    let _x = 1;\n    nonsense();\n}",
    "php": "// one\n\nthrow new Exception('nonsense');",
}
ENDLESS = {
    "bash": "echo begun; while :; do :; done",
    "c": '#include <stdio.h>\nint main(void) { printf("begun\\n"); for (;;); }',
    "cpp": '#include <iostream>\nint main() { std::cout << "begun\\n"; for (;;); }',
    "java": 'class Main { public static void main(String[] a) { System.out.println("begun"); for (;;); } }',
    "javascript": "console.log('begun'); for (;;);",
    "lua": "print('begun') while true do end",
    "sql": "SELECT 'begun'; WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;",
    "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println("begun"); for {} }',
    "rust": 'fn main() { println!("begun"); loop {} }',
    "php": "echo 'begun'; while (true) {}",
}
SAYS = {
    "bash": "echo '마당'",
    "c": '#include <stdio.h>\nint main(void) { puts("마당"); }',
    "cpp": '#include <iostream>\nint main() { std::cout << "마당\\n"; }',
    "java": 'class Main { public static void main(String[] a) { System.out.println("마당"); } }',
    "javascript": "console.log('마당')",
    "lua": "print('마당')",
    "sql": "SELECT '마당';",
    "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println("마당") }',
    "rust": 'fn main() { println!("마당"); }',
    "php": "echo '마당';",
}
REMEMBER = {
    "bash": ("x=41; cd /tmp", "echo $((x + 1)) $PWD", "42 /tmp"),
    "javascript": ("let x = 41; let y = await Promise.resolve(1)", "let x2 = x; x2 + y", "42"),
    "lua": ("x = 41", "print(x + 1)", "42"),
    "sql": ("CREATE TABLE t (x); INSERT INTO t VALUES (41);", "SELECT x + 1 AS y FROM t", "42"),
    "php": ("$x = 41;", "echo $x + 1;", "42"),
}
ENDS = {"bash": "exit 3", "javascript": "process.exit(3)", "lua": "os.exit(3)", "php": "exit(3);"}


def named(image: Image) -> str:
    return image.languages[0].name


@pytest.fixture(params=OURS, ids=named)
def image(request: pytest.FixtureRequest, lab: Lab) -> Image:
    image: Image = request.param
    if image.name not in images():
        pytest.skip(f"this host lacks {', '.join(program.program for program in image.missing)}")
    lab.image = image
    return image


async def open_kernel(lab: Lab, image: Image) -> Inside:
    client, kernel = await lab.client(await lab.start(Slots(memory=1 << 30))), str(uuid.uuid4())
    await client.call("kernel.start", id=kernel, name=image.kernels[0].name)
    return Inside(await client.open("kernel.attach", id=kernel, session="test", since=0), kernel)


async def run(inside: Inside, code: str, until: str = "") -> tuple[str, dict[str, Any]]:
    """What ``code`` shows in all ways, and its reply; with ``until`` it is interrupted once that has been shown."""
    id, said, reply, seen = await inside.send(code), "", {}, False
    async with asyncio.timeout(60):
        async for _, payload in inside.stream:
            channel, parts = messages.unpack(payload)
            if messages.field(parts[1], "msg_id") != id:
                continue
            content = json.loads(parts[3])
            if channel == "shell":
                reply = content
            said += content.get("text", "") + "\n".join(content.get("traceback", ()) if channel == "iopub" else ())
            said += content.get("data", {}).get("text/plain", "")
            if until and until in said and not seen:
                seen = True
                await interrupt(inside)
            if reply and content.get("execution_state") == "idle":
                return said, reply
    raise AssertionError("the stream ended first")


async def interrupt(inside: Inside) -> None:
    """Interrupt as a notebook does, without waiting for the answer among the others."""
    header = {"msg_id": uuid.uuid4().hex, "session": "t", "username": "t", "date": "", "version": "5.4"}
    parts = [json.dumps(part).encode() for part in (header | {"msg_type": "interrupt_request"}, {}, {}, {})]
    await inside.stream.write(messages.pack("control", parts))


async def test_its_first_file_says_hello_in_its_kernel(lab: Lab, image: Image):
    inside = await open_kernel(lab, image)
    said, reply = await run(inside, image.hello)
    assert "Hello from Madang!" in said
    assert reply["status"] == "ok"
    about = await ask(inside, "shell", "kernel_info_request", {})
    assert about["language_info"]["name"] == image.kernels[0].language
    assert about["language_info"]["file_extension"] in image.extensions


async def test_its_first_file_says_hello_when_built_and_run(lab: Lab, image: Image):
    client = await lab.client(await lab.start(Slots(memory=1 << 30)))
    await client.call("terminal.start", name="t")
    terminal = await client.open("terminal.attach", name="t", since=0)
    (lab.folder / "project" / image.hello_file).write_text(image.hello)
    language = image.languages[0]
    steps = [step.replace("{main}", image.hello_file) for step in (language.build, language.run) if step]
    await terminal.write((" && ".join(steps) + "; echo status $?\n").encode())
    said = ""
    async with asyncio.timeout(60):
        while "status 0\r\n" not in said:
            _, payload = await anext(aiter(terminal))
            said += payload.decode(errors="replace")
    assert "Hello from Madang!" in said.replace(image.hello, "")


async def test_an_error_tells_its_line(lab: Lab, image: Image):
    said, reply = await run(await open_kernel(lab, image), WRONG[named(image)])
    assert reply["status"] == "error"
    assert reply["ename"]
    assert any(mark in said for mark in ("line 3", ":3:", "line 4")), said  # a shell misses something after the last


async def test_a_loop_without_end_is_interrupted_and_the_next_cell_runs(lab: Lab, image: Image):
    inside = await open_kernel(lab, image)
    said, reply = await run(inside, ENDLESS[named(image)], until="begun")
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted"), said
    said, reply = await run(inside, SAYS[named(image)])
    assert "마당" in said
    assert reply["status"] == "ok"


async def test_what_a_cell_leaves_is_there_for_the_next_and_gone_after_a_restart(lab: Lab, image: Image):
    if image.kernels[0].mode != "repl":
        pytest.skip("its cells are programs of their own")
    first, second, expected = REMEMBER[named(image)]
    inside = await open_kernel(lab, image)
    await run(inside, first)
    assert expected in (await run(inside, second))[0]
    client = await lab.client(lab.ids[-1])
    await client.call("kernel.restart", id=inside.kernel)
    assert expected not in (await run(inside, second))[0]


async def test_a_program_that_ends_itself_is_started_again_with_a_word(lab: Lab, image: Image):
    if named(image) not in ENDS:
        pytest.skip("nothing in the language ends it")
    inside = await open_kernel(lab, image)
    said, reply = await run(inside, ENDS[named(image)])
    assert "ended with status 3" in said
    assert reply["status"] == "error"
    assert "마당" in (await run(inside, SAYS[named(image)]))[0]


async def test_a_file_is_run_as_if_it_were_a_cell(lab: Lab, image: Image):
    inside = await open_kernel(lab, image)
    (lab.folder / "project" / image.hello_file).write_text(image.hello)
    said, _ = await run(inside, f'%run "{image.hello_file}"')
    assert "Hello from Madang!" in said
    assert (await run(inside, '%run "nowhere"'))[1]["ename"] == "FileNotFoundError"
