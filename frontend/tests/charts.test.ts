import assert from "node:assert/strict";
import { test } from "node:test";
import { themed } from "../src/frames/plotly-theme.js";
import { titleOf } from "../src/output-charts.js";

const colours = { surface: "#1", sunken: "#2", ink: "#3", muted: "#4", line: "#5" };
const template = { data: { bar: [] }, layout: { paper_bgcolor: "white", plot_bgcolor: "#E5ECF6", font: { color: "#2a3f5f", size: 9 }, xaxis: { gridcolor: "white", ticks: "" } } };

test("Plotly's default look becomes dark, and what else its template says stays", () => {
  const layout = themed({ title: { text: "t" }, template }, colours);
  const { data, layout: defaults } = layout.template as { data: object; layout: Record<string, unknown> };
  assert.deepEqual(data, { bar: [] });
  assert.deepEqual([defaults.paper_bgcolor, defaults.plot_bgcolor, defaults.font], ["#1", "#2", { color: "#3", size: 9 }]);
  assert.deepEqual(defaults.xaxis, { gridcolor: "#5", linecolor: "#5", zerolinecolor: "#4", ticks: "" });
  assert.equal(template.layout.paper_bgcolor, "white");
});

test("a figure without a template is dark too", () => {
  assert.equal((themed({}, colours).template as { layout: { paper_bgcolor: string } }).layout.paper_bgcolor, "#1");
});

test("who chose a ground or a template has it", () => {
  for (const layout of [{ paper_bgcolor: "pink", template }, { plot_bgcolor: "pink" }, { template: "plotly_dark" }, { template: { layout: { paper_bgcolor: "rgb(17,17,17)" } } }]) {
    assert.equal(themed(layout, colours), layout);
  }
});

test("a chart is called what it says of itself", () => {
  assert.equal(titleOf({ data: [], layout: { title: { text: "Rain<br>in <b>Busan</b>" } } }), "Rain in  Busan");
  assert.equal(titleOf({ layout: { title: "old" } }), "old");
  assert.equal(titleOf({ title: { text: ["two", "lines"] }, description: "d" }), "two lines");
  assert.equal(titleOf({ description: "d" }), "d");
  for (const odd of [null, 3, "x", {}, { layout: null }, { title: 7 }, { layout: { title: null } }]) assert.equal(titleOf(odd), "");
});
