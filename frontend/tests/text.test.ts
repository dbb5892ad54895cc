import assert from "node:assert/strict";
import { test } from "node:test";
import { append, EMPTY, KEPT, textOf } from "../src/text.js";

const show = (...chunks: string[]): string => textOf(chunks.reduce(append, EMPTY));

test("lines are kept as they are", () => {
  assert.equal(show("a\nb", "c\n"), "a\nbc\n");
});

test("a carriage return overwrites, also over chunks", () => {
  assert.equal(show("10%\r20%"), "20%");
  assert.equal(show("10%\r", "99%\n", "end"), "99%\nend");
  assert.equal(show("12345\rab"), "ab345");
  assert.equal(show("windows\r\nlines\r\n"), "windows\nlines\n");
  assert.equal(show("split\r", "\nhere"), "split\nhere");
});

test("backspaces rub out", () => {
  assert.equal(show("abc\b\bX"), "aX");
});

test("colours stay, other sequences go", () => {
  assert.equal(show("\x1b[31mred\x1b[0m \x1b[2Kx\x1b]0;title\x07y"), "\x1b[31mred\x1b[0m xy");
});

test("a coloured line is overwritten by what is seen of it", () => {
  assert.equal(show("\x1b[31mlong text\x1b[0m\r\x1b[32mshort\x1b[0m"), "\x1b[32mshort\x1b[0mtext");
});

test("a flood costs its own length", () => {
  let stream = EMPTY;
  const start = performance.now();
  for (let at = 0; at < 200_000; at += 1) stream = append(stream, "a line of output\n");
  assert.equal(stream.done.length, 200_000 * 17);
  assert.ok(performance.now() - start < 5000);
});

test("a text that is far too long forgets its beginning, by whole lines, and says how much", () => {
  const line = "x".repeat(999) + "\n";
  let stream = EMPTY;
  for (let n = 0; n < 8000; n += 1) stream = append(stream, line);
  const text = textOf(stream);
  assert.ok(text.length <= KEPT + 1_000_000 && text.length >= KEPT - 1000);
  assert.equal(text.length + stream.cut, 8_000_000);
  assert.equal(text.length % 1000, 0);
});

test("one line without end is bounded too", () => {
  let stream = append(EMPTY, "before\n");
  for (let n = 0; n < 300; n += 1) stream = append(stream, "x".repeat(32_768));
  const text = textOf(stream);
  assert.ok(text.length <= KEPT + 1_000_000);
  assert.equal(text.length + stream.cut, 7 + 300 * 32_768);
});
