/** One cell of the console: what ran and what came of it.
 *
 * Properties: `cell` (see transcript.ts), `widgets` (see output-widgets.ts), `language`.
 * Events: `cell-answer` {request, value}, `cell-reuse` {code}, `cell-again` {id, code}, `cell-discard` {id}. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import "./madang-output.js";
import type { WidgetSource } from "./output-widgets.js";
import { shared } from "./styles.js";
import type { Cell, CellState, Output } from "./transcript.js";
import type { Key } from "./i18n.js";

const WORDS: Partial<Record<CellState, Key>> = {
  queued: "queued", running: "cellRunning", failed: "cellFailed", aborted: "cellAborted",
};

@customElement("madang-console-cell")
export class MadangConsoleCell extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-columns: 52px minmax(0, 1fr); margin-bottom: 14px; }
      .n { color: var(--muted); font: 12px var(--mono); padding-top: 9px; font-variant-numeric: tabular-nums; }
      .code { position: relative; background: var(--sunken); border: 1px solid var(--line); border-radius: var(--radius); transition: border-color var(--fast); }
      .code pre { font: 13px/1.6 var(--mono); font-variant-ligatures: none; margin: 0; padding: 7px 12px; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 36px; max-height: 420px; overflow: auto; }
      .running .code { border-color: var(--accent); }
      .lost .code, .aborted .code { border-style: dashed; border-color: var(--control-line); }
      .reuse { position: absolute; right: 4px; top: 4px; opacity: 0; background: var(--surface); }
      .code:hover .reuse, .reuse:focus-visible { opacity: 1; }
      .took { font-size: 11.5px; color: var(--muted); padding: 4px 12px 0; display: flex; gap: 8px; align-items: center; font-variant-numeric: tabular-nums; flex-wrap: wrap; }
      .took .bad { color: var(--red); } .took .amber { color: var(--amber); }
      .took i { width: 7px; height: 7px; border-radius: 9px; background: var(--accent); animation: pulse 1.4s ease-in-out infinite; }
      @keyframes pulse { 50% { opacity: 0.3; } }
      form { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 6px 12px; font: 13px/1.5 var(--mono); }
      form label { white-space: pre-wrap; overflow-wrap: anywhere; }
      form input { flex: 1 1 12em; min-width: 8em; font-family: var(--mono); }
      form.open input { border-color: var(--accent); box-shadow: 0 0 0 3px var(--accent-ground); }
      .said { color: var(--accent); }
      @media (prefers-reduced-motion: reduce) { .took i { animation: none; } }
      @media (max-width: 720px) { :host { grid-template-columns: 36px minmax(0, 1fr); } }
      @media (hover: none) { .reuse { opacity: 1; } }
    `,
  ];

  @property({ attribute: false }) cell: Cell | null = null;
  @property({ attribute: false }) widgets: WidgetSource | null = null;
  /** A file's name whose language is the code's. */
  @property() file = "main.py";
  @state() private now = Date.now();
  @query("pre") private pre!: HTMLElement | null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private startedHere = 0;
  private coloured = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => {
      clearInterval(this.timer);
      this.timer = undefined;
    });
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("cell")) return;
    this.tick(this.cell?.state === "running");
    void this.colour();
    const before = changed.get("cell") as Cell | undefined;
    if (openInput(this.cell) && !openInput(before ?? null)) this.renderRoot.querySelector<HTMLElement>("form.open input")?.focus();
  }

  /** The clock of a running cell is this page's: the kernel's may differ. */
  private tick(running: boolean): void {
    if (running === (this.timer !== undefined)) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (!running) return;
    this.startedHere = Math.min(Date.now(), Math.max(this.cell?.started ?? 0, Date.now() - 86_400_000));
    this.timer = setInterval(() => {
      this.now = Date.now();
    }, 100);
  }

  private async colour(): Promise<void> {
    const code = this.cell?.code;
    if (!code || code === this.coloured) return;
    this.coloured = code;
    this.pre?.replaceChildren(code); // at once; the colours follow
    const { coloured, colouredStyle } = await import("./codemirror.js");
    const root = this.renderRoot as ShadowRoot;
    const fragment = await coloured(code, this.file);
    if (code !== this.cell?.code || !this.pre) return;
    if (!root.querySelector("style[data-code]")) {
      const style = document.createElement("style");
      style.dataset.code = "";
      style.textContent = colouredStyle();
      root.append(style);
    }
    this.pre.replaceChildren(fragment);
  }

  private answer(event: SubmitEvent, output: Output & { kind: "input" }): void {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).querySelector("input");
    this.emit("cell-answer", { request: output.request, value: field?.value ?? "" });
  }

  override render(): TemplateResult {
    const { cell } = this;
    if (!cell) return html``;
    const label = cell.count !== null ? `[${String(cell.count)}]` : cell.state === "queued" || cell.state === "running" ? "[*]" : "[ ]";
    return html`<div class="n" aria-hidden="true">${label}</div>
      <div class=${cell.state}>
        ${cell.code === null ? html`<p class="muted" style="margin:8px 0">${this.t("codeGone")}</p>` : html`<div class="code"><pre></pre>
          <button class="icon reuse quiet" title=${this.t("reuse")} aria-label=${this.t("reuse")}
            @click=${() => { this.emit("cell-reuse", { code: cell.code }); }}>${icon("reuse")}</button></div>`}
        ${this.took(cell)}
        ${cell.cut > 0 ? html`<p class="muted cut" style="margin:4px 12px">${this.t("outputsCut", { n: cell.cut.toLocaleString() })}</p>` : nothing}
        ${repeat(cell.outputs, (_output, at) => cell.cut + at, (output) => this.outputPart(output))}
      </div>`;
  }

  private took(cell: Cell): TemplateResult | typeof nothing {
    if (cell.state === "lost") {
      return html`<div class="took" role="status"><span class="amber">${this.t("cellLost")}</span>
        <button @click=${() => { this.emit("cell-again", { id: cell.id, code: cell.code }); }}>${this.t("runAgain")}</button>
        <button class="quiet" @click=${() => { this.emit("cell-discard", { id: cell.id }); }}>${this.t("discard")}</button></div>`;
    }
    const word = WORDS[cell.state];
    const time = cell.state === "running" ? this.now - this.startedHere : cell.started && cell.ended ? cell.ended - cell.started : null;
    const shown = time === null || (cell.state === "running" && time < 400) ? "" : duration(time);
    if (!word && !shown) return nothing;
    const tone = cell.state === "failed" ? "bad" : cell.state === "aborted" ? "amber" : "";
    return html`<div class="took">${cell.state === "running" ? html`<i></i>` : nothing}
      ${word ? html`<span class=${tone}>${this.t(word)}</span>` : nothing}${shown ? html`<span>${shown}</span>` : nothing}</div>`;
  }

  private outputPart(output: Output): TemplateResult {
    if (output.kind !== "input") return html`<madang-output .output=${output} .widgets=${this.widgets} language=${this.language}></madang-output>`;
    if (!output.open) {
      const said = output.answer ?? "";
      return html`<form @submit=${(event: Event) => { event.preventDefault(); }}><label>${output.prompt}</label>
        ${output.answer === null ? html`<span class="muted">${output.password ? "••••" : this.t("answered")}</span>` : html`<span class="said">${said}</span>`}</form>`;
    }
    return html`<form class="open" @submit=${(event: SubmitEvent) => { this.answer(event, output); }}>
      <label for="answer">${output.prompt}</label>
      <input id="answer" type=${output.password ? "password" : "text"} autocomplete="off" autocapitalize="off" spellcheck="false"
        aria-label=${output.prompt || this.t(output.password ? "answerPassword" : "answer")} />
      <button type="submit">${this.t("send")}</button></form>`;
  }
}

function openInput(cell: Cell | null): boolean {
  return cell?.outputs.some((output) => output.kind === "input" && output.open) ?? false;
}

/** "0.31 s", "12.4 s", "3 min 05 s". */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${String(Math.floor(seconds / 60))} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-console-cell": MadangConsoleCell;
  }
}
