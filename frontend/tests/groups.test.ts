import assert from "node:assert/strict";
import { test } from "node:test";
import { activeTab, allTabs, checked, closed, type Groups, inSight, MOST_GROUPS, moved, oneGroup, renamed, resized, shown } from "../src/groups.js";

const abc = oneGroup("a", "b", "c");

function sound(groups: Groups): void {
  const tabs = allTabs(groups);
  assert.equal(new Set(tabs).size, tabs.length, "a tab is in two places");
  assert.equal(groups.widths.length, groups.groups.length);
  assert.ok(groups.groups[groups.at], "no group has the focus");
  assert.ok(groups.groups.length <= MOST_GROUPS);
  for (const { tabs: own, active } of groups.groups) {
    assert.ok(own.includes(active) || (own.length === 0 && active === ""));
    assert.ok(own.length > 0 || groups.groups.length === 1, "an empty group stayed");
  }
}

test("showing opens once, where the focus is", () => {
  const two = moved(abc, "c", 1);
  const more = shown(two, "d");
  assert.deepEqual(more.groups.map(({ tabs }) => tabs), [["a", "b"], ["c", "d"]]);
  assert.deepEqual(shown(more, "d"), more);
  assert.equal(shown(more, "a").at, 0);
  assert.ok(inSight(shown(more, "a"), "d"));
});

test("closing brings the neighbour to the front, and an empty group goes", () => {
  assert.equal(activeTab(closed(shown(abc, "c"), (tab) => tab === "c")), "b");
  const two = moved(abc, "c", 1);
  assert.deepEqual(closed(two, (tab) => tab === "c"), { ...oneGroup("a", "b"), groups: [{ tabs: ["a", "b"], active: "a" }] });
  assert.deepEqual(allTabs(closed(abc, () => true)), []);
});

test("tabs move within their group and to others", () => {
  assert.deepEqual(moved(abc, "a", 0, 3).groups[0]?.tabs, ["b", "c", "a"]);
  assert.deepEqual(moved(abc, "c", 0, 0).groups[0]?.tabs, ["c", "a", "b"]);
  const two = moved(abc, "b", 1);
  assert.deepEqual(two.groups.map(({ tabs }) => tabs), [["a", "c"], ["b"]]);
  assert.deepEqual(moved(two, "b", 0, 1).groups.map(({ tabs }) => tabs), [["a", "b", "c"]]);
  assert.equal(moved(oneGroup("a"), "a", 1).groups.length, 1);
});

test("renaming keeps the places", () => {
  assert.deepEqual(allTabs(renamed(abc, (tab) => tab + tab)), ["aa", "bb", "cc"]);
});

test("a separator moves between two limits", () => {
  const two = moved(abc, "c", 1);
  for (const by of [-5, -0.1, 0.1, 5, NaN]) {
    const { widths } = resized(two, 0, by);
    assert.ok(widths.every((width) => width >= 0.29));
    assert.ok(Math.abs(widths.reduce((a, b) => a + b) - 2) < 1e-9);
  }
});

test("whatever is done, each tab is in one place", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 200; round += 1) {
    let groups = oneGroup("t0");
    for (let step = 0; step < 30; step += 1) {
      const tab = `t${String(random(8))}`;
      const act = random(4);
      groups = act === 0 ? shown(groups, tab) : act === 1 ? closed(groups, (one) => one === tab) : moved(groups, tab, random(6) - 1, random(5) - 1);
      sound(groups);
    }
  }
});

test("what was stored is believed as far as it makes sense", () => {
  assert.deepEqual(checked(JSON.parse(JSON.stringify(moved(abc, "c", 1)))), moved(abc, "c", 1));
  for (const bad of [null, 3, "x", [], {}, { groups: [] }, { groups: "x" }, { groups: Array(9).fill({ tabs: ["a"] }) }]) assert.equal(checked(bad), null);
  for (const odd of [{ groups: [null, { tabs: ["a", 3, "a"], active: 9 }], at: 7, widths: [-1] }, { groups: [{ tabs: ["a"] }, { tabs: ["a"] }] }]) {
    const groups = checked(odd);
    assert.ok(groups);
    sound(groups);
  }
});
