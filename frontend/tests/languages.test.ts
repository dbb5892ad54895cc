import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { languageFor } from "../src/codemirror.js";

const IMAGES = new URL("../../../sandbox/images/", import.meta.url); // seen from tests/.built

function languages(): { mode: string; main: string }[] {
  const files = readdirSync(IMAGES).map((name) => new URL(`${name}/image.toml`, IMAGES));
  return files.flatMap((file) => {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      return []; // a folder that is no image
    }
    const parts = text.split("[[languages]]").slice(1);
    return parts.map((part) => ({ mode: /^editor = "(.*)"/m.exec(part)?.[1] ?? "", main: /^main = "(.*)"/m.exec(part)?.[1] ?? "" }));
  });
}

test("every language of an image has its colours, by the editor's mode and by its first file", async () => {
  const all = languages();
  assert.ok(all.length > 10);
  for (const { mode, main } of all) {
    const byMode = await languageFor(mode);
    const byFile = await languageFor(main);
    assert.ok(byMode && byFile, `${mode} ${main}`);
    assert.equal(byMode.language.name, byFile.language.name, mode);
  }
});

test("what is written in a language is parsed as that", async () => {
  for (const [file, code] of [["a.lua", "-- note"], ["a.sh", "# note"], ["a.c", "// note"], ["a.R", "# note"], ["a.m", "% note"]] as const) {
    const support = await languageFor(file);
    assert.match(support?.language.parser.parse(code).toString() ?? "", /comment/i, file);
  }
});

test("a file of no known language is plain text", async () => {
  assert.equal(await languageFor("notes.unknown"), null);
});
