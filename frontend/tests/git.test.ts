import assert from "node:assert/strict";
import { test } from "node:test";
import { readLog, readStatus } from "../src/git/status.js";
import { pathOf, uriOf } from "../src/servers/uris.js";
import { edited } from "../src/servers/rename.js";

const z = (...records: string[]): string => `${records.join("\0")}\0`;
const hashes = "100644 100644 100644 aaaa bbbb";

test("a repository's state is read", () => {
  const status = readStatus(z("# branch.oid abc", "# branch.head main", "# branch.upstream origin/main", "# branch.ab +2 -1",
    `1 MM N... ${hashes} src/a b.py`, `1 .D N... ${hashes} gone.py`, `2 R. N... ${hashes} R100 new name.py`, "old name.py", "u UU N... 100644 100644 100644 100644 a b c both.py", "? 새 파일.txt"));
  assert.deepEqual({ ...status, changes: [] }, { branch: "main", upstream: "origin/main", ahead: 2, behind: 1, born: true, changes: [] });
  assert.deepEqual(status.changes.map(({ path, before, letter, staged }) => [path, before, letter, staged]), [
    ["src/a b.py", "", "M", true], ["src/a b.py", "", "M", false], ["gone.py", "", "D", false], ["new name.py", "old name.py", "R", true],
    ["both.py", "", "U", false], ["새 파일.txt", "", "?", false],
  ]);
});

test("a repository without commits, and nonsense, are read", () => {
  assert.equal(readStatus(z("# branch.oid (initial)", "# branch.head main")).born, false);
  assert.deepEqual(readStatus("garbage\0\0# \x001").changes, []);
});

test("commits are read", () => {
  assert.deepEqual(readLog(z("abc\x1fYuna\x1f2026-01-02T03:04:05+09:00\x1fFirst: a | b")), [
    { hash: "abc", author: "Yuna", when: "2026-01-02T03:04:05+09:00", subject: "First: a | b" },
  ]);
  assert.deepEqual(readLog(""), []);
});

test("files have URIs and the other way round", () => {
  const root = "file:///home/u/project";
  for (const path of ["main.py", "a b/ç#?.py", "마당/%41.c"]) assert.equal(pathOf(root, uriOf(root, path)), path);
  assert.equal(pathOf(root, "file:///home/u/projects/x.py"), null);
  assert.equal(pathOf(root, `${root}/%zz`), null);
});

test("edits are made in a text that is not open", () => {
  const at = (line: number, character: number) => ({ line, character });
  const edits = [{ range: { start: at(0, 0), end: at(0, 1) }, newText: "long" }, { range: { start: at(1, 2), end: at(1, 3) }, newText: "long" }];
  assert.equal(edited("a = 1\nf(a)\n", edits), "long = 1\nf(long)\n");
});
