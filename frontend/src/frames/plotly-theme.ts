/** Plotly's default look, in the page's dark colours. Pure. */
import type { Colours } from "./chart-frame.js";

type Layout = Record<string, unknown>;

/** The ground of Plotly's default template: whoever has another one has chosen their colours. */
const DEFAULT_GROUND = "white";

/** `layout` with a dark template in place of the default one; as it is where its author chose colours. */
export function themed(layout: Layout, colours: Colours): Layout {
  const template = part(layout, "template");
  const defaults = part(template, "layout");
  const chosen = layout.paper_bgcolor ?? layout.plot_bgcolor ?? (defaults.paper_bgcolor === DEFAULT_GROUND ? undefined : defaults.paper_bgcolor);
  if (chosen !== undefined || typeof layout.template === "string") return layout;
  return { ...layout, template: { ...template, layout: darkened(defaults, colours) } };
}

function darkened(defaults: Layout, { surface, sunken, ink, muted, line }: Colours): Layout {
  const lines = { gridcolor: line, linecolor: line, zerolinecolor: muted };
  const change = (name: string, more: Layout): Layout => ({ [name]: { ...part(defaults, name), ...more } });
  const inside = (name: string, parts: readonly string[], more: Layout): Layout =>
    change(name, { ...more, ...Object.fromEntries(parts.map((axis) => [axis, { ...part(part(defaults, name), axis), ...lines }])) });
  return {
    ...defaults,
    paper_bgcolor: surface,
    plot_bgcolor: sunken,
    ...change("font", { color: ink }),
    ...change("xaxis", lines),
    ...change("yaxis", lines),
    ...inside("polar", ["angularaxis", "radialaxis"], { bgcolor: sunken }),
    ...inside("ternary", ["aaxis", "baxis", "caxis"], { bgcolor: sunken }),
    ...change("scene", Object.fromEntries(["xaxis", "yaxis", "zaxis"].map((axis) => [axis, { ...part(part(defaults, "scene"), axis), ...lines, backgroundcolor: sunken }]))),
    ...change("geo", { bgcolor: surface, landcolor: sunken, lakecolor: surface, subunitcolor: line }),
  };
}

function part(of: Layout, name: string): Layout {
  const found = of[name];
  return found !== null && typeof found === "object" && !Array.isArray(found) ? (found as Layout) : {};
}
