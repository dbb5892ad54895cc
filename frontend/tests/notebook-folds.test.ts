import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import { FOLDED, foldsOf, placeAfter, setFolded, withFolded } from "../src/notebook/folds.js";
import { metadataOf, NotebookModel } from "../src/notebook/model.js";

/** A notebook of cells with these texts, whose ids are a, b, c, …; text cells begin with `#`, are underlined, or with `>`. */
function notebook(...sources: string[]): NotebookModel {
  const model = new NotebookModel(new Y.Doc());
  model.insert(0, ...sources.map((source, at) => ({ id: String.fromCharCode(97 + at), cell_type: /^[#>]|\n=+$/.test(source) ? ("markdown" as const) : ("code" as const), source, metadata: {} })));
  return model;
}

const folds = (model: NotebookModel, own: Record<string, boolean> = {}): ReturnType<typeof foldsOf> => foldsOf(model, new Map(Object.entries(own)));

test("a section reaches to the next heading of its level or above", () => {
  const model = notebook("# One", "1", "## Two", "2", "> said\n\n## no heading of this cell", "# Three", "3");
  assert.deepEqual([...folds(model).headings], [["a", { folded: false, count: 4 }], ["c", { folded: false, count: 2 }], ["f", { folded: false, count: 1 }]]);
  setFolded(model, "c", true);
  assert.deepEqual(folds(model).shown, ["a", "b", "c", "f", "g"]);
  setFolded(model, "a", true);
  assert.deepEqual(folds(model).shown, ["a", "f", "g"]);
  assert.equal(folds(model).under.get("e"), "a");
  setFolded(model, "a", false);
  assert.deepEqual(folds(model).shown, ["a", "b", "c", "f", "g"], "what was folded in it still is");
});

test("it is kept as JupyterLab keeps it, and its extension's older name is read", () => {
  const model = notebook("Title\n=====", "1");
  setFolded(model, "a", true);
  assert.deepEqual(metadataOf(model.cell("a")), { [FOLDED]: true });
  model.setMetadata("a", FOLDED, undefined);
  model.setMetadata("a", "heading_collapsed", true);
  assert.deepEqual(folds(model).shown, ["a"]);
  setFolded(model, "a", false);
  assert.deepEqual(metadataOf(model.cell("a")), {});
});

test("who only reads folds for themselves", () => {
  const model = notebook("# One", "1");
  assert.deepEqual(folds(model, { a: true }).shown, ["a"]);
  setFolded(model, "a", true);
  assert.deepEqual(folds(model, { a: false }).shown, ["a", "b"]);
});

test("what is folded goes with its heading", () => {
  const model = notebook("# One", "1", "2", "# Two", "3");
  setFolded(model, "a", true);
  assert.deepEqual(withFolded(model, folds(model), ["d", "a"]), ["a", "b", "c", "d"]);
  assert.equal(placeAfter(model, folds(model), "a"), 3);
  assert.equal(placeAfter(model, folds(model), "d"), 4);
});
