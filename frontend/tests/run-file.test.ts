import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder, type Entry, parentOf, validName } from "../src/contents.js";
import { translate } from "../src/i18n.js";
import { lastLines } from "../src/long-text.js";
import { canRun, runLine } from "../src/run-file.js";

test("ordinary names run with the magic, odd ones with a call", () => {
  assert.equal(runLine("main.py"), '%run "main.py"');
  assert.equal(runLine("폴더/내 파일.py"), '%run "폴더/내 파일.py"');
  assert.equal(runLine('a"{x}$.py'), 'get_ipython().run_line_magic("run", "\\"a\\\\\\"{x}$.py\\"")');
  assert.ok(canRun("a.PY", ".py .ipynb") && !canRun("notes.txt", ".py .ipynb") && !canRun("a.py", ".c") && !canRun("a", ""));
  assert.equal(runLine("main.c", "c"), '%run "main.c"');
  assert.equal(runLine('a"b.sh', "bash"), '%run "a\\"b.sh"');
});

test("folders come first, names sort as people do", () => {
  const entry = (name: string, type: Entry["type"]): Entry => ({ name, path: name, type, size: 0, last_modified: null, writable: true });
  const sorted = inOrder([entry("b10.py", "file"), entry("b9.py", "file"), entry("z", "directory")]);
  assert.deepEqual(sorted.map(({ name }) => name), ["z", "b9.py", "b10.py"]);
  assert.equal(parentOf("slug/a/b.py"), "slug/a");
  assert.equal(parentOf("slug"), "");
});

test("names that cannot be are refused before they are sent", () => {
  for (const bad of ["", "  ", "a/b", ".", "..", "x".repeat(201)]) assert.equal(validName(bad), false);
  assert.ok(validName("한글 이름.py"));
});

test("a long text shows its end, and all of it when asked", () => {
  const text = Array.from({ length: 1000 }, (_, at) => `line ${String(at)}\n`).join("");
  const { shown, hidden } = lastLines(text, false);
  assert.equal(hidden, 600);
  assert.ok(shown.startsWith("line 600\n") && shown.endsWith("line 999\n"));
  assert.deepEqual(lastLines(text, true), { shown: text, hidden: 0 });
  assert.ok(lastLines("x".repeat(10_000_000), true).shown.length <= 2_000_000);
});

test("both languages have every sentence, with the same blanks", () => {
  assert.equal(translate("en", "terminalN", { n: 2 }), "Terminal 2");
  assert.equal(translate("ko", "terminalN", { n: 2 }), "터미널 2");
  assert.equal(translate("ko", "terminalN"), "터미널 {n}");
});
