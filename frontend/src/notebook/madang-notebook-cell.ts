/** One cell of a notebook: its text, edited or rendered, and its outputs. What is far from sight is not drawn.
 *
 * Properties: `cell` (a Y.Map of the document), `context`, and how the notebook shows it (below).
 * Events: `cell-do` {command}, `cell-editor` {command}, `cell-edit`, `cell-asks` (for an answer), `cell-answer` {value}, `cell-cursor` {line, column},
 * `cell-line` {count, line}, `cell-tags` {tags}. CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type * as Y from "yjs";
import "../madang-output.js";
import { duration } from "../console-cell.js";
import { icon } from "../icons.js";
import { shared } from "../styles.js";
import { type MimeBundle, type Output, OUTPUTS } from "../transcript.js";
import type { CellEditor } from "./cell-editor.js";
import { cellMenu } from "./cell-menu.js";
import { cellStyle } from "./cell-style.js";
import { tagList } from "./cell-tags.js";
import { hidden } from "./commands.js";
import type { NotebookDocument } from "./document.js";
import type { Command } from "./keys.js";
import type { NotebookKernel } from "./notebook-kernel.js";
import { idOf, metadataOf, sourceOf, typeOf, type YCell } from "./model.js";
import { CellOutputs } from "./outputs.js";
import { NotebookElement } from "./words.js";

/** What all cells of a notebook share. */
export interface CellContext {
  readonly document: NotebookDocument;
  readonly kernel: NotebookKernel;
  /** A file's name whose language the code is in. */
  readonly file: string;
  /** Where links and pictures of text cells begin: an address that ends in a slash. */
  readonly base: string;
  readonly readOnly: boolean;
}

/** A line of a cell's text, what is around it, and a line of output: cell-style.ts, madang-output.ts. */
const LINE_PX = 20.8;
const BOX_PX = 16;
const OUTPUT_LINE_PX = 19.5;

interface InputRequest {
  prompt?: string;
  password?: boolean;
}

@customElement("madang-notebook-cell")
export class MadangNotebookCell extends NotebookElement {
  static override styles = [shared, cellStyle];

  @property({ attribute: false }) cell: YCell | null = null;
  @property({ attribute: false }) context: CellContext | null = null;
  @property({ type: Boolean, reflect: true }) active = false;
  /** One of the selected cells. */
  @property({ type: Boolean, reflect: true }) chosen = false;
  @property({ type: Boolean, reflect: true }) editing = false;
  @property({ type: Boolean }) numbers = false;
  @property({ type: Boolean }) near = false;
  /** Its place among those that wait for the kernel, from 1. */
  @property({ type: Number }) place = 0;
  @property({ type: Number }) at = 0;
  @property({ type: Number }) total = 0;
  @property({ attribute: false }) find: RegExp | null = null;
  @property({ attribute: false }) others: readonly { name: string; color: string }[] = [];
  /** A text cell that is shown as it reads, not as it is written. */
  @property({ type: Boolean }) rendered = true;
  /** How many cells are below the heading that this one begins with, and whether they are out of sight. */
  @property({ type: Number }) section = 0;
  @property({ type: Boolean, reflect: true }) folded = false;
  @state() private version = 0;
  private asked = false;
  /** It has been near: what was drawn stays, so that nothing moves when one scrolls back. */
  private seen = false;
  @state() private menu = false;
  @state() private tagging = false;
  @state() private now = Date.now();
  @query(".editor") private field!: HTMLElement | null;
  @query(".rendered") private reading!: HTMLElement | null;

  private editor: CellEditor | null = null;
  private opening: Promise<void> | null = null;
  private readonly outputs = new CellOutputs();
  private watched: YCell | null = null;
  private drawn = "";
  private timer: ReturnType<typeof setInterval> | undefined;
  private startedHere = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(document, "pointerdown", (event) => {
      if (this.menu && !event.composedPath().includes(this)) this.menu = false;
    });
    this.onLeave(() => {
      this.watch(null);
      this.closeEditor();
      clearInterval(this.timer);
      this.timer = undefined;
    });
    if (this.hasUpdated) this.watch(this.cell);
  }

  get cellId(): string {
    return this.cell ? idOf(this.cell) : "";
  }

  private get type(): "code" | "markdown" | "raw" {
    return this.cell ? typeOf(this.cell) : "code";
  }

  private get reads(): boolean {
    return this.type === "markdown" && this.rendered;
  }

  private watch(cell: YCell | null): void {
    if (cell === this.watched) return;
    this.watched?.unobserveDeep(this.onChange);
    this.watched = cell;
    cell?.observeDeep(this.onChange);
  }

  private readonly onChange = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    this.outputs.changed(events);
    // What is typed is the editor's own; the text of a cell without one is drawn here.
    if (this.editor && events.every((event) => event.target === this.watched?.get("source"))) return;
    this.version += 1;
  };

  /** A cell that was deleted has nothing to show; its element goes a moment later. */
  protected override shouldUpdate(): boolean {
    return this.cell === null || this.cell.has("source");
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.seen ||= this.near || (this.cell?.has("input_request") ?? false);
    if (changed.has("cell")) this.watch(this.cell);
    if (changed.has("cell") || changed.has("context")) this.closeEditor();
    if (this.reads || this.sourceHidden) this.closeEditor();
    const [kind, at, n] = [this.w(`${this.type}Cell`), this.at + 1, this.total];
    const count = this.cell?.get("execution_count");
    this.ariaLabel = [this.w("cellAt", { type: kind, at, n }), typeof count === "number" ? this.w("ranAs", { n: count }) : "", this.chosen ? this.w("selectedCell") : ""].filter(Boolean).join(", ");
  }

  protected override updated(changed: PropertyValues): void {
    if (this.near && !this.reads && !this.sourceHidden) void this.openEditor();
    else if (changed.has("near") && !this.near && !this.editor?.hasFocus) this.closeEditor();
    if (changed.has("numbers")) this.editor?.showLineNumbers(this.numbers);
    if (changed.has("find")) this.editor?.showFound(this.find);
    if (this.reads && this.seen) void this.drawMarkdown();
    else this.drawn = "";
    this.tick(this.cell?.get("execution_state") === "running");
    const asks = this.cell?.has("input_request") ?? false;
    if (asks && !this.asked) this.emit("cell-asks");
    this.asked = asks;
    if (changed.has("tagging") && this.tagging) this.renderRoot.querySelector<HTMLElement>(".tags input")?.focus();
  }

  private tick(running: boolean): void {
    if (running === (this.timer !== undefined)) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (!running) return;
    // The clock of a running cell is this page's: the server's may differ.
    const [began, ended] = this.times;
    const known = began !== null && (ended === null || ended < began); // else these are times of an earlier run
    this.startedHere = known ? Math.min(Date.now(), Math.max(began, Date.now() - 86_400_000)) : Date.now();
    this.timer = setInterval(() => { this.now = Date.now(); }, 100);
  }

  /** Milliseconds since 1970 at which it began and ended last. */
  private get times(): [number | null, number | null] {
    const execution = (this.cell ? metadataOf(this.cell).execution : undefined) as Record<string, string> | undefined;
    const at = (...names: string[]): number | null => {
      const time = Date.parse(names.map((name) => execution?.[name]).find(Boolean) ?? "");
      return Number.isNaN(time) ? null : time;
    };
    return [at("iopub.execute_input", "iopub.status.busy"), at("shell.execute_reply", "iopub.status.idle")];
  }

  private get sourceHidden(): boolean {
    return this.cell !== null && hidden(metadataOf(this.cell), "source_hidden");
  }

  // The text

  private async openEditor(): Promise<void> {
    if (this.editor || this.opening) return this.opening ?? undefined;
    this.opening = this.makeEditor();
    const { cell } = this;
    await this.opening;
    this.opening = null;
    // While it was made, the cell may have become another one, of another type.
    if (cell !== this.cell && this.isConnected && !this.reads && !this.sourceHidden) await this.openEditor();
  }

  private async makeEditor(): Promise<void> {
    const { CellEditor } = await import("./cell-editor.js");
    const { cell, context, field } = this;
    if (!cell || !context || !field || !this.isConnected || this.reads) return;
    const code = this.type === "code";
    const editor = await CellEditor.open({
      parent: field, root: this.renderRoot as ShadowRoot, text: sourceOf(cell), awareness: context.document.awareness,
      file: code ? context.file : this.type === "markdown" ? "text.md" : "text.txt", label: this.w("source", { at: this.at + 1 }), wrap: !code, readOnly: context.readOnly,
      kernel: code ? context.kernel : null,
      onCommand: (command) => { this.emit("cell-editor", { command }); },
      onCursor: (line, column) => { this.emit("cell-cursor", { line, column }); },
      onFocus: () => { this.emit("cell-edit"); },
    });
    if (cell !== this.cell || field !== this.field || !this.isConnected) {
      editor.destroy();
      return;
    }
    this.editor = editor;
    editor.showLineNumbers(this.numbers); // they may have changed while it was made
    editor.showFound(this.find);
    field.previousElementSibling?.setAttribute("hidden", "");
  }

  private closeEditor(): void {
    if (!this.editor) return;
    this.editor.destroy();
    this.editor = null;
    this.field?.previousElementSibling?.removeAttribute("hidden");
    this.version += 1;
  }

  /** Put the cursor into the text. */
  async edit(at?: "start" | "end" | number): Promise<void> {
    await this.ready();
    this.editor?.focus(at);
  }

  async editLine(line: number): Promise<void> {
    await this.ready();
    this.editor?.focusLine(line);
  }

  async selectText(from: number, to: number): Promise<void> {
    await this.ready();
    this.editor?.select(from, to);
  }

  private async ready(): Promise<void> {
    this.rendered = false;
    this.near = true;
    await this.updateComplete;
    await this.openEditor();
  }

  focusAnswer(): void {
    this.renderRoot.querySelector<HTMLElement>("form.answer input")?.focus();
  }

  get positions(): number[] {
    return this.editor?.positions ?? [];
  }

  addTag(): void {
    this.tagging = true;
  }

  private async drawMarkdown(): Promise<void> {
    const { cell, context } = this;
    if (!cell || !context) return;
    const source = sourceOf(cell).toString();
    if (source === this.drawn) return;
    this.drawn = source;
    const { showMarkdown } = await import("../rendering.js");
    const host = this.reading;
    if (!host || source !== this.drawn || !source.trim()) return;
    await showMarkdown(host, source, (cell.get("attachments") ?? {}) as Record<string, MimeBundle>, context.base);
  }

  // What it shows

  override render(): TemplateResult {
    const { cell, context } = this;
    if (!cell || !context) return html``;
    void this.version;
    if (!this.seen) return this.unseen(cell);
    const { type } = this;
    const state = cell.get("execution_state");
    const busy = state === "running" || state === "queued";
    const count = cell.get("execution_count");
    const label = busy ? "[*]" : `[${typeof count === "number" ? String(count) : " "}]`;
    return html`<div class="gutter ${type} ${type === "code" && !context.readOnly ? "runs" : ""} ${busy ? "busy" : ""}" draggable=${context.readOnly ? "false" : "true"} title=${context.readOnly ? nothing : this.w("dragCell")}>
        ${type === "code" ? html`<span class="n" aria-hidden="true">${label}</span>` : nothing}
        ${type === "code" && !context.readOnly ? html`<button class="icon quiet" tabindex="-1" aria-label=${this.w("runCell")} title="${this.w("runCell")} (Ctrl+Enter)"
          @click=${() => { this.do("runStay"); }}>${icon("play")}</button>` : nothing}
        ${this.reads && this.section > 0 ? html`<button class="icon quiet fold" tabindex="-1" aria-expanded=${!this.folded} aria-label=${this.w("section")} title="${this.w(this.folded ? "unfold" : "fold")} (${this.folded ? "→" : "←"})"
          @click=${() => { this.do(this.folded ? "unfold" : "fold"); }}>${icon(this.folded ? "chevron" : "down")}</button>` : nothing}</div>
      <div class="main ${type}">${this.text(state === "running")}${this.took(cell, String(state))}${this.results(cell)}
        ${this.folded && this.section > 0 ? html`<div class="bar">${this.section === 1 ? this.w("foldedOne") : this.w("foldedN", { n: this.section })}<button @click=${() => { this.do("unfold"); }}>${this.w("show")}</button></div>` : nothing}
        ${tagList(metadataOf(cell).tags, this.tagging, context.readOnly, (tags) => { this.tagging = false; if (tags) this.emit("cell-tags", { tags }); }, (word, values) => this.w(word, values))}</div>
      ${this.others.length > 0 ? html`<div class="others">${this.others.map(({ name, color }) => html`<span style="background:${color}" title=${this.w("othersHere", { name })}>${name}</span>`)}</div>` : nothing}
      ${this.active && !context.readOnly ? this.tools() : nothing}`;
  }

  /** Until it is near it holds its place, with what the browser's own search may look for. */
  private unseen(cell: YCell): TemplateResult {
    const source = this.sourceHidden ? "" : sourceOf(cell).toString();
    const shown = this.type === "code" && !hidden(metadataOf(cell), "outputs_hidden") ? heightOf(this.outputs.read(cell)) : 0;
    const text = html`<pre .textContent=${source}></pre>`;
    return html`<div></div><div class="main unseen ${this.type}" style="contain-intrinsic-height:${(lines(source) + 1) * LINE_PX + BOX_PX + shown}px">
      ${this.reads ? text : html`<div class="box">${text}</div>`}<div class="outputs" style="min-height:${shown}px"></div></div>`;
  }

  private text(running: boolean): TemplateResult {
    const { cell } = this;
    if (this.sourceHidden) {
      return html`<div class="bar">${this.w("inputHidden")}<button @click=${() => { this.do("toggleInput"); }}>${this.w("show")}</button></div>`;
    }
    const source = cell ? sourceOf(cell).toString() : "";
    if (this.reads) {
      const empty = source.trim() === "";
      return html`<div @dblclick=${() => { this.emit("cell-do", { command: "edit" }); }}>${empty ? html`<div class="rendered empty muted">${this.w("emptyMarkdown")}</div>` : html`<div class="rendered"></div>`}</div>`;
    }
    return html`<div class="box ${running ? "running" : ""}"><pre .textContent=${source} @pointerdown=${() => void this.edit()}></pre><div class="editor"></div></div>`;
  }

  private took(cell: YCell, state: string): TemplateResult | typeof nothing {
    if (this.type !== "code") return nothing;
    const [began, ended] = this.times;
    if (state === "queued") return html`<div class="took">${this.place > 0 ? this.w("queuedAt", { n: this.place }) : this.w("cellQueued")}</div>`;
    const time = state === "running" ? this.now - this.startedHere : began !== null && ended !== null ? ended - began : null;
    const shown = time === null || (state === "running" && time < 400) ? "" : duration(time);
    const failed = state !== "running" && shownOf(this.outputs.read(cell)).some(({ kind }) => kind === "error");
    if (state !== "running" && !shown && !failed) return nothing;
    return html`<div class="took">${state === "running" ? html`<i></i><span>${this.w("cellRunning")}</span>` : nothing}
      ${failed ? html`<span class="bad">${this.w("cellFailed")}</span>` : nothing}${shown ? html`<span>${shown}</span>` : nothing}</div>`;
  }

  private results(cell: YCell): TemplateResult | typeof nothing {
    if (this.type !== "code") return nothing;
    const request = cell.get("input_request") as InputRequest | undefined;
    const asks = request ? this.question(request) : nothing;
    const all = this.outputs.read(cell);
    if (all.length === 0) return html`${asks}`;
    const metadata = metadataOf(cell);
    if (hidden(metadata, "outputs_hidden")) {
      return html`<div class="bar" style="margin-top:6px">${this.w("outputHidden")}<button @click=${() => { this.do("toggleOutput"); }}>${this.w("show")}</button></div>${asks}`;
    }
    const cut = Math.max(0, all.length - OUTPUTS);
    return html`${cut > 0 ? html`<p class="took">${this.t("outputsCut", { n: cut.toLocaleString() })}</p>` : nothing}
      <div class="outputs ${metadata.scrolled === true ? "scrolled" : ""}" tabindex=${metadata.scrolled === true ? 0 : nothing}
        @output-line=${(event: CustomEvent<{ count: number; line: number }>) => { this.emit("cell-line", event.detail); }}>
        ${shownOf(all).map((output) => html`<madang-output links .output=${output} .widgets=${this.context?.kernel ?? null} language=${this.language}></madang-output>`)}</div>${asks}`;
  }

  private question({ prompt, password }: InputRequest): TemplateResult {
    const label = prompt || this.w(password ? "answerHidden" : "answer");
    return html`<form class="answer" @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        const field = (event.target as HTMLFormElement).querySelector("input");
        this.emit("cell-answer", { value: field?.value ?? "" });
      }}><label for="answer">${prompt ?? ""}</label>
      <input id="answer" type=${password ? "password" : "text"} autocomplete="off" autocapitalize="off" spellcheck="false" aria-label=${label} ?disabled=${this.context?.readOnly} />
      <button type="submit">${this.w("send")}</button></form>`;
  }

  private tools(): TemplateResult {
    const tool = (name: "up" | "down" | "trash", word: "moveUp" | "moveDown" | "remove", command: Command): TemplateResult =>
      html`<button class="icon quiet" tabindex="-1" title=${this.w(word)} aria-label=${this.w(word)} @click=${() => { this.do(command); }}>${icon(name)}</button>`;
    return html`<div class="tools" role="group" aria-label=${this.w("cellTools")}>
      ${tool("up", "moveUp", "moveUp")}${tool("down", "moveDown", "moveDown")}${tool("trash", "remove", "remove")}
      <button class="icon quiet" aria-label=${this.w("more")} title=${this.w("more")} aria-haspopup="menu" aria-expanded=${this.menu}
        @click=${() => { this.menu = !this.menu; }}>${icon("dots")}</button>
      ${this.menu && this.cell ? cellMenu(this.type, metadataOf(this.cell), this.section > 0 ? (this.folded ? "unfold" : "fold") : null, (word) => this.w(word), (command) => { this.menu = false; if (command) this.do(command); }) : nothing}</div>`;
  }

  private do(command: Command): void {
    this.emit("cell-do", { command });
  }
}

function shownOf(all: readonly Output[]): readonly Output[] {
  return all.length > OUTPUTS ? all.slice(-OUTPUTS) : all;
}

/** About how tall outputs will be, in pixels, so that what comes below them hardly moves when they are drawn. */
function heightOf(outputs: readonly Output[]): number {
  let height = 0;
  for (const output of outputs) {
    if (output.kind === "stream") height += OUTPUT_LINE_PX * Math.min(400, lines(output.text.done) + 1);
    else if (output.kind === "error") height += OUTPUT_LINE_PX * (output.traceback.join("\n").split("\n").length + 1);
    else if (output.kind === "display") height += Object.keys(output.data).some((type) => type.startsWith("image/")) ? 320 : "text/html" in output.data ? 160 : 28;
  }
  return Math.min(height, 4000);
}

/** How many lines end in `text`, 400 at most. */
function lines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0 && count < 400; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-notebook-cell": MadangNotebookCell;
  }
}
