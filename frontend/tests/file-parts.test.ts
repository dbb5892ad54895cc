import assert from "node:assert/strict";
import { test } from "node:test";
import { hexDump, isText, wholeLines } from "../src/file-parts.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test("text is text though it is cut inside a letter", () => {
  assert.ok(isText(encode("한글").subarray(0, 4)));
  assert.ok(isText(new Uint8Array()));
  assert.ok(!isText(new Uint8Array([65, 0])));
  assert.ok(!isText(new Uint8Array([0xff, 0xfe, 65])));
});

test("parts end with lines and leave nothing out", () => {
  const all = encode("one\ntwo\n" + "x".repeat(40) + "\n한글\nend");
  let text = "";
  for (let first = 0; first < all.length; ) {
    const part = wholeLines(all.subarray(first, first + 12), first, all.length);
    assert.ok(part.used > 0);
    text += part.text;
    first += part.used;
  }
  assert.equal(text, new TextDecoder().decode(all));
});

test("bytes are shown with their place", () => {
  assert.equal(hexDump(encode("Hi\n한"), 32), `00000020  48 69 0a ed 95 9c${" ".repeat(30)}  Hi····`);
  assert.equal(hexDump(new Uint8Array(33), 0).split("\n").length, 3);
});
