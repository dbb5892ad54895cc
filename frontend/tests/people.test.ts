import assert from "node:assert/strict";
import { test } from "node:test";
import { companions, initials, met } from "../src/people.js";

const mina = { id: 1, name: "Mina Kim", color: "var(--person-1)", client: 10 };
const jun = { id: 2, name: "준", color: "var(--person-2)", client: 20 };

test("somebody in two files is one person, met in the file in front", () => {
  const all = met(met([], { path: "p/a", people: [mina, jun] }), { path: "p/b", people: [{ ...mina, client: 11 }] });
  assert.deepEqual(companions(all, "p/b").map(({ name, path, client }) => [name, path, client]), [["Mina Kim", "p/b", 11], ["준", "p/a", 20]]);
});

test("who has left a file is not there", () => {
  const all = met(met([], { path: "p/a", people: [mina] }), { path: "p/a", people: [] });
  assert.deepEqual(all, []);
});

test("initials are whole letters", () => {
  assert.equal(initials("Mina Kim"), "MK");
  assert.equal(initials("준"), "준");
  assert.equal(initials("🎉party"), "🎉P");
});
