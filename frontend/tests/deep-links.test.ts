import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTo, placeOfPage } from "../src/deep-links.js";

const page = (address: string): URL => new URL(address, "https://example.org");

test("an address names a file and a line", () => {
  assert.deepEqual(placeOfPage(page("/p/1/?file=src/a.py#L10")), { path: "src/a.py", line: 10, column: 1 });
  assert.deepEqual(placeOfPage(page("/p/1/?file=a.py#L3C7")), { path: "a.py", line: 3, column: 7 });
  assert.deepEqual(placeOfPage(page("/p/1/?file=a.py#x")), { path: "a.py", line: 0, column: 1 });
});

test("what is no path of the project is none", () => {
  for (const bad of ["", "..", "../x", "a/../b", "a//b", "/", "."]) assert.equal(placeOfPage(page(`/?file=${bad}`)), null);
  assert.equal(placeOfPage(page("/")), null);
});

test("a link comes back as it was made", () => {
  for (const path of ["a.py", "한글 파일/x&y=z.txt", "a+b#c?.py", "100%.csv"]) {
    const link = linkTo(page("/p/1/?lang=ko&file=old"), path, 12);
    assert.match(link, /^\/p\/1\/\?lang=ko&file=/);
    assert.deepEqual(placeOfPage(page(link)), { path, line: 12, column: 1 });
  }
  assert.equal(linkTo(page("/p/1/?file=old#L3"), ""), "/p/1/");
});
