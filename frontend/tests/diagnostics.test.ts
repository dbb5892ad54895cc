import assert from "node:assert/strict";
import { test } from "node:test";
import { Text } from "@codemirror/state";
import { offsetIn } from "../src/servers/diagnostics.js";

test("what was said of another page's longer text is shown where this one ends", () => {
  const text = Text.of(["one", "three"]);
  assert.equal(offsetIn(text, { line: 1, character: 2 }), 6);
  assert.equal(offsetIn(text, { line: 0, character: 18 }), 3);
  assert.equal(offsetIn(text, { line: 7, character: 1 }), 5);
  assert.equal(offsetIn(text, { line: 7, character: 99 }), text.length);
});
