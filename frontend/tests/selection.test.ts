import assert from "node:assert/strict";
import { test } from "node:test";
import { extended, flipped, meant, NOTHING_CHOSEN, only } from "../src/selection.js";

const rows = ["p/a", "p/a/x", "p/b", "p/c"];

test("a range goes either way from its anchor", () => {
  assert.deepEqual([...extended(only("p/b"), "p/a", rows).chosen], ["p/a", "p/a/x", "p/b"]);
  assert.deepEqual([...extended(extended(only("p/b"), "p/a", rows), "p/c", rows).chosen], ["p/b", "p/c"]);
  assert.deepEqual([...extended(NOTHING_CHOSEN, "p/c", rows).chosen], ["p/c"]);
});

test("what is meant is what is chosen, folders with what they hold once", () => {
  const chosen = flipped(flipped(only("p/a"), "p/a/x"), "p/c");
  assert.deepEqual(meant(chosen, "p/c"), ["p/a", "p/c"]);
  assert.deepEqual(meant(chosen, "p/b"), ["p/b"]);
  assert.deepEqual(meant(flipped(chosen, "p/c"), "p/c"), ["p/c"]);
});
