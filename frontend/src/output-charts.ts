/** Charts that programs put out as descriptions: Plotly, Vega and Vega-Lite. Each is drawn inside a sandboxed frame by a
 * script of its own (frames/), loaded when the first such output is near. */
import type { Order, Problem } from "./frames/chart-frame.js";
import { fill, type Language } from "./i18n.js";
import { isDark, makeFrame, note, tokens, watchTheme } from "./output-frames.js";

const TALLEST = 1600;
/** A script that has not said anything so long after its frame was loaded is not there. */
const PATIENCE_MS = 5000;

const SCRIPTS: Readonly<Record<string, string>> = {
  "application/vnd.plotly.v1+json": "plotly-frame",
  "application/vnd.vegalite.v6+json": "vega-frame",
  "application/vnd.vegalite.v5+json": "vega-frame",
  "application/vnd.vegalite.v4+json": "vega-frame",
  "application/vnd.vega.v6+json": "vega-frame",
  "application/vnd.vega.v5+json": "vega-frame",
};

/** Their types, the newest first. */
export const CHARTS = Object.keys(SCRIPTS);

export function isChart(type: string): boolean {
  return Object.hasOwn(SCRIPTS, type);
}

const en = { chart: "Chart", chartOf: "Chart: {title}", fetch: "Charts here fetch nothing; this one wanted {detail}. Put the data into the chart itself.", draw: "This chart could not be drawn: {detail}", gone: "What draws this chart could not be loaded." };
const ko: Record<keyof typeof en, string> = { chart: "차트", chartOf: "차트: {title}", fetch: "여기서는 차트가 아무것도 내려받지 않습니다. 이 차트는 {detail} 주소를 읽으려고 했습니다. 데이터를 차트 안에 넣으세요.", draw: "이 차트를 그리지 못했습니다: {detail}", gone: "차트를 그리는 프로그램을 불러오지 못했습니다." };

/** The chart that a place shows now, so that the next description goes into the same frame. */
const shown = new WeakMap<HTMLElement, { type: string; show: (spec: unknown, language: Language) => void }>();

/** Show the chart in `host`; `instead` shows something else there where it cannot be drawn. */
export function showChart(host: HTMLElement, type: string, spec: unknown, language: Language, instead: () => Promise<void>): void {
  const before = shown.get(host);
  if (before?.type === type && host.querySelector("iframe")) {
    before.show(spec, language);
    return;
  }
  host.replaceChildren();
  host.dataset.type = type;
  let now = spec;
  let ready = false;
  let words = wordsIn(language);
  const order = (): Order => ({ spec: now, type, dark: isDark(host), colours: coloursOf(host) });
  const send = (): void => { if (ready) tell({ order: order() }); };
  const forget = (): void => { host.querySelector(":scope > .trouble")?.remove(); };
  const fail = async (problem: keyof typeof en, detail: string): Promise<void> => {
    if (problem !== "fetch") {
      shown.delete(host);
      await instead();
    }
    forget();
    host.prepend(note(fill(words[problem], { detail: detail.slice(0, 300) })));
  };
  const { frame, tell } = makeFrame(host, {
    label: labelOf(spec, words), tallest: TALLEST, script: SCRIPTS[type] ?? "", before: "<div></div>", after: "",
    onWords: (said) => {
      if (said.ready === true) {
        ready = true;
        send();
      } else if (said.problem === "fetch" || said.problem === "draw") void fail((said as unknown as Problem).problem, String(said.detail));
    },
  });
  frame.addEventListener("load", () => { setTimeout(() => { if (!ready && frame.isConnected) void fail("gone", ""); }, PATIENCE_MS); });
  watchTheme(frame, send);
  const show = (next: unknown, language: Language): void => {
    now = next;
    words = wordsIn(language);
    frame.title = labelOf(next, words);
    forget(); // what is still wrong is said again
    send();
  };
  shown.set(host, { type, show });
}

function wordsIn(language: Language): typeof en {
  return language === "ko" ? ko : en;
}

function coloursOf(host: HTMLElement): Order["colours"] {
  const token = tokens(host);
  return { surface: token("--surface"), sunken: token("--sunken"), ink: token("--ink"), muted: token("--muted"), line: token("--line") };
}

/** What a chart is called, by its own title or description. */
export function titleOf(spec: unknown): string {
  const { layout, title, description } = (spec ?? {}) as Record<string, unknown>;
  const own = (layout as { title?: unknown } | undefined)?.title ?? title ?? description;
  const text = own !== null && typeof own === "object" ? (own as { text?: unknown }).text : own;
  return (Array.isArray(text) ? text.join(" ") : typeof text === "string" ? text : "").replace(/<[^>]*>/g, " ").trim().slice(0, 120);
}

function labelOf(spec: unknown, words: typeof en): string {
  const title = titleOf(spec);
  return title ? fill(words.chartOf, { title }) : words.chart;
}
