/** The look of Jupyter's widgets in the page's colours. Pure. */
import type { Tokens } from "./widget-words.js";

/** JupyterLab's variables, as design tokens of ours. */
const VARIABLES: Readonly<Record<string, string>> = {
  "ui-font-color0": "--ink", "ui-font-color1": "--ink", "ui-font-color2": "--muted", "layout-color0": "--surface", "layout-color1": "--surface",
  "layout-color2": "--sunken", "layout-color3": "--sunken", "layout-color4": "--line", "border-color0": "--line", "border-color1": "--control-line", "border-color2": "--line",
  "brand-color0": "--accent", "brand-color1": "--accent", "brand-color2": "--accent", "success-color0": "--pine", "success-color1": "--pine",
  "info-color0": "--sky", "info-color1": "--sky", "warn-color0": "--amber", "warn-color1": "--amber", "error-color0": "--red", "error-color1": "--red",
  "ui-inverse-font-color0": "--surface", "ui-inverse-font-color1": "--surface", "inverse-ui-font-color0": "--surface", "inverse-ui-font-color1": "--surface",
};

/** The tokens that are wanted. */
export const TOKENS = [...new Set([...Object.values(VARIABLES), "--mono"])];

/** Font Awesome's names, as far as the controls use them by themselves and people do most. */
const ICONS: Readonly<Record<string, string>> = {
  play: "▶", pause: "‖", stop: "■", retweet: "↻", refresh: "↻", repeat: "↻", undo: "↶", check: "✓", times: "✕", plus: "+", minus: "−", upload: "⇧", download: "⇩",
  cog: "⚙", home: "⌂", "arrow-left": "←", "arrow-right": "→", "arrow-up": "↑", "arrow-down": "↓", "step-forward": "»", "step-backward": "«", info: "ℹ",
  "info-circle": "ℹ", warning: "⚠", "exclamation-triangle": "⚠", star: "★", heart: "♥", edit: "✎", pencil: "✎",
};

export function lookOf(tokens: Tokens): string {
  const variables = Object.entries(VARIABLES).map(([name, token]) => `--jp-${name}: ${clean(tokens[token])};`);
  const icons = Object.entries(ICONS).map(([name, sign]) => `.fa-${name}::before { content: "${sign}"; }`);
  return `:root { ${variables.join(" ")} --jp-widgets-input-background-color: ${clean(tokens["--surface"])}; --jp-widgets-color: ${clean(tokens["--ink"])};
  --jp-widgets-dropdown-arrow: url("${arrow(clean(tokens["--muted"]))}"); }
body { color: ${clean(tokens["--ink"])}; background: ${clean(tokens["--surface"])}; padding: 2px 4px; }
.fa { font-style: normal; display: inline-block; } ${icons.join(" ")}
.jupyter-button, .jupyter-widgets input, .jupyter-widgets select, .jupyter-widgets textarea { border-radius: 6px; }
.jupyter-widgets :focus-visible { outline: 2px solid ${clean(tokens["--accent"])}; outline-offset: 1px; }
.madang-output pre { font: 13px/1.5 ${clean(tokens["--mono"])}; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; } .madang-output img { max-width: 100%; }
.madang-output .stderr { box-shadow: inset 2px 0 ${clean(tokens["--amber"])}; padding-left: 8px; } .madang-output .error { box-shadow: inset 2px 0 ${clean(tokens["--red"])}; padding-left: 8px; }
.madang-output table { border-collapse: collapse; } .madang-output th, .madang-output td { padding: 3px 10px; border-bottom: 1px solid ${clean(tokens["--line"])}; }`;
}

function arrow(colour: string): string {
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 18 18"><path fill="${colour}" d="M5.2 6.9 9 10.7l3.8-3.8L14 8.1l-5 5-5-5z"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}

function clean(value = ""): string {
  return value.replace(/[<>{};]/g, "");
}
