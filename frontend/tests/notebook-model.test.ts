import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import { type CellData, metadataOf, NotebookModel, sourceOf } from "../src/notebook/model.js";

const code = (source: string, more: Partial<CellData> = {}): CellData => ({ cell_type: "code", source, metadata: {}, ...more });
const text = (source: string, more: Partial<CellData> = {}): CellData => ({ cell_type: "markdown", source, metadata: {}, ...more });
const stream = { output_type: "stream", name: "stdout", text: "1\n" };

function notebook(...cells: CellData[]): NotebookModel {
  const model = new NotebookModel(new Y.Doc());
  model.ydoc.transact(() => { model.insert(0, ...cells); });
  return model;
}

const sources = (model: NotebookModel): string[] => model.ids().map((id) => sourceOf(model.cell(id)).toString());

test("cells that are inserted get ids of their own", () => {
  const model = notebook(code("a", { id: "same" }), code("b", { id: "same" }), code("c"));
  assert.equal(new Set(model.ids()).size, 3);
  assert.ok(model.ids().every((id) => /^[a-zA-Z0-9-_]{1,64}$/.test(id)));
  assert.equal(model.ids()[0], "same");
});

test("the last cell that is removed leaves an empty one, and undo brings it back with its outputs", () => {
  const model = notebook(code("x = 1", { id: "a", outputs: [stream], execution_count: 3 }));
  model.remove(["a"]);
  assert.deepEqual(sources(model), [""]);
  assert.ok(model.undo());
  assert.deepEqual(model.data("a"), { id: "a", cell_type: "code", source: "x = 1", metadata: {}, outputs: [stream], execution_count: 3 });
  assert.equal(model.cells.length, 1);
  assert.ok(model.redo());
  assert.equal(model.find("a")?.get("id") === "a", false);
});

test("undo is for what happened to cells, not for what was typed or run", () => {
  const model = notebook(code("x", { id: "a" }));
  sourceOf(model.cell("a")).insert(1, " = 1");
  model.insert(1, code("y", { id: "b" }));
  model.ydoc.transact(() => { (model.cell("a").get("outputs") as Y.Array<unknown>).push([new Y.Map(Object.entries(stream))]); }, "server");
  model.undo();
  assert.deepEqual(sources(model), ["x = 1"]);
  assert.equal(model.data("a").outputs?.length, 1);
});

test("cells move together and keep what they have", () => {
  const model = notebook(code("a", { id: "a" }), code("b", { id: "b", outputs: [stream] }), code("c", { id: "c" }), text("d", { id: "d" }));
  model.move(["c", "a"], "d");
  assert.deepEqual(model.ids(), ["b", "a", "c", "d"]);
  model.move(["b"], null);
  assert.deepEqual(model.ids(), ["a", "c", "d", "b"]);
  assert.deepEqual(model.data("b").outputs, [stream]);
  model.move(["a", "c"], "c");
  assert.deepEqual(model.ids(), ["a", "c", "d", "b"], "nowhere to go");
});

test("a cell is split at line ends without an empty line, its outputs stay with the last part", () => {
  const model = notebook(code("a = 1\nb = 2\nc = 3", { id: "x", outputs: [stream], metadata: { tags: ["t"] } }));
  const parts = model.split("x", [5, 12]);
  assert.deepEqual(sources(model), ["a = 1", "b = 2", "c = 3"]);
  assert.equal(parts.at(-1), "x");
  assert.deepEqual(model.data("x").outputs, [stream]);
  assert.deepEqual(metadataOf(model.cell(parts[0] ?? "")).tags, ["t"]);
  model.undo();
  assert.deepEqual(sources(model), ["a = 1\nb = 2\nc = 3"]);
  model.split("x", [17, 99]);
  assert.deepEqual(sources(model), ["a = 1\nb = 2\nc = 3", ""], "at its end a cell gets an empty neighbour");
});

test("merged cells become the first of them", () => {
  const attached = { "a.png": { "image/png": "x" } };
  const model = notebook(text("one", { id: "a" }), text("two", { id: "b", attachments: attached }), code("three", { id: "c", outputs: [stream] }));
  assert.equal(model.merge(["b", "a"]), "a");
  assert.deepEqual(sources(model), ["one\n\ntwo", "three"]);
  assert.deepEqual(model.data("a").attachments, attached);
  model.merge(["c"]);
  assert.deepEqual(model.data("c").outputs, [], "outputs of something else than the text are gone");
});

test("a cell of another type keeps its id, text and tags", () => {
  const model = notebook(code("# a", { id: "a", outputs: [stream], execution_count: 2, metadata: { tags: ["x"] } }));
  model.setType(["a"], "markdown");
  assert.deepEqual(model.data("a"), { id: "a", cell_type: "markdown", source: "# a", metadata: { tags: ["x"] } });
  model.setType(["a"], "code");
  assert.equal(model.cell("a").get("execution_state"), "idle");
});

test("what two people do at once comes together", () => {
  const [mine, theirs] = [notebook(code("a", { id: "a" }), code("b", { id: "b" })), new NotebookModel(new Y.Doc())];
  const exchange = (): void => {
    Y.applyUpdate(theirs.ydoc, Y.encodeStateAsUpdate(mine.ydoc));
    Y.applyUpdate(mine.ydoc, Y.encodeStateAsUpdate(theirs.ydoc));
  };
  exchange();
  mine.insert(1, code("mine"));
  theirs.setMetadata("b", "tags", ["theirs"]);
  sourceOf(theirs.cell("a")).insert(1, "!");
  exchange();
  assert.deepEqual(sources(mine), ["a!", "mine", "b"]);
  assert.deepEqual(sources(theirs), sources(mine));
  assert.deepEqual(metadataOf(mine.cell("b")), { tags: ["theirs"] });
  mine.undo();
  exchange();
  assert.deepEqual(sources(theirs), ["a!", "b"], "undo takes back only one's own");
});

test("a cell that is not there is an error, not another cell", () => {
  const model = notebook(code("a", { id: "a" }));
  assert.throws(() => model.cell("b"), RangeError);
  assert.equal(model.find("b"), undefined);
});
