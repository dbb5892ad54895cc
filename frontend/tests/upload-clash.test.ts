import assert from "node:assert/strict";
import { test } from "node:test";
import { freeName, settled } from "../src/upload-clash.js";

const uploads = [{ path: "p/a.txt" }, { path: "p/b" }, { path: "p/a (2).txt" }];
const taken = new Set(["p/a.txt", "p/b"]);

test("a free name keeps its ending", () => {
  assert.equal(freeName("p/a.tar.gz", new Set(["p/a.tar (2).gz"])), "p/a.tar (3).gz");
  assert.equal(freeName("p/.env", new Set()), "p/.env (2)");
  assert.equal(freeName("b", new Set()), "b (2)");
});

test("replace, keep both, skip", () => {
  assert.deepEqual(settled(uploads, taken, "replace"), { uploads, gone: ["p/a.txt", "p/b"] });
  assert.deepEqual(settled(uploads, taken, "skip"), { uploads: [{ path: "p/a (2).txt" }], gone: [] });
  const both = settled(uploads, taken, "both");
  assert.deepEqual(both.uploads.map(({ path }) => path), ["p/a (3).txt", "p/b (2)", "p/a (2).txt"]);
  assert.deepEqual(both.gone, []);
});
