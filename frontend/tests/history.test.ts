import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCells } from "../src/history/cells.js";
import { nameOfCopy } from "../src/history/history.js";

interface Made {
  id?: string;
  cell_type: string;
  source: string | string[];
  outputs?: unknown[];
  metadata?: object;
}

const notebook = (...cells: Made[]): string => JSON.stringify({ cells, nbformat: 4 });
const code = (id: string | undefined, source: string | string[], more: Partial<Made> = {}): Made => ({ ...(id ? { id } : {}), cell_type: "code", source, outputs: [], metadata: {}, ...more });
const output = (text: string, execution_count: number): object => ({ output_type: "execute_result", data: { "text/plain": text }, execution_count });

test("cells are told apart by their ids", () => {
  const before = notebook(code("a", "1"), code("b", ["2\n", "3"]), code("c", "4"), code("d", "5"), code("e", "6"));
  const after = notebook(code("a", "1"), code("b", "2\n33"), code("d", "5"), code("new", "7"), code("e", "6"));
  assert.deepEqual(compareCells(before, after), [
    1,
    { kind: "changed", type: "code", before: "2\n3", after: "2\n33", outputs: false },
    { kind: "removed", type: "code", before: "4", after: "", outputs: false },
    1,
    { kind: "added", type: "code", before: "", after: "7", outputs: false },
    1,
  ]);
});

test("a cell that was moved is told once, where it is now", () => {
  const cells = ["a", "b", "c", "d"].map((id) => code(id, id));
  const [a, b, c, d] = cells as [Made, Made, Made, Made];
  assert.deepEqual(compareCells(notebook(a, b, c, d), notebook(b, c, d, a)), [3, { kind: "moved", type: "code", before: "a", after: "a", outputs: false }]);
});

test("outputs and settings count, times and numbers of runs do not", () => {
  const with_ = (text: string, count: number, metadata: object): string => notebook(code("a", "x", { outputs: [output(text, count)], metadata }));
  assert.deepEqual(compareCells(with_("1", 1, {}), with_("1", 9, { execution: { start: "now" } })), [1]);
  assert.deepEqual(compareCells(with_("1", 1, {}), with_("2", 1, {})), [{ kind: "changed", type: "code", before: "x", after: "x", outputs: true }]);
  assert.deepEqual(compareCells(with_("1", 1, {}), with_("1", 1, { tags: ["t"] })), [{ kind: "changed", type: "code", before: "x", after: "x", outputs: false }]);
});

test("without ids, a cell in the place of another one is that one changed", () => {
  const markdown: Made = { cell_type: "markdown", source: "# one" };
  const before = notebook(markdown, code(undefined, "1"), code(undefined, "2"));
  const after = notebook(markdown, code(undefined, "1 + 1"), code(undefined, "2"), code(undefined, "3"));
  assert.deepEqual(compareCells(before, after), [
    1, { kind: "changed", type: "code", before: "1", after: "1 + 1", outputs: false }, 1, { kind: "added", type: "code", before: "", after: "3", outputs: false },
  ]);
});

test("many cells that are all others are told without comparing each with each", () => {
  const many = (name: string): string => notebook(...Array.from({ length: 3000 }, (_, at) => code(`${name}${String(at)}`, name)));
  assert.equal(compareCells(many("old"), many("new"))?.length, 6000);
});

test("what is no notebook is not compared by cells", () => {
  assert.equal(compareCells("no JSON", notebook()), null);
  assert.equal(compareCells(notebook(), "[]"), null);
  assert.equal(compareCells("null", notebook()), null);
});

test("a copy is named after its time", () => {
  const at = new Date(2026, 2, 4, 9, 5);
  assert.equal(nameOfCopy("slug/a.b/plot.py", at), "slug/a.b/plot-2026-03-04-0905.py");
  assert.equal(nameOfCopy("slug/a.b/Makefile", at, 2), "slug/a.b/Makefile-2026-03-04-0905-2");
  assert.equal(nameOfCopy("slug/.profile", at), "slug/.profile-2026-03-04-0905");
  assert.equal(nameOfCopy("slug/한글.tar.gz", at), "slug/한글.tar-2026-03-04-0905.gz");
});
