import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { pageOf, publicElements } from "../elements.mjs";

const elements = await publicElements(process.cwd());

test("the page about the elements says what they say of themselves", async () => {
  assert.ok(elements.length > 8);
  const page = await readFile("../docs/developers/elements.md", "utf8");
  assert.equal(page, pageOf(elements), "run: node elements.mjs");
});

for (const { name, text, header } of elements) {
  test(`<${name}> says of itself what it has`, () => {
    for (const [, options = "", property = ""] of text.matchAll(/@property\(([^)]*)\)(?: override)? (\w+)/g)) {
      const word = /attribute: "([\w-]+)"/.exec(options)?.[1] ?? property;
      assert.ok(header.includes(`\`${options.includes("attribute: false") ? property : word.toLowerCase()}\``), word);
    }
    for (const [, event = ""] of text.matchAll(/this\.emit\(\s*"([\w-]+)"/g)) assert.ok(header.includes(`\`${event}\``), event);
    assert.match(header, /CSS variables: /);
  });
}
