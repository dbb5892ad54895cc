import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import { NotebookModel, type YCell } from "../src/notebook/model.js";
import { CellOutputs } from "../src/notebook/outputs.js";
import { isEndOfRun, RunQueue } from "../src/notebook/queue.js";
import { textOf } from "../src/text.js";
import type { Output } from "../src/transcript.js";

function cellWith(...outputs: Record<string, unknown>[]): { cell: YCell; reader: CellOutputs; list: Y.Array<Y.Map<unknown>> } {
  const model = new NotebookModel(new Y.Doc());
  model.insert(0, { id: "a", cell_type: "code", source: "", outputs });
  const cell = model.cell("a");
  const reader = new CellOutputs();
  cell.observeDeep((events) => { reader.changed(events); });
  return { cell, reader, list: cell.get("outputs") as Y.Array<Y.Map<unknown>> };
}

const shown = (output: Output | undefined): string => (output?.kind === "stream" ? textOf(output.text) : "");

test("every kind of output of nbformat is read", () => {
  const { cell, reader } = cellWith(
    { output_type: "stream", name: "stderr", text: ["a\n", "b"] },
    { output_type: "execute_result", execution_count: 1, data: { "text/plain": ["1", "2"] }, metadata: {} },
    { output_type: "error", ename: "E", evalue: "v", traceback: ["x", "y"] },
    { output_type: "something else" },
  );
  const [stream, result, error, other] = reader.read(cell);
  assert.equal(shown(stream), "a\nb");
  assert.equal(stream?.kind === "stream" && stream.name, "stderr");
  assert.equal(result?.kind === "display" && result.result, true);
  assert.deepEqual(error, { kind: "error", name: "E", value: "v", traceback: ["x", "y"] });
  assert.deepEqual(other?.kind === "display" && other.data, {});
});

test("a stream that grows, overwrites its line and is replaced reads as a terminal would show it", () => {
  const { cell, reader, list } = cellWith({ output_type: "stream", name: "stdout", text: "10%" });
  assert.equal(shown(reader.read(cell)[0]), "10%");
  const text = list.get(0).get("text") as Y.Text;
  text.insert(text.length, "\r20%");
  assert.equal(shown(reader.read(cell)[0]), "20%");
  text.insert(text.length, "\ndone\n");
  assert.equal(shown(reader.read(cell)[0]), "20%\ndone\n");
  text.delete(0, 4);
  assert.equal(shown(reader.read(cell)[0]), "20%\ndone\n");
  text.delete(0, text.length);
  text.insert(0, "new");
  assert.equal(shown(reader.read(cell)[0]), "new");
});

test("outputs that did not change keep their identity", () => {
  const { cell, reader, list } = cellWith({ output_type: "stream", name: "stdout", text: "a" }, { output_type: "display_data", data: { "text/plain": "x" }, metadata: {} });
  const [first, second] = reader.read(cell);
  list.get(1).set("data", { "text/plain": "y" });
  const [again, changed] = reader.read(cell);
  assert.equal(again, first);
  assert.notEqual(changed, second);
  assert.deepEqual(changed?.kind === "display" && changed.data, { "text/plain": "y" });
  list.delete(0, 1);
  assert.deepEqual(reader.read(cell), [changed]);
});

test("cells wait in the order in which they were seen to begin waiting", () => {
  const model = new NotebookModel(new Y.Doc());
  model.insert(0, ...["a", "b", "c"].map((id) => ({ id, cell_type: "code" as const, source: "" })));
  const queue = new RunQueue();
  model.cells.observeDeep((events) => { queue.note(model, events); });
  model.cell("c").set("execution_state", "queued");
  model.cell("a").set("execution_state", "queued");
  assert.deepEqual(["a", "b", "c"].map((id) => queue.place(id)), [2, 0, 1]);
  model.cell("c").set("execution_state", "running");
  assert.equal(queue.place("a"), 1);
});

test("the end of a run is seen, though its beginning comes in the same change", () => {
  const model = new NotebookModel(new Y.Doc());
  model.insert(0, { id: "a", cell_type: "code", source: "" });
  const ends: boolean[] = [];
  model.cells.observeDeep((events) => { ends.push(events.some(isEndOfRun)); });
  const cell = model.cell("a");
  cell.set("execution_state", "queued");
  cell.doc?.transact(() => {
    cell.set("execution_state", "running");
    cell.set("execution_state", "idle");
  });
  cell.set("execution_count", 1);
  assert.deepEqual(ends, [false, true, false]);
});
