import assert from "node:assert/strict";
import { test } from "node:test";
import { marksOf, placesIn, projectPath } from "../src/servers/places.js";

const one = (text: string): [string, number, number, string] => {
  const [place] = placesIn(text);
  assert.ok(place, text);
  return [place.file, place.line, place.column, place.severity];
};

test("places are found in what compilers and interpreters print", () => {
  const said: [string, [string, number, number, string]][] = [
    ['  File "/home/u/project/main.py", line 3, in <module>', ["/home/u/project/main.py", 3, 1, "error"]],
    ["main.c:4:12: error: expected ';' before 'return'", ["main.c", 4, 12, "error"]],
    ["src/a-b.cpp:7:1: warning: unused variable", ["src/a-b.cpp", 7, 1, "warning"]],
    ["./main.go:5:2: undefined: x", ["./main.go", 5, 2, "error"]],
    [" --> main.rs:2:5", ["main.rs", 2, 5, "error"]],
    ["Main.java:5: error: ';' expected", ["Main.java", 5, 1, "error"]],
    ["main.ts(3,7): error TS2322: Type 'string'", ["main.ts", 3, 7, "error"]],
    ["    at f (/home/u/project/main.js:3:9)", ["/home/u/project/main.js", 3, 9, "error"]],
    ["lua5.4: main.lua:2: attempt to call a nil value", ["main.lua", 2, 1, "error"]],
    ["main.sh: line 4: nope: command not found", ["main.sh", 4, 1, "error"]],
    ["PHP Fatal error:  Uncaught Error in /home/u/project/main.php on line 6", ["/home/u/project/main.php", 6, 1, "error"]],
    ["Illegal division by zero at main.pl line 9.", ["main.pl", 9, 1, "error"]],
    ["마당.py:1:2: 오류", ["마당.py", 1, 2, "error"]],
  ];
  for (const [text, expected] of said) assert.deepEqual(one(text), expected, text);
});

test("plain words and times are no places", () => {
  for (const text of ["hello", "12:30:45", "it took 3.5 s", "http://example.org:80/x", "a.b: c", "done main.py"]) assert.deepEqual(placesIn(text), [], text);
});

test("a very long line takes no long time", () => {
  assert.equal(placesIn("a".repeat(20_000)).length, 0);
  assert.equal(placesIn("a/".repeat(10_000)).length, 0);
  assert.equal(placesIn("a.".repeat(10_000)).length, 0);
});

test("paths are the project's own", () => {
  const root = "/home/u/project";
  assert.equal(projectPath("main.py", "", root), "main.py");
  assert.equal(projectPath("./a.c", "src", root), "src/a.c");
  assert.equal(projectPath("../a.c", "src", root), "a.c");
  assert.equal(projectPath("/home/u/project/x/y.py", "src", root), "x/y.py");
  assert.equal(projectPath("/usr/lib/python3/os.py", "", root), null);
  assert.equal(projectPath("../../etc/passwd.txt", "", root), null);
});

test("a traceback marks the project's innermost line with what went wrong", () => {
  const text = ["Traceback (most recent call last):", '  File "/home/u/project/main.py", line 9, in <module>', "    go()", '  File "/home/u/project/lib.py", line 2, in go', "    json.loads('x')",
    '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode', "json.decoder.JSONDecodeError: Expecting value", "main.c:3:1: error: bad"];
  assert.deepEqual(marksOf(text, (file) => projectPath(file, "", "/home/u/project")), [
    { path: "lib.py", line: 2, column: 1, message: "json.decoder.JSONDecodeError: Expecting value", severity: "error" },
    { path: "main.c", line: 3, column: 1, message: "bad", severity: "error" },
  ]);
});
