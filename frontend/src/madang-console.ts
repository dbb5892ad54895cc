/** A notebook-like console of a project's kernel.
 *
 * Attributes: `slug` (of the project), `kernel` (the kernelspec's name), `file` (a name whose language is the console's), `language`, `readonly`: for who may not run it.
 * Events: `madang-kernel` {state, name}, `madang-link` {state, code}, `madang-started`, `madang-start-failed` {error}.
 * CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError } from "./api.js";
import "./console-cell.js";
import type { ConsoleInput } from "./console-input.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import type { Kernel } from "./kernel.js";
import { shared } from "./styles.js";
import { type Cell, type Divider, EMPTY_TRANSCRIPT, type Message, type Transcript } from "./transcript.js";

/** Of a long log only the newest cells are in the page until one asks for more. */
const CELLS = 200;

@customElement("madang-console")
export class MadangConsole extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; min-height: 0; min-width: 0; background: var(--surface); position: relative; }
      .log { overflow: auto; padding: 16px 22px 8px; outline-offset: -2px; grid-row: 2; overflow-anchor: none; }
      .divider { display: flex; align-items: center; gap: 12px; margin: 4px 0 16px; color: var(--muted); font-size: 12px; }
      .divider::before, .divider::after { content: ""; flex: 1; border-top: 1px dashed var(--line); }
      .input { grid-row: 3; display: grid; grid-template-columns: 52px minmax(0, 1fr); padding: 6px 22px 12px; border-top: 1px solid var(--line); }
      .input .n { color: var(--muted); font: 12px var(--mono); padding-top: 9px; }
      .box { border: 1px solid var(--control-line); border-radius: var(--radius); background: var(--sunken); display: flex; align-items: flex-end; max-height: 40vh; }
      .box:focus-within { border-color: var(--accent); box-shadow: 0 0 0 3px var(--accent-ground); }
      .field { flex: 1; min-width: 0; max-height: 40vh; overflow: auto; min-height: 36px; }
      .box button { margin: 4px; flex: none; }
      .hint { grid-column: 2; font-size: 11.5px; color: var(--muted); padding: 4px 2px 0; display: flex; gap: 10px; flex-wrap: wrap; justify-content: space-between; }
      .inspect { grid-column: 2; max-height: 30vh; overflow: auto; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); box-shadow: var(--shadow); margin-bottom: 6px; padding: 6px 4px; }
      .down { position: absolute; right: 22px; bottom: 100%; margin-bottom: 8px; box-shadow: var(--shadow); }
      .input { position: relative; }
      .empty { padding: 20px 0 20px 52px; }
      .bone { height: 38px; margin: 0 0 14px 52px; }
      @media (max-width: 720px) {
        .log { padding: 12px 12px 4px; } .input { padding: 6px 12px 8px; grid-template-columns: 36px minmax(0, 1fr); } .empty { padding-left: 36px; } .bone { margin-left: 36px; }
        .hint span:first-child { display: none; }
      }
    `,
  ];

  @property() slug = "";
  @property() kernel = "python3";
  @property({ type: Boolean }) readonly = false;
  /** A file's name whose language is the console's. */
  @property() file = "main.py";
  @state() private transcript: Transcript = EMPTY_TRANSCRIPT;
  /** "ended": its session is over. */
  @state() private phase: "starting" | "ready" | "failed" | "ended" = "starting";
  @state() private problem = "";
  @state() private asking = false;
  @state() private all = false;
  @state() private away = false;
  @state() private explained: string | null = null;
  @query(".log") private log!: HTMLElement;
  @query(".field") private field!: HTMLElement;

  private client: Kernel | null = null;
  private input: ConsoleInput | null = null;
  private early: string[] = [];
  private attempt = 0;
  private lastKey = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(this, "keydown", (event) => {
      this.onKey(event as KeyboardEvent);
    });
    this.onLeave(() => {
      this.attempt += 1;
      this.client?.dispose();
      this.input?.destroy();
      this.client = this.input = null;
    });
    if (this.hasUpdated) this.firstUpdated();
  }

  override firstUpdated(): void {
    if (this.readonly) return;
    void this.start();
    void this.openInput();
  }

  override focus(): void {
    if (this.input) this.input.focus();
    else this.log.focus();
  }

  /** Join the kernel, or start it; also after an end, with an empty transcript. */
  async start(): Promise<void> {
    this.attempt += 1;
    const mine = this.attempt;
    this.client?.dispose();
    this.client = null;
    this.transcript = EMPTY_TRANSCRIPT;
    this.phase = "starting";
    this.problem = "";
    try {
      const { Kernel } = await import("./kernel.js");
      const client = await Kernel.start(this.slug, this.kernel, {
        onTranscript: (transcript) => {
          this.take(transcript);
        },
        onLink: (link, code) => {
          if (link === "closed" && code !== 1000) this.phase = "ended";
          this.emit("madang-link", { state: link, code });
        },
      });
      if (mine !== this.attempt) {
        client.dispose();
        return;
      }
      this.client = client;
      this.phase = "ready";
      for (const code of this.early.splice(0)) client.run(code);
      this.emit("madang-started");
    } catch (error) {
      if (mine !== this.attempt) return;
      this.phase = "failed";
      this.problem = error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(" ") : String(error);
      this.emit("madang-start-failed", { error });
    }
  }

  /** Run `code` now, or as soon as the kernel is there. False when there is none to come. */
  run(code: string): boolean {
    if (this.phase === "ended" || this.phase === "failed") return false;
    this.away = false;
    if (this.client) this.client.run(code);
    else this.early.push(code);
    return true;
  }

  /** Run what is written in the input cell. */
  submit(): void {
    this.input?.submit();
  }

  interrupt(): Promise<void> {
    return this.tell(this.client?.interrupt());
  }

  askToRestart(): void {
    this.asking = true;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#sure")?.focus());
  }

  get busy(): boolean {
    return this.transcript.kernel === "busy";
  }

  private answer(request: Message["header"], value: string): void {
    this.client?.answer(request, value);
    this.focus();
  }

  private async restart(): Promise<void> {
    this.asking = false;
    this.focus();
    await this.tell(this.client?.restart());
  }

  private async tell(work: Promise<void> | undefined): Promise<void> {
    try {
      await work;
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  private take(transcript: Transcript): void {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    const before = this.transcript.kernel;
    this.transcript = transcript;
    if (before !== transcript.kernel) this.emit("madang-kernel", { state: transcript.kernel, name: this.client?.name ?? "" });
    this.input?.learn(transcript.entries.flatMap((entry) => (entry.kind === "cell" && entry.code ? [entry.code] : [])));
    if (atEnd && !this.away) this.follow();
  }

  /** Keep the newest in sight while it grows; outputs draw a little later than the cells. */
  private follow(): void {
    void this.updateComplete.then(() => {
      this.log.scrollTop = this.log.scrollHeight;
    });
  }

  private async openInput(): Promise<void> {
    const { ConsoleInput } = await import("./console-input.js");
    if (!this.isConnected || this.input) return;
    const input = await ConsoleInput.open(this.field, this.renderRoot as ShadowRoot, this.t("consoleInput"), this.file, {
      run: (code) => {
        this.explained = null;
        return this.run(code);
      },
      complete: (code, at) => this.client?.complete(code, at) ?? Promise.resolve(null),
      explain: (code, at) => void this.explain(code, at),
    });
    if (!this.isConnected || this.input) {
      input.destroy();
      return;
    }
    this.input = input;
    this.field.querySelectorAll(".bone").forEach((bone) => {
      bone.remove();
    });
    const observer = new ResizeObserver(() => {
      if (!this.away) this.log.scrollTop = this.log.scrollHeight;
    });
    const content = this.renderRoot.querySelector(".cells");
    if (content) observer.observe(content);
    this.onLeave(() => {
      observer.disconnect();
    });
  }

  private async explain(code: string, at: number): Promise<void> {
    this.explained = (await this.client?.inspect(code, at)) ?? null;
  }

  private onKey(event: KeyboardEvent): void {
    const typing = typesText(event);
    const plainC = event.key === "c" && event.ctrlKey && !event.shiftKey && !event.altKey;
    if (plainC && this.busy && !selectedText(event)) {
      event.preventDefault();
      void this.interrupt();
    } else if (event.key === "i" && !typing && !event.ctrlKey && !event.metaKey) {
      if (this.lastKey === "i") void this.interrupt();
      this.lastKey = this.lastKey === "i" ? "" : "i";
      return;
    } else if (event.key === "Escape" && this.explained !== null) {
      this.explained = null;
    }
    this.lastKey = "";
  }

  private onScroll(): void {
    this.away = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight > 120;
  }

  override render(): TemplateResult {
    if (this.readonly) return html`<div class="log" tabindex="0"><div class="empty"><b>${this.t("onlyLook")}</b><span>${this.t("onlyLookHint")}</span></div></div>`;
    return html`${this.notes()}
      <div class="log" tabindex="0" role="log" aria-live="off" aria-label=${this.t("consoleLog")} @scroll=${() => { this.onScroll(); }}
        @cell-answer=${(event: CustomEvent<{ request: Message["header"]; value: string }>) => { this.answer(event.detail.request, event.detail.value); }}
        @cell-reuse=${(event: CustomEvent<{ code: string }>) => this.input?.fill(event.detail.code)}
        @cell-again=${(event: CustomEvent<{ id: string; code: string }>) => this.client?.again(event.detail.id, event.detail.code)}
        @cell-discard=${(event: CustomEvent<{ id: string }>) => this.client?.forget(event.detail.id)}>
        <div class="cells">${this.entries()}</div>
      </div>
      <div class="input">
        ${this.away && this.transcript.entries.length > 0 ? html`<button class="down" @click=${() => { this.away = false; this.follow(); }}>${icon("down")}${this.t("jumpDown")}</button>` : nothing}
        ${this.explained === null ? nothing : html`<div class="inspect" role="status"><madang-output .output=${{ kind: "display", data: { "text/plain": this.explained }, metadata: {}, displayId: null, result: false }}></madang-output></div>`}
        <div class="n" aria-hidden="true">[ ]</div>
        <div class="box"><div class="field"></div>
          <button class="icon" ?disabled=${this.phase !== "ready"} title=${this.t("run")} aria-label=${this.t("run")} @click=${() => this.input?.submit()}>${icon("play")}</button>
          ${this.busy ? html`<button class="icon danger" title=${this.t("interrupt")} aria-label=${this.t("interrupt")} @click=${() => void this.interrupt()}>${icon("stop")}</button>` : nothing}</div>
        <div class="hint"><span>${this.t("inputHint")}</span></div>
      </div>`;
  }

  private notes(): TemplateResult | typeof nothing {
    if (this.asking) {
      return html`<div class="note" role="alertdialog" aria-label=${this.t("restart")}><span>${this.t("restartSure")}</span>
        <button id="sure" class="primary" @click=${() => void this.restart()}>${this.t("restart")}</button>
        <button @click=${() => { this.asking = false; this.focus(); }}>${this.t("cancel")}</button></div>`;
    }
    if (this.phase === "failed") {
      return html`<div class="note bad" role="alert"><span><b>${this.t("startFailed")}</b> ${this.problem}</span>
        <button @click=${() => void this.start()}>${this.t("tryAgain")}</button></div>`;
    }
    if (this.transcript.kernel === "dead" && this.phase === "ready") {
      return html`<div class="note bad" role="status"><span>${this.t("kernelEnded")}</span>
        <button @click=${() => void this.start()}>${this.t("startAgain")}</button></div>`;
    }
    if (!this.problem) return nothing;
    return html`<div class="note bad" role="alert"><span>${this.problem}</span>
      <button class="quiet" @click=${() => (this.problem = "")}>${this.t("close")}</button></div>`;
  }

  private entries(): TemplateResult {
    const { entries } = this.transcript;
    if (entries.length === 0 && this.phase === "starting") {
      return html`<div aria-hidden="true"><div class="bone"></div><div class="bone" style="width:60%"></div></div>`;
    }
    if (entries.length === 0) return html`<div class="empty"><b>${this.t("consoleEmpty")}</b><span>${this.t("consoleEmptyHint")}</span></div>`;
    const shown = this.all ? entries : entries.slice(-CELLS);
    const earlier = entries.length - shown.length;
    return html`${earlier > 0 ? html`<div class="divider"><button class="quiet" @click=${() => (this.all = true)}>+ ${earlier}</button></div>` : nothing}
      ${repeat(shown, (entry) => entry.id, (entry) => guard([entry, this.language, this.client], () => this.entry(entry)))}`;
  }

  private entry(entry: Cell | Divider): TemplateResult {
    if (entry.kind === "divider") return html`<div class="divider">${this.t(entry.what === "cut" ? "cutHere" : "restartedHere")}</div>`;
    return html`<madang-console-cell .cell=${entry} .widgets=${this.client} file=${this.file} language=${this.language}></madang-console-cell>`;
  }
}

/** Does this key go into a text field? */
function typesText(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

function selectedText(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  if (target instanceof HTMLInputElement) return target.selectionStart !== target.selectionEnd;
  return (getSelection()?.toString() ?? "") !== "";
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-console": MadangConsole;
  }
}
