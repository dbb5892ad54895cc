/** One output of a cell. Properties: `output` (see transcript.ts), `links` (tracebacks lead to cells), `widgets` (where those
 * of its kernel are, see output-widgets.ts), `language`.
 * Events: `output-line` {count, line}, where somebody follows a traceback. CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { WIDGET } from "./frames/widget-words.js";
import { lastLines, LINES } from "./long-text.js";
import type { WidgetSource } from "./output-widgets.js";
import { shared } from "./styles.js";
import { linkCells } from "./traceback-links.js";
import { textOf } from "./text.js";
import type { Output } from "./transcript.js";

/** The pause after a drawing, as a multiple of what the drawing took, and at most. */
const DRAWING_SHARE = 4;
const LONGEST_PAUSE_MS = 500;

@customElement("madang-output")
export class MadangOutput extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: block; min-width: 0; }
      .body { padding: 4px 12px; overflow-x: auto; }
      .body[data-type="text/html"] { padding: 4px 12px; }
      iframe { width: 100%; border: 0; display: block; }
      img { max-width: 100%; height: auto; display: block; border-radius: 4px; }
      img[alt] { background: #fff; }
      pre { font: 13px/1.5 var(--mono); font-variant-ligatures: none; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
      .stderr { box-shadow: inset 2px 0 var(--amber); }
      .error { box-shadow: inset 2px 0 var(--red); }
      .error pre { white-space: pre; overflow-wrap: normal; }
      /* IPython's own palette, in our colours: legible on both grounds. */
      span[style*="rgb(0,135,0)"], span[style*="rgb(0,175,0)"], span[style*="rgb(0,95,0)"] { color: var(--pine) !important; }
      span[style*="rgb(175,0,255)"], span[style*="rgb(135,0,255)"], span[style*="rgb(0,0,255)"] { color: var(--sky) !important; }
      span[style*="rgb(95,135,135)"], span[style*="rgb(95,135,175)"] { color: var(--muted) !important; }
      span[style*="rgb(175,0,0)"], span[style*="rgb(215,0,0)"] { color: var(--red) !important; }
      button.place { display: inline; font: inherit; color: var(--sky); border: 0; padding: 0; min-height: 0; background: none; text-decoration: underline; border-radius: 2px; }
      .not-live, .trouble { font-size: 12px; color: var(--muted); margin: 0 0 4px; }
      details { font: 13px/1.6 var(--mono); } details > :not(summary) { margin-left: 18px; } summary { cursor: pointer; } .key { color: var(--sky); } .leaf { overflow-wrap: anywhere; }
      .more { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; padding: 2px 12px; font-size: 12px; color: var(--muted); }
      .more button { min-height: 24px; padding: 0 8px; font-size: 12px; }
      a { color: var(--sky); }
      table { border-collapse: collapse; } th, td { padding: 3px 10px; border-bottom: 1px solid var(--line); }
      code { font-family: var(--mono); font-size: 0.95em; }
      .ansi-bold { font-weight: 700; } .ansi-underline { text-decoration: underline; }
      .ansi-black-fg { color: var(--ink); } .ansi-red-fg, .ansi-red-intense-fg { color: var(--red); }
      .ansi-green-fg, .ansi-green-intense-fg { color: var(--pine); } .ansi-yellow-fg, .ansi-yellow-intense-fg { color: var(--amber); }
      .ansi-blue-fg, .ansi-blue-intense-fg { color: var(--sky); } .ansi-magenta-fg, .ansi-magenta-intense-fg { color: var(--accent); }
      .ansi-cyan-fg, .ansi-cyan-intense-fg { color: var(--sky); } .ansi-white-fg, .ansi-white-intense-fg { color: var(--muted); }
      .ansi-black-intense-fg { color: var(--muted); }
      .ansi-red-bg, .ansi-red-intense-bg { background: var(--red-ground); } .ansi-green-bg, .ansi-green-intense-bg { background: var(--pine-ground); }
      .ansi-yellow-bg, .ansi-yellow-intense-bg { background: var(--amber-ground); }
      .ansi-blue-bg, .ansi-cyan-bg, .ansi-magenta-bg, .ansi-white-bg, .ansi-black-bg { background: var(--sunken); }
      .ansi-inverse { background: var(--ink); color: var(--paper); }
    `,
  ];

  @property({ attribute: false }) output: Output | null = null;
  @property({ type: Boolean }) links = false;
  @property({ attribute: false }) widgets: WidgetSource | null = null;
  @state() private all = false;
  @state() private hidden_ = 0;
  @query(".body") private body!: HTMLElement | null;

  private drawing = false;
  private stale = false;
  private download = "";
  private leaveWidgets: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.followWidgets();
    this.onLeave(() => { this.leaveWidgets?.(); });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("widgets")) this.followWidgets();
    if (changed.has("output") || changed.has("all") || changed.has("language")) void this.draw();
  }

  /** A widget is drawn anew where there is another kernel. */
  private followWidgets(): void {
    this.leaveWidgets?.();
    this.leaveWidgets = this.widgets?.onComms(() => {
      if (this.output?.kind === "display" && WIDGET in this.output.data) void this.draw();
    });
  }

  /** Draw the newest output; while that goes on, later ones wait and only the last of them is drawn. */
  private async draw(): Promise<void> {
    this.stale = true;
    if (this.drawing) return;
    this.drawing = true;
    while (this.stale && this.isConnected) {
      this.stale = false;
      const began = performance.now();
      await this.drawOnce();
      // Most of the time is for taking what comes: a flood that is drawn without pause is a flood that is not read.
      const pause = Math.min(LONGEST_PAUSE_MS, DRAWING_SHARE * (performance.now() - began));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.drawing = false;
  }

  private async drawOnce(): Promise<void> {
    const { showBundle, showText, showTraceback } = await import("./rendering.js");
    const [output, body] = [this.output, this.body];
    if (!output || !body) return;
    if (output.kind === "stream") {
      const { shown, hidden } = lastLines(textOf(output.text), this.all);
      this.hidden_ = hidden;
      await showText(body, shown);
    } else if (output.kind === "display") {
      const plain = output.data["text/plain"];
      const labels = { picture: typeof plain === "string" ? plain.slice(0, 120) : this.t("picture"), frame: this.t("outputFrame"), tree: this.t("jsonTree"), notLive: (type: string) => this.t("notLive", { type }), language: this.languageCode, widgets: this.widgets };
      await showBundle(body, output.data, output.metadata, labels);
    } else if (output.kind === "error") {
      await showTraceback(body, output.traceback.join("\n") || `${output.name}: ${output.value}`);
      if (this.links) linkCells(body, (count, line) => this.t("goToLine", { count, line }), (count, line) => { this.emit("output-line", { count, line }); });
    }
  }

  private save(): void {
    if (this.output?.kind !== "stream") return;
    this.download = URL.createObjectURL(new Blob([textOf(this.output.text)], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = this.download;
    link.download = "output.txt";
    link.click();
    setTimeout(() => {
      URL.revokeObjectURL(this.download);
    }, 1000);
  }

  override render(): TemplateResult {
    const { output } = this;
    const kind = output?.kind === "stream" ? output.name : (output?.kind ?? "");
    const long = this.hidden_ > 0 || this.all;
    const cut = output?.kind === "stream" ? output.text.cut : 0;
    return html`${cut > 0 ? html`<p class="more cut">${this.t("textCut", { n: cut.toLocaleString() })}</p>` : nothing}${long ? html`<div class="more">
        <span class="num">${this.hidden_ > 0 ? this.t("linesHidden", { n: this.hidden_.toLocaleString() }) : nothing}</span>
        <button class="quiet" @click=${() => (this.all = !this.all)}>${this.all ? this.t("showLess") : this.t("showAll", { n: (this.hidden_ + LINES).toLocaleString() })}</button>
        <button class="quiet" @click=${() => { this.save(); }}>${this.t("downloadText")}</button></div>` : nothing}
      <div class="body ${kind}"></div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-output": MadangOutput;
  }
}
