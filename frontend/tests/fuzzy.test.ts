import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzy, placeOf } from "../src/fuzzy.js";

const paths = ["src/deep/main.py", "main.py", "docs/maintenance.md", "src/model_analysis.py", "README.md", "한글/문서.md"];
const found = (query: string): string[] => fuzzy(query, paths, (path) => path).map(({ item }) => item);

test("letters in their order find, the best first", () => {
  assert.equal(found("main")[0], "main.py");
  assert.deepEqual(found("ma").slice(0, 1), ["main.py"]);
  assert.equal(found("moan")[0], "src/model_analysis.py");
  assert.equal(found("srcmain")[0], "src/deep/main.py");
  assert.equal(found("문서")[0], "한글/문서.md");
  assert.deepEqual(found("zzz"), []);
  assert.equal(found("").length, paths.length);
});

test("the places are the letters", () => {
  for (const query of ["mapy", "readme", "sde"]) {
    for (const { item, places } of fuzzy(query, paths, (path) => path)) {
      assert.equal(places.map((at) => item[at]?.toLowerCase()).join(""), query);
    }
  }
});

test("odd letters neither throw nor mislead", () => {
  for (const query of ["İ", "\\", "(", "𝄞", "ﬁ"]) fuzzy(query, ["İstanbul", "a(b", "𝄞.txt", "ﬁ"], (path) => path);
  assert.equal(fuzzy("𝄞", ["𝄞.txt"], (path) => path).length, 1);
});

test("a place has a path, a line and a column", () => {
  assert.deepEqual(placeOf("a.py:10:4"), { path: "a.py", line: 10, column: 4 });
  assert.deepEqual(placeOf("a.py#L7"), { path: "a.py", line: 7, column: 0 });
  assert.deepEqual(placeOf("a:b.py"), { path: "a:b.py", line: 0, column: 0 });
  assert.deepEqual(placeOf(""), { path: "", line: 0, column: 0 });
});
