/** Runs inside the sandboxed frame of a Vega or Vega-Lite chart. Expressions are interpreted, since a frame has no
 * `eval`; nothing is fetched, since a frame may not. */
import { loader as defaultLoader } from "vega";
import embed, { type Result, type VisualizationSpec } from "vega-embed";
import { type Colours, drawCharts, type Order, type Problem } from "./chart-frame.js";

/** Beyond so many characters an SVG of it is slow. */
const LARGE = 1_000_000;

let last: Result | null = null;

drawCharts(async (place, { spec, type, dark, colours }: Order, say) => {
  const chart = { ...(spec as VisualizationSpec), usermeta: undefined } as VisualizationSpec; // it would change what is set here
  last?.finalize();
  last = null;
  last = await embed(place, chart, {
    mode: type.includes("vegalite") ? "vega-lite" : "vega",
    actions: false,
    ast: true,
    renderer: JSON.stringify(chart).length > LARGE ? "canvas" : "svg",
    loader: { ...defaultLoader(), load: (uri: string) => refuse(uri, say) },
    ...(dark ? { config: darkened(colours), tooltip: { theme: "dark" } } : {}),
  });
});

function refuse(uri: string, say: (problem: Problem) => void): Promise<never> {
  say({ problem: "fetch", detail: uri });
  return Promise.reject(new Error(`not fetched: ${uri}`));
}

function darkened({ surface, ink, muted, line }: Colours): object {
  const text = { labelColor: muted, titleColor: ink };
  return {
    background: surface,
    title: { color: ink, subtitleColor: muted },
    style: { "guide-label": { fill: muted }, "guide-title": { fill: ink } },
    axis: { ...text, domainColor: line, gridColor: line, tickColor: line },
    legend: text,
    header: text,
    view: { stroke: line },
  };
}
