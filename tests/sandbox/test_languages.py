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

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

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
    "typescript": "// one\n\nconst n: number = 'nonsense'",
    "perl": "use strict;\n\ndie 'nonsense';",
    "r": "# one\n\nstop('nonsense')",
    "octave": "# one\n\nnonsense",
    "haskell": "main :: IO ()\nmain =\n    nonsense",
    "julia": "# one\n\nnonsense",
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
    "typescript": "console.log('begun'); for (;;);",
    "perl": "$| = 1; print 'begun'; while (1) {}",
    "r": "cat('begun\\n'); repeat {}",
    "octave": "disp('begun'); while true end",
    "haskell": """import System.IO
main = putStrLn "begun" >> hFlush stdout >> loop 0
loop :: Integer -> IO ()
loop n = if n < 0 then return () else loop (n + 1)""",
    "julia": 'println("begun"); while true end',
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
    "typescript": "console.log('마당')",
    "perl": "print '마당'",
    "r": "cat('마당')",
    "octave": "disp('마당')",
    "haskell": 'main = putStrLn "마당"',
    "julia": 'println("마당")',
}
REMEMBER = {
    "bash": ("x=41; cd /tmp", "echo $((x + 1)) $PWD", "42 /tmp"),
    "javascript": ("let x = 41; let y = await Promise.resolve(1)", "let x2 = x; x2 + y", "42"),
    "lua": ("x = 41", "print(x + 1)", "42"),
    "sql": ("CREATE TABLE t (x); INSERT INTO t VALUES (41);", "SELECT x + 1 AS y FROM t", "42"),
    "php": ("$x = 41;", "echo $x + 1;", "42"),
    "r": ("x <- 41", "x + 1", "42"),
}
ENDS = {
    "bash": "exit 3",
    "javascript": "process.exit(3)",
    "lua": "os.exit(3)",
    "php": "exit(3);",
    "sql": ".exit",
    "r": "quit(status = 3)",
}
FLOOD = {
    "bash": "yes flood",
    "javascript": "for (;;) console.log('flood')",
    "lua": "while true do print('flood') end",
    "php": 'while (true) echo "flood\n";',
    "r": "repeat cat('flood\\n')",
}


# Cells that ask for a name with a prompt and greet it, then read on until the end of their input.
ASKS = {
    "bash": "printf 'name? '; read -r name; echo \"hello $name\"; cat; echo over",
    "c": r"""#include <stdio.h>
int main(void) {
    char name[40], c;
    printf("name? ");
    if (scanf("%39s", name) == 1) printf("hello %s\n", name);
    while (scanf(" %c", &c) == 1) putchar(c);
    puts("over");
}""",
    "cpp": r"""#include <iostream>
#include <string>
int main() {
    std::string word;
    std::cout << "name? ";
    std::cin >> word;
    std::cout << "hello " << word << "\n";
    while (std::cin >> word) std::cout << word;
    std::cout << "over\n";
}""",
    "java": """import java.util.Scanner;
class Main {
    public static void main(String[] a) {
        System.out.print("name? ");
        Scanner in = new Scanner(System.in);
        System.out.println("hello " + in.nextLine());
        while (in.hasNextLine()) System.out.print(in.nextLine());
        System.out.println("over");
    }
}""",
    "javascript": """const rl = require("readline").createInterface({ input: process.stdin, output: process.stdout });
rl.question("name? ", (name) => {
  console.log(`hello ${name}`);
  rl.on("line", (line) => console.log(line));
  rl.on("close", () => console.log("over"));
});""",
    "lua": "io.write('name? ') print('hello ' .. io.read()) for line in io.lines() do print(line) end print('over')",
    "go": """package main
import ("bufio"; "fmt"; "os")
func main() {
    in := bufio.NewScanner(os.Stdin)
    fmt.Print("name? ")
    in.Scan()
    fmt.Println("hello " + in.Text())
    for in.Scan() { fmt.Println(in.Text()) }
    fmt.Println("over")
}""",
    "rust": """use std::io::{self, BufRead, Write};
fn main() {
    print!("name? ");
    io::stdout().flush().unwrap();
    let mut lines = io::stdin().lock().lines();
    println!("hello {}", lines.next().unwrap().unwrap());
    for line in lines { println!("{}", line.unwrap()); }
    println!("over");
}""",
    "php": r"""echo 'name? ';
$name = fgets(STDIN);
echo "hello $name";
while (($line = fgets(STDIN)) !== false) echo $line;
echo 'over';""",
    "typescript": """const rl = require("readline").createInterface({ input: process.stdin, output: process.stdout });
rl.question("name? ", (name: string) => {
  console.log(`hello ${name}`);
  rl.on("line", (line: string) => console.log(line));
  rl.on("close", () => console.log("over"));
});""",
    "perl": """$| = 1;
print "name? ";
my $name = <STDIN>;
print "hello $name", <STDIN>, "over";""",
    "r": """name <- readline("name? ")
cat("hello ", name, "\\n", sep = "")
more <- file("stdin", "r")
while (length(line <- readLines(more, 1))) cat(line, "\\n")
close(more)
cat("over\\n")""",
    "octave": """name = input("name? ", "s");
printf("hello %s\\n", name);
while ischar(line = fgetl(stdin)) disp(line) end
disp("over")""",
    "haskell": """import System.IO
main = do
    hSetBuffering stdout NoBuffering
    putStr "name? "
    name <- getLine
    putStrLn ("hello " ++ name)
    getContents >>= putStr
    putStrLn "over"
""",
    "julia": """print("name? ")
println("hello ", readline())
foreach(println, eachline(stdin))
println("over")""",
}

# A cell, what is then typed, what would complete it (a whole word of the answer), and what is said of it.
KNOWS: dict[str, list[tuple[str, str, str | None]]] = {
    "bash": [("madang_word=1", "echo $madang_w", "$madang_word"), ("", "madang_no_such", None), ("", "ech", "echo")],
    "javascript": [("let madang = {field: 1}", "madang.f", "field"), ("", "mada", "madang"), ("", "Math.ma", "max")],
    "lua": [("madang = {field = 1}", "print(madang.f", "field"), ("", "('x').up", None), ("", "string.upp", "upper")],
    "php": [("$madang = 1;", "echo $mad", "madang"), ("", "str_rep", "str_replace"), ("", "DateTime::for", "format")],
    "sql": [("CREATE TABLE madang (field INT);", "SELECT * FROM mad", "madang"), ("", "madang.", "field")],
    "r": [
        ("madang <- list(field = 1)", "madang$f", "madang$field"),
        ("", "mada", "madang"),
        ("", "read.c", "read.csv"),
    ],
}
SAYS_OF = {
    "bash": ("cd", "Change the shell working directory"),
    "javascript": ("madang", "field: 1"),
    "lua": ("print", "written in C"),
    "php": ("str_replace", "replace"),
    "sql": ("madang", "CREATE TABLE madang"),
    "r": ("read.csv", "function (file"),
}
WHOLE: dict[str, tuple[str, str, str | None]] = {  # complete, incomplete, invalid
    "bash": ("echo 1", "if true; then", "fi"),
    "javascript": ("await 1", "if (x) {", "let let = 1"),
    "lua": ("1 + 1", "if x then", "x = = 1"),
    "php": ("echo 1;", "if ($x) {", "echo 1 1;"),
    "sql": ("SELECT 1;", "SELECT", None),
    "r": ("1 + 1", "f(", "1 1"),
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


async def open_kernel(lab: Lab, image: Image, policy: str = "default") -> Inside:
    client, kernel = await lab.client(await lab.start(Slots(memory=1 << 30), policy=policy)), str(uuid.uuid4())
    await client.call("kernel.start", id=kernel, name=image.kernels[0].name)
    return Inside(await client.open("kernel.attach", id=kernel, session="test", since=0), kernel)


ASKED = "input_request"


async def run(inside: Inside, code: str, until: str = "") -> tuple[str, dict[str, Any]]:
    """What ``code`` shows in all ways, and its reply; with ``until`` it is interrupted once that has been shown,
    or, where that is :data:`ASKED`, once a line is asked for."""
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
            if until and not seen and (channel == "stdin" if until == ASKED else until in said):
                seen = True
                await interrupt(inside)
            if reply and content.get("execution_state") == "idle":
                return said, reply
    raise AssertionError("the stream ended first")


async def answer(inside: Inside, code: str, lines: list[str], stdin: bool = True) -> tuple[str, list[str]]:
    """What ``code`` prints where ``lines`` are typed as it asks for them, and what had been printed at each."""
    id, said, asked, over = await inside.send(code, stdin), "", [], False
    async with asyncio.timeout(60):
        async for _, payload in inside.stream:
            channel, parts = messages.unpack(payload)
            if messages.field(parts[1], "msg_id") != id:
                continue
            content = json.loads(parts[3])
            said += content.get("text", "") + "\n".join(content.get("traceback", ()) if channel == "iopub" else ())
            if channel == "stdin":
                asked.append(said)
                await reply_with(inside, lines[len(asked) - 1])
            over = over or channel == "shell"
            if over and content.get("execution_state") == "idle":
                return said, asked
    raise AssertionError("the stream ended first")


async def reply_with(inside: Inside, line: str) -> None:
    header = {"msg_id": uuid.uuid4().hex, "session": "t", "username": "t", "date": "", "version": "5.4"}
    parts = [json.dumps(part).encode() for part in (header | {"msg_type": "input_reply"}, {}, {}, {"value": line})]
    await inside.stream.write(messages.pack("stdin", parts))


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
    assert any(mark in said for mark in ("line 3", ":3:", "(3,", "line 4")), (
        said
    )  # a shell misses something after the last


async def test_a_loop_without_end_is_interrupted_and_the_next_cell_runs(lab: Lab, image: Image):
    inside = await open_kernel(lab, image)
    said, reply = await run(inside, ENDLESS[named(image)], until="begun")
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted"), said
    said, reply = await run(inside, SAYS[named(image)])
    assert "마당" in said
    assert reply["status"] == "ok"


async def test_a_program_that_reads_asks_for_a_line_until_the_end_of_input(lab: Lab, image: Image):
    if named(image) == "sql":
        return  # it has no input
    inside = await open_kernel(lab, image)
    for _ in range(2):  # the end of input is that of a cell
        said, asked = await answer(inside, ASKS[named(image)], ["마당 집", "more", "\x04"])
        name = "마당" if named(image) in ("c", "cpp") else "마당 집"  # which read words
        assert asked[0] == "name? "
        assert f"hello {name}\n" in said
        assert "more" in said and "over" in said and len(asked) == 3, (said, asked)


async def test_where_nobody_can_be_asked_input_is_empty(lab: Lab, image: Image):
    if named(image) == "sql":
        return
    inside = await open_kernel(lab, image)
    said, asked = await answer(inside, ASKS[named(image)], [], stdin=False)
    assert "name? " in said and not asked


async def test_a_program_that_waits_for_input_is_interrupted(lab: Lab, image: Image):
    if named(image) == "sql":
        return
    inside = await open_kernel(lab, image)
    said, reply = await run(inside, ASKS[named(image)], until=ASKED)
    assert reply.get("ename") == "Interrupted", (said, reply)
    said, _ = await answer(inside, ASKS[named(image)], ["again", "\x04"])
    assert "hello again" in said and "over" in said


async def test_it_completes_what_a_cell_left(lab: Lab, repl: Image):
    inside = await open_kernel(lab, repl)
    for cell, typed, expected in KNOWS[named(repl)]:
        await run(inside, cell)
        code = f"마당\n{typed}"
        reply = await ask(inside, "shell", "complete_request", {"code": code + "\nx", "cursor_pos": len(code)})
        assert reply["status"] == "ok" and reply["cursor_end"] == len(code)
        assert (expected in reply["matches"]) == (expected is not None), reply
        assert all(match.lower().startswith(code[reply["cursor_start"] :].lower()) for match in reply["matches"])


async def test_it_says_what_there_is_to_say_of_a_name(lab: Lab, repl: Image):
    inside = await open_kernel(lab, repl)
    await run(inside, KNOWS[named(repl)][0][0])
    name, said = SAYS_OF[named(repl)]
    reply = await ask(inside, "shell", "inspect_request", {"code": name, "cursor_pos": len(name), "detail_level": 0})
    assert reply["found"] and said in reply["data"]["text/plain"], reply
    reply = await ask(inside, "shell", "inspect_request", {"code": "no_such_thing", "cursor_pos": 3})
    assert (reply["status"], reply["found"], reply["data"]) == ("ok", False, {})


async def test_it_knows_whether_a_cell_is_whole(lab: Lab, repl: Image):
    inside = await open_kernel(lab, repl)
    for code, expected in zip(WHOLE[named(repl)], ("complete", "incomplete", "invalid"), strict=True):
        if code is not None:
            assert (await ask(inside, "shell", "is_complete_request", {"code": code}))["status"] == expected, code


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


def image_called(name: str) -> Image:
    """The image, where its programs are on this machine."""
    if (image := images().get(name)) is None:
        pytest.skip(f"{name}'s programs are not installed")
    return image


async def test_rows_are_shown_as_a_table(lab: Lab):
    lab.image = image_called("sql")
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
    lab.image = image_called("c")
    inside = await open_kernel(lab, lab.image)
    said, reply = await run(inside, "int main(void) { int unused; return 0; }")
    assert reply["status"] == "ok"
    assert "main.c:1:22: warning: unused variable" in said
    said, reply = await run(inside, "int main(void) { *(volatile int *)0 = 1; }")
    assert (reply["ename"], reply["evalue"]) == ("ProgramError", "The program ended by a signal: Segmentation fault.")
    said, reply = await run(inside, "int main(void) { return 3; }")
    assert reply["evalue"] == "The program ended with status 3."


async def test_a_program_of_a_cell_finds_the_projects_files_and_leaves_none(lab: Lab):
    lab.image = image_called("c")
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
