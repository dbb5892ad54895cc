/** The bar for finding and replacing in a notebook.
 *
 * Properties: `model`, `language`, `readonly`. Events: `find-pattern` {pattern}, `find-go` {match}, `find-close`. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { icon } from "../icons.js";
import { shared } from "../styles.js";
import { type Match, matchesOf, patternOf, type Query, replaceMatches } from "./find.js";
import type { NotebookModel } from "./model.js";
import { NotebookElement } from "./words.js";

@customElement("madang-notebook-find")
export class MadangNotebookFind extends NotebookElement {
  static override styles = [
    shared,
    css`
      :host { display: flex; flex-wrap: wrap; gap: 6px; padding: 6px 12px; border-bottom: 1px solid var(--line); background: var(--sunken); align-items: center; }
      .row { display: flex; gap: 4px; align-items: center; flex: 1 1 330px; min-width: 0; } input[type="text"] { flex: 1; min-width: 8ch; font-size: 13px; }
      .toggle { font: 12px var(--mono); padding: 0 6px; min-width: 28px; } .toggle[aria-pressed="true"] { background: var(--accent-ground); border-color: var(--accent); color: var(--accent); }
      .count { color: var(--muted); font-size: 12px; min-width: 8ch; text-align: center; white-space: nowrap; } .bad { color: var(--red); }
    `,
  ];

  @property({ attribute: false }) model: NotebookModel | null = null;
  @property({ type: Boolean }) readOnly = false;
  @state() private query: Query = { text: "", matchCase: false, regex: false };
  @state() private found: readonly Match[] = [];
  @state() private current = -1;
  @state() private bad = false;
  @query("#find") private field!: HTMLInputElement;
  @query("#replace") private replacement!: HTMLInputElement | null;
  private pattern: RegExp | null = null;

  override focus(): void {
    void this.updateComplete.then(() => { this.field.select(); });
  }

  /** Search anew: the notebook has changed. */
  refresh(): void {
    this.found = this.model && this.pattern ? matchesOf(this.model, this.pattern) : [];
    this.current = Math.min(this.current, this.found.length - 1);
  }

  private search(query: Query): void {
    this.query = query;
    try {
      this.pattern = patternOf(query);
      this.bad = false;
    } catch {
      this.pattern = null; // an expression that is being written is often none yet
      this.bad = true;
    }
    this.current = -1;
    this.refresh();
    this.emit("find-pattern", { pattern: this.pattern });
  }

  private go(step: number): void {
    this.refresh();
    const { length } = this.found;
    if (length === 0) return;
    this.current = this.current < 0 && step < 0 ? length - 1 : (this.current + step + length) % length;
    this.emit("find-go", { match: this.found[this.current] });
  }

  private replaceOne(): void {
    this.refresh();
    const match = this.found[Math.max(this.current, 0)];
    if (!this.model || !this.pattern || !match) return;
    replaceMatches(this.model, [match], this.pattern, this.query, this.replacement?.value ?? "");
    this.current = Math.max(this.current, 0) - 1;
    this.go(1);
  }

  private replaceAll(): void {
    this.refresh();
    if (!this.model || !this.pattern) return;
    replaceMatches(this.model, this.found, this.pattern, this.query, this.replacement?.value ?? "");
    this.refresh();
    this.replacement?.focus(); // the button has nothing more to do, and would lose the focus
  }

  private onKey(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Escape") this.emit("find-close");
    else if (event.key === "Enter" && event.target === this.field) this.go(event.shiftKey ? -1 : 1);
    else if (event.key === "Enter" && event.target === this.replacement) this.replaceOne();
    else return;
    event.preventDefault();
  }

  override render(): TemplateResult {
    const { query, found: matches } = this;
    const toggle = (word: "matchCase" | "useRegex", shown: string, on: boolean, change: Partial<Query>): TemplateResult =>
      html`<button class="quiet toggle" title=${this.w(word)} aria-label=${this.w(word)} aria-pressed=${on} @click=${() => { this.search({ ...query, ...change }); }}>${shown}</button>`;
    const count = this.bad ? this.w("badPattern") : query.text === "" ? "" : matches.length === 0 ? this.w("foundNone") : this.w("foundAt", { at: this.current < 0 ? "–" : this.current + 1, n: matches.length });
    return html`<div class="row" role="search" @keydown=${(event: KeyboardEvent) => { this.onKey(event); }}>
        <input id="find" type="text" aria-label=${this.w("findLabel")} placeholder=${this.w("findLabel")} autocomplete="off" spellcheck="false"
          @input=${(event: Event) => { this.search({ ...query, text: (event.target as HTMLInputElement).value }); }} />
        ${toggle("matchCase", "Aa", query.matchCase, { matchCase: !query.matchCase })}${toggle("useRegex", ".*", query.regex, { regex: !query.regex })}
        <span class="count num ${this.bad ? "bad" : ""}" role="status">${count}</span>
        <button class="icon quiet" title=${this.w("previous")} aria-label=${this.w("previous")} @click=${() => { this.go(-1); }}>${icon("up")}</button>
        <button class="icon quiet" title=${this.w("next")} aria-label=${this.w("next")} @click=${() => { this.go(1); }}>${icon("down")}</button></div>
      ${this.readOnly ? nothing : html`<div class="row" @keydown=${(event: KeyboardEvent) => { this.onKey(event); }}>
        <input id="replace" type="text" aria-label=${this.w("replaceLabel")} placeholder=${this.w("replaceLabel")} autocomplete="off" spellcheck="false" />
        <button ?disabled=${matches.length === 0} @click=${() => { this.replaceOne(); }}>${this.w("replace")}</button>
        <button ?disabled=${matches.length === 0} @click=${() => { this.replaceAll(); }}>${this.w("replaceAll")}</button></div>`}
      <button class="icon quiet" title=${this.w("close")} aria-label=${this.w("close")} @click=${() => { this.emit("find-close"); }}>${icon("close")}</button>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-notebook-find": MadangNotebookFind;
  }
}
