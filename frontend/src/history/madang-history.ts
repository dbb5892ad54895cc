/** A slider through the earlier states of a text file or a notebook, each compared with how the file is now.
 *
 * Attributes: `project` (id), `path` (with the project's slug in front), `slug`, `readonly` (look, restore nothing), `language`.
 * Events: `madang-close`, `madang-open` {path} (a copy, no slug in front), `madang-copied`. CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError } from "../api.js";
import { describe, writeText } from "../contents.js";
import { icon } from "../icons.js";
import { isNotebook } from "../new-files.js";
import { shared } from "../styles.js";
import { showCells } from "./cells-view.js";
import { History, nameOfCopy, type State } from "./history.js";
import { historyStyle } from "./history-style.js";
import { HistoryElement } from "./words.js";

interface Done {
  words: string;
  label: string;
  act: () => void;
}

@customElement("madang-history")
export class MadangHistory extends HistoryElement {
  static override styles = [shared, historyStyle];

  @property() project = "";
  @property() path = "";
  @property() slug = "";
  @property({ type: Boolean }) readonly = false;
  /** Oldest first. */
  @state() private states: readonly State[] = [];
  @state() private at = 0;
  @state() private next: number | null = null;
  @state() private phase: "loading" | "ready" | "failed" = "loading";
  @state() private problem = "";
  @state() private verdict: "" | "same" | "onlyMetadata" = "";
  @state() private busy = false;
  @state() private done: Done | null = null;
  @query(".place") private place!: HTMLElement | null;
  @query("input") private slider!: HTMLInputElement | null;
  private now = "";
  private looking = new AbortController();
  private takeAway: () => void = () => undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => {
      this.looking.abort();
      this.takeAway();
    });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("path") || changed.has("project")) void this.load();
  }

  override focus(): void {
    (this.slider ?? this.renderRoot.querySelector("button"))?.focus();
  }

  private get history(): History {
    return new History(this.project, this.path.slice(this.slug.length + 1));
  }

  private get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  private get chosen(): State | undefined {
    return this.states[this.at];
  }

  private get newest(): State | undefined {
    return this.states.at(-1);
  }

  /** Do something that may fail; says why it did. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    this.problem = "";
    try {
      await work();
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return; // another state was asked for meanwhile
      this.problem = error instanceof ApiError ? (error.status === 0 ? this.t("offline") : [error.message, error.hint].filter(Boolean).join(" ")) : String(error);
      if (this.phase === "loading") this.phase = "failed";
    }
  }

  /** Ask for the newest states, and show the last but one: what was written last is the difference. */
  async load(back = 1): Promise<void> {
    await this.attempt(async () => {
      if (!this.project || !this.path) return;
      const first = this.phase === "loading";
      const { states, next } = await this.history.page();
      const newest = states.at(-1);
      this.now = newest ? await this.history.text(newest.number) : "";
      [this.states, this.next, this.phase] = [states, next, "ready"];
      this.at = Math.max(0, states.length - 1 - back);
      await this.updateComplete;
      if (first) this.focus();
      await this.show();
    });
  }

  private async choose(at: number): Promise<void> {
    this.at = Math.max(0, Math.min(at, this.states.length - 1));
    this.done = null;
    await this.attempt(() => this.show());
    if (this.at === 0) await this.attempt(() => this.lookFurther());
  }

  /** What is before the oldest state that is here. */
  private async lookFurther(): Promise<void> {
    const { next } = this;
    if (next === null) return;
    const page = await this.history.page(next);
    if (this.next !== next) return;
    this.states = [...page.states, ...this.states];
    this.at += page.states.length;
    this.next = page.next;
  }

  private async show(): Promise<void> {
    const { chosen } = this;
    this.looking.abort();
    if (!chosen) return;
    const { signal } = (this.looking = new AbortController());
    const text = chosen === this.newest ? this.now : await this.history.text(chosen.number, signal);
    await this.updateComplete;
    if (signal.aborted || !this.place) return;
    this.takeAway();
    this.takeAway = () => undefined;
    this.place.replaceChildren();
    this.verdict = text === this.now ? "same" : "";
    if (chosen !== this.newest && text === this.now) return;
    const label = this.w("compared", { name: this.name });
    const root = this.renderRoot as ShadowRoot;
    const cells = isNotebook(this.path) ? await showCells(this.place, root, text, this.now, label, this.w.bind(this)) : null;
    if (cells?.differences === 0) this.verdict ||= "onlyMetadata";
    const { showDiff } = await import("../git/diff-view.js");
    const takeAway = cells?.takeAway ?? (await showDiff(this.place, root, this.path, text, this.now, label));
    if (signal.aborted) takeAway();
    else this.takeAway = takeAway;
  }

  private async restore(number: number, words: string, undo: boolean): Promise<void> {
    const before = this.newest?.number ?? 0;
    this.busy = true;
    await this.attempt(async () => {
      await this.history.restore(number);
      await this.load(0);
      this.done = undo ? { words, label: this.w("undo"), act: () => void this.restore(before, this.w("undone"), false) } : { words, label: this.w("close"), act: () => { this.done = null; } };
    });
    this.busy = false;
  }

  private async copy({ number, at }: State): Promise<void> {
    this.busy = true;
    this.done = null;
    await this.attempt(async () => {
      const text = await this.history.text(number);
      let path = "";
      for (let count = 1; !path || (await exists(path)); count += 1) path = nameOfCopy(this.path, new Date(at), count);
      await writeText(path, text);
      this.emit("madang-copied");
      const name = path.slice(path.lastIndexOf("/") + 1);
      this.done = { words: this.w("copied", { name }), label: this.w("open"), act: () => { this.emit("madang-open", { path: path.slice(this.slug.length + 1) }); } };
    });
    this.busy = false;
  }

  override render(): TemplateResult {
    return html`<div class="head"><h2 id="title">${this.w("title", { name: this.name })}</h2>
        <button class="icon quiet" title=${this.w("refresh")} aria-label=${this.w("refresh")} @click=${() => void this.load()}>${icon("refresh")}</button>
        <button class="icon quiet" title=${this.w("close")} aria-label=${this.w("close")} @click=${() => { this.emit("madang-close"); }}>${icon("close")}</button></div>
      ${this.chosen ? this.time(this.chosen) : nothing}
      <div class="body">
        ${this.problem ? html`<div class="note bad" role="alert"><span>${this.problem}</span><button @click=${() => void this.load()}>${this.t("tryAgain")}</button></div>` : nothing}
        ${this.done ? html`<div class="note" role="status"><span>${this.done.words}</span><button @click=${this.done.act}>${this.done.label}</button></div>` : nothing}
        ${this.phase === "loading" ? html`<div class="empty">${this.w("loading")}</div>` : nothing}
        ${this.phase === "ready" && this.states.length === 0 ? html`<div class="empty">${this.w("none")}</div>` : nothing}
        ${this.chosen && this.chosen === this.newest ? html`<p class="legend">${this.w("isNow")}</p>` : this.verdict ? html`<p class="legend" role="status">${this.w(this.verdict)}</p>` : this.chosen ? html`<p class="legend">${this.w("legend")}</p>` : nothing}
        <div class="place"></div></div>`;
  }

  private time(chosen: State): TemplateResult {
    const n = this.states.length;
    const when = new Intl.DateTimeFormat(this.languageCode, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(chosen.at));
    const who = chosen.authors.map(({ name }) => name).join(", ") || this.w("somebody");
    const what = this.w(chosen.origin, { who });
    const step = (by: number, name: "chevron", word: "older" | "newer"): TemplateResult => html`<button class="icon ${word}" title=${this.w(word)} aria-label=${this.w(word)}
      ?disabled=${this.at + by < 0 || this.at + by >= n} @click=${() => void this.choose(this.at + by)}>${icon(name)}</button>`;
    return html`<div class="time">${step(-1, "chevron", "older")}
        <input type="range" min="0" max=${n - 1} step="1" .value=${String(this.at)} aria-label=${this.w("slider")} aria-valuetext=${this.w("state", { at: this.at + 1, n, when, what })}
          @input=${(event: Event) => void this.choose(Number((event.target as HTMLInputElement).value))} />${step(1, "chevron", "newer")}</div>
      <div class="what"><span><b class="num">${when}</b> · ${what}<br><small class="muted num">${this.next === null ? `${String(this.at + 1)} / ${String(n)}` : this.w("more", { at: this.at + 1, n })}</small></span>
        ${this.readonly ? nothing : html`<button class="primary" ?disabled=${this.busy || chosen === this.newest} @click=${() => void this.restore(chosen.number, this.w("restored"), true)}>${this.w("goBack")}</button>
          <button ?disabled=${this.busy} @click=${() => void this.copy(chosen)}>${this.w("copy")}</button>`}</div>`;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await describe(path);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-history": MadangHistory;
  }
}
