import assert from "node:assert/strict";
import { test } from "node:test";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { codeOf } from "../src/notebook/export.js";
import { matchesOf, patternOf, replaceMatches } from "../src/notebook/find.js";
import { endingOf, isPython } from "../src/notebook/language.js";
import { type CellData, NotebookModel, sourceOf } from "../src/notebook/model.js";
import { headingsOf } from "../src/notebook/outline.js";
import { peopleIn } from "../src/notebook/people.js";
import { readVariables } from "../src/notebook/variables.js";

function notebook(cells: Record<string, string>, metadata: Record<string, unknown> = {}): NotebookModel {
  const model = new NotebookModel(new Y.Doc());
  const type = (id: string): CellData["cell_type"] => (id.startsWith("m") ? "markdown" : id.startsWith("r") ? "raw" : "code");
  model.insert(0, ...Object.entries(cells).map(([id, source]) => ({ id, cell_type: type(id), source })));
  model.meta.set("metadata", new Y.Map(Object.entries(metadata)));
  return model;
}

test("what is searched for is text, not an expression, unless one says so", () => {
  const model = notebook({ a: "x.y xxy\nX.Y", m: "x.y" });
  const plain = { text: "x.y", matchCase: false, regex: false };
  const found = (query: typeof plain): number => matchesOf(model, patternOf(query) ?? /never/gu).length;
  assert.equal(found(plain), 3);
  assert.equal(found({ ...plain, matchCase: true }), 2);
  assert.equal(found({ ...plain, regex: true }), 4);
  assert.equal(patternOf({ ...plain, text: "" }), null);
  assert.throws(() => patternOf({ ...plain, text: "(", regex: true }), SyntaxError);
  assert.equal(found({ ...plain, text: "z*", regex: true }), 0, "nothing is not a match");
});

test("all matches are replaced in one step, with what an expression found", () => {
  const model = notebook({ a: "one(1) one(2)", b: "one(3)" });
  const query = { text: "one\\((\\d)\\)", matchCase: true, regex: true };
  const pattern = patternOf(query);
  assert.ok(pattern);
  replaceMatches(model, matchesOf(model, pattern), pattern, query, "two[$1]");
  assert.equal(sourceOf(model.cell("a")).toString(), "two[1] two[2]");
  assert.equal(sourceOf(model.cell("b")).toString(), "two[3]");
  const plain = { text: "two[1]", matchCase: true, regex: false };
  const other = patternOf(plain);
  assert.ok(other);
  replaceMatches(model, matchesOf(model, other), other, plain, "$1 & $&");
  assert.equal(sourceOf(model.cell("a")).toString(), "$1 & $& two[2]", "plain text stays plain");
});

test("the outline has the headings of text cells, not comments of code", () => {
  const model = notebook({ m1: "# One **bold** #\ntext\n\n```python\n# no heading\n```\n## [Two](http://x)", a: "# code", m2: "Under\n===\n- item\n---\n#hash" });
  assert.deepEqual(headingsOf(model), [
    { id: "m1", level: 1, text: "One bold" }, { id: "m1", level: 2, text: "Two" }, { id: "m2", level: 1, text: "Under" },
  ]);
});

test("exported code runs: magics and text become comments", () => {
  const model = notebook({ m: "# Title\n\ntext", a: "%matplotlib inline\nx = 1\n  !ls", r: "raw" });
  assert.equal(codeOf(model, ".py"), "# %% [markdown]\n# # Title\n#\n# text\n\n# %%\n# %matplotlib inline\nx = 1\n  # !ls\n\n# %% [raw]\n# raw\n");
  assert.ok(codeOf(model, ".js").startsWith("// %% [markdown]"));
});

test("the language is the one that the notebook says, else the project's", () => {
  assert.equal(endingOf(notebook({}, { language_info: { name: "R", file_extension: ".r" } }), "main.py"), ".r");
  assert.equal(endingOf(notebook({}, { kernelspec: { language: "julia" } }), "main.py"), ".jl");
  assert.equal(endingOf(notebook({}, { language_info: { file_extension: "../../x" } }), "main.lua"), ".lua");
  assert.equal(isPython(notebook({}, { kernelspec: { name: "python3" } })), true);
  assert.equal(isPython(notebook({}, { kernelspec: { name: "ir", language: "R" } })), false);
});

test("only people with a name are people, and colours are colours", () => {
  const [me, other, garbage] = [new Awareness(new Y.Doc()), 7, 8];
  me.setLocalState({ user: { name: "me" } });
  me.getStates().set(other, { user: { name: "Hana", color: "red;background:url(x)" }, cell: "a" });
  me.getStates().set(garbage, { user: { name: 3 } });
  const people = peopleIn(me);
  me.destroy();
  assert.equal(people.length, 1);
  assert.equal(people[0]?.name, "Hana");
  assert.equal(people[0]?.color, "var(--person-0)");
});

test("variables are read from what the kernel shows, and nothing else is", () => {
  const rows = JSON.stringify([["마당", "str", "2", "'안녕'"]]);
  const base64 = Buffer.from(rows).toString("base64");
  assert.deepEqual(readVariables(`'${base64}'`), [{ name: "마당", type: "str", size: "2", value: "'안녕'" }]);
  assert.deepEqual(readVariables("NameError"), []);
});
