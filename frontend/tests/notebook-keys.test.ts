import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandKeys, nameOf } from "../src/notebook/keys.js";
import { extendTo, kept, neighbour, only, selected } from "../src/notebook/selection.js";

const press = (key: string, more: object = {}): { key: string } => ({ key, ...more });

test("single keys are commands", () => {
  const keys = new CommandKeys();
  assert.equal(keys.press(press("a")), "insertAbove");
  assert.equal(keys.press(press("ArrowDown", { shiftKey: true })), "extendNext");
  assert.equal(keys.press(press("Enter", { shiftKey: true })), "runAdvance");
  assert.equal(keys.press(press("V", { shiftKey: true })), "pasteAbove");
  assert.equal(keys.press(press("q")), null);
});

test("two keys make a command only one after the other", () => {
  const keys = new CommandKeys();
  assert.equal(keys.press(press("d")), "more");
  assert.equal(keys.press(press("d")), "remove");
  assert.equal(keys.press(press("d")), "more");
  assert.equal(keys.press(press("j")), "next");
  assert.equal(keys.press(press("d")), "more");
  assert.equal(keys.press(press("0")), "more");
  assert.equal(keys.press(press("0")), "restart");
});

test("capitals need no Shift to be told, and Caps Lock is no Shift", () => {
  assert.equal(nameOf(press("B")), "b");
  assert.equal(nameOf(press("m", { shiftKey: true })), "Shift-M");
});

test("a Korean keyboard's letters are those of the same keys", () => {
  assert.equal(nameOf(press("ㅠ", { code: "KeyB" })), "b");
  assert.equal(nameOf(press("ㅡ", { code: "KeyM", shiftKey: true })), "Shift-M");
  assert.equal(nameOf(press("Process", { code: "KeyA" })), "a");
});

test("on a Mac the command key does what Ctrl does elsewhere", () => {
  assert.equal(new CommandKeys().press(press("Enter", { metaKey: true })), "runStay");
});

const ids = ["a", "b", "c", "d"];

test("a selection reaches from its anchor to the active cell, either way", () => {
  assert.deepEqual(selected({ anchor: "c", active: "a" }, ids), ["a", "b", "c"]);
  assert.deepEqual(selected(extendTo(only("b"), "d"), ids), ["b", "c", "d"]);
  assert.deepEqual(selected({ anchor: "gone", active: "b" }, ids), ["b"]);
  assert.deepEqual(selected(only("gone"), ids), []);
});

test("there is no neighbour beyond the ends", () => {
  assert.equal(neighbour(ids, "a", -1), "a");
  assert.equal(neighbour(ids, "d", 1), "d");
  assert.equal(neighbour([], "x", 1), "x");
});

test("where the active cell goes, what stood below it takes its place", () => {
  assert.deepEqual(kept(only("b"), ids, ["a", "c", "d"]), only("c"));
  assert.deepEqual(kept(only("d"), ids, ["a", "b"]), only("b"));
  assert.deepEqual(kept({ anchor: "a", active: "c" }, ids, ["c", "d"]), only("c"));
});
