import assert from "node:assert/strict";
import { test } from "node:test";
import { type Opener, openerOf, OPENERS, openersOf } from "../src/openers.js";

const opener = (id: string, ...endings: string[]): Opener => ({ id, element: `x-${id}`, label: "openAsText", endings, load: () => Promise.resolve() });
const some = [opener("table", ".csv", ".tsv"), opener("text", "")];

test("the first that takes the ending opens a file, and the others can", () => {
  assert.equal(openerOf("p/Data.CSV", "", some).id, "table");
  assert.equal(openerOf("p/a.py", "", some).id, "text");
  assert.deepEqual(openersOf("p/a.csv", some).map(({ id }) => id), ["table", "text"]);
});

test("a chosen opener holds where it can", () => {
  assert.equal(openerOf("p/a.csv", "text", some).id, "text");
  assert.equal(openerOf("p/a.py", "table", some).id, "text");
  assert.equal(openerOf("p/a.py", "gone", some).id, "text");
});

test("every name has an opener, and no two have one id", () => {
  for (const name of ["p/a", "p/.env", "p/a.tar.gz", "p/한글.txt"]) assert.ok(openerOf(name));
  assert.equal(new Set(OPENERS.map(({ id }) => id)).size, OPENERS.length);
});
