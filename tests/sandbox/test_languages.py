"""The images of other languages than Python, each in a real sandbox: its kernel, and its first file built and run."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from sandbox.images import Image, images
from sandbox.runner import messages
from sandbox.slots import Slots
from tests.sandbox.conftest import Inside, Lab
from tests.sandbox.test_ipython import ask

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

OURS = [image for image in images().values() if image.base]
REPLS = [image for image in OURS if image.kernels[0].mode == "repl"]
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
ENDS = {
    "bash": "exit 3",
    "javascript": "process.exit(3)",
    "lua": "os.exit(3)",
    "php": "exit(3);",
    "sql": ".exit",
}
FLOOD = {
    "bash": "yes flood",
    "javascript": "for (;;) console.log('flood')",
    "lua": "while true do print('flood') end",
    "php": 'while (true) echo "flood\n";',
}


def named(image: Image) -> str:
    return image.languages[0].name


@pytest.fixture(params=OURS, ids=named)
def image(request: pytest.FixtureRequest, lab: Lab) -> Image:
    lab.image = request.param
    return lab.image


@pytest.fixture(params=REPLS, ids=named)
def repl(request: pytest.FixtureRequest, lab: Lab) -> Image:
    lab.image = request.param
    return lab.image


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


async def test_what_a_cell_leaves_is_there_for_the_next_and_gone_after_a_restart(lab: Lab, repl: Image):
    first, second, expected = REMEMBER[named(repl)]
    inside = await open_kernel(lab, repl)
    await run(inside, first)
    assert expected in (await run(inside, second))[0]
    client = await lab.client(lab.ids[-1])
    await client.call("kernel.restart", id=inside.kernel)
    assert expected not in (await run(inside, second))[0]


async def test_a_program_that_ends_is_started_again_with_a_word(lab: Lab, repl: Image):
    inside = await open_kernel(lab, repl)
    said, reply = await run(inside, ENDS[named(repl)])
    assert "is started again with the next cell" in said
    assert reply["status"] == "error"
    assert "마당" in (await run(inside, SAYS[named(repl)]))[0]


async def test_an_interrupt_between_cells_ends_nothing(lab: Lab, repl: Image):
    first, second, expected = REMEMBER[named(repl)]
    inside = await open_kernel(lab, repl)
    await run(inside, first)
    client = await lab.client(lab.ids[-1])
    await client.call("kernel.interrupt", id=inside.kernel)
    said, reply = await run(inside, second)
    assert (expected in said, reply["status"]) == (True, "ok"), said


async def test_a_flood_is_interrupted(lab: Lab, repl: Image):
    if named(repl) == "sql":
        return  # it prints nothing: its rows are shown, a thousand at most
    inside = await open_kernel(lab, repl)
    _, reply = await run(inside, FLOOD[named(repl)], until="flood\nflood\n")
    assert reply["ename"] == "Interrupted"
    assert "마당" in (await run(inside, SAYS[named(repl)]))[0]


async def test_rows_are_shown_as_a_table(lab: Lab):
    lab.image = images()["sql"]
    inside = await open_kernel(lab, lab.image)
    id, tables = (
        await inside.send("CREATE TABLE t (a, b); INSERT INTO t VALUES ('<i>', NULL), (';', 2); SELECT * FROM t"),
        [],
    )
    async for _, payload in inside.stream:
        _, parts = messages.unpack(payload)
        if messages.field(parts[1], "msg_id") == id and b"text/html" in parts[3]:
            tables.append(json.loads(parts[3])["data"])
            break
    assert tables[0]["text/html"] == (
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>"
        "<tr><td>&lt;i&gt;</td><td>NULL</td></tr><tr><td>;</td><td>2</td></tr></tbody></table>"
    )
    assert tables[0]["text/plain"] == "a    b\n---  ----\n<i>  NULL\n;    2"


async def test_warnings_of_a_compiler_are_shown_and_a_crash_says_so(lab: Lab):
    lab.image = images()["c"]
    inside = await open_kernel(lab, lab.image)
    said, reply = await run(inside, "int main(void) { int unused; return 0; }")
    assert reply["status"] == "ok"
    assert "main.c:1:22: warning: unused variable" in said
    said, reply = await run(inside, "int main(void) { *(volatile int *)0 = 1; }")
    assert (reply["ename"], reply["evalue"]) == ("ProgramError", "The program ended by a signal: Segmentation fault.")
    said, reply = await run(inside, "int main(void) { return 3; }")
    assert reply["evalue"] == "The program ended with status 3."


async def test_a_program_of_a_cell_finds_the_projects_files_and_leaves_none(lab: Lab):
    lab.image = images()["c"]
    inside = await open_kernel(lab, lab.image)
    (lab.folder / "project" / "own.h").write_text('#define WORD "own"\n')
    code = '#include <stdio.h>\n#include "own.h"\nint main(void) { puts(WORD); return fopen("own.h", "r") == NULL; }'
    assert (await run(inside, code))[0] == "own\n"
    assert [path.name for path in (lab.folder / "project").iterdir()] == ["own.h"]


async def test_a_file_is_run_as_if_it_were_a_cell(lab: Lab, image: Image):
    inside = await open_kernel(lab, image)
    (lab.folder / "project" / image.hello_file).write_text(image.hello)
    said, _ = await run(inside, f'%run "{image.hello_file}"')
    assert "Hello from Madang!" in said
    assert (await run(inside, '%run "nowhere"'))[1]["ename"] == "FileNotFoundError"
