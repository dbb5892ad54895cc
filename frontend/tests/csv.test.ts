import assert from "node:assert/strict";
import { test } from "node:test";
import { CsvReader, separatorOf } from "../src/csv.js";

function read(text: string, size = 1e9): string[][] {
  const reader = new CsvReader(separatorOf(text));
  const rows: string[][] = [];
  for (let at = 0; at < text.length; at += size) rows.push(...reader.take(text.slice(at, at + size)));
  return [...rows, ...reader.end()];
}

test("quotes, separators and line ends", () => {
  assert.deepEqual(read('a,b\r\n"x, ""y""\n z",2\n'), [["a", "b"], ['x, "y"\n z', "2"]]);
  assert.deepEqual(read("a;b\n1,5;2"), [["a", "b"], ["1,5", "2"]]);
  assert.deepEqual(read("a\tb\r1\t\r"), [["a", "b"], ["1", ""]]);
  assert.deepEqual(read('"open'), [["open"]]);
  assert.deepEqual(read('a"b,c'), [['a"b', "c"]]);
  assert.deepEqual(read(""), []);
});

test("it does not matter where the pieces are cut", () => {
  const text = 'n,"t ""u"""\r\n1,"a\r\nb"\r\n\n2,한글\n';
  for (const size of [1, 2, 3, 5, 7]) assert.deepEqual(read(text, size), read(text));
});

test("what is written is what is read", () => {
  const rows = [["a", 'b"c', "d,e"], ["", "\n", '"'], ["한", "\r\n", "x"]];
  const written = rows.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(",")).join("\n");
  assert.deepEqual(read(written), rows);
});
