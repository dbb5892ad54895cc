import assert from "node:assert/strict";
import { test } from "node:test";
import { closed, NOTHING_OPEN, opened, renamed } from "../src/open-files.js";

const three = ["a", "b", "c"].reduce(opened, NOTHING_OPEN);

test("opening twice is opening once", () => {
  assert.deepEqual(opened(three, "a"), { paths: ["a", "b", "c"], active: "a" });
});

test("closing brings the neighbour to the front", () => {
  assert.deepEqual(closed(three, "c"), { paths: ["a", "b"], active: "b" });
  assert.deepEqual(closed({ ...three, active: "a" }, "a"), { paths: ["b", "c"], active: "b" });
  assert.deepEqual(closed(three, "a"), { paths: ["b", "c"], active: "c" });
  assert.deepEqual(closed(opened(NOTHING_OPEN, "x"), "x"), NOTHING_OPEN);
});

test("folders take their files along", () => {
  const files = ["d/x", "d/y", "dd"].reduce(opened, NOTHING_OPEN);
  assert.deepEqual(closed(files, "d").paths, ["dd"]);
  assert.deepEqual(renamed(files, "d", "e").paths, ["e/x", "e/y", "dd"]);
});
