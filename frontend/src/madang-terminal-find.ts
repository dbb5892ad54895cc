/** A field to find text in what a terminal has shown.
 *
 * Property: `addon` (xterm.js's search). Attribute: `language`. Event: `madang-find-end` when it is to close.
 * CSS variables: those of tokens.css. */
import type { SearchAddon } from "@xterm/addon-search";
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { shared } from "./styles.js";

@customElement("madang-terminal-find")
export class MadangTerminalFind extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: flex; align-items: center; gap: 4px; padding: 3px 8px; background: var(--sunken); border-bottom: 1px solid var(--line); font-size: 12.5px; }
      input { flex: 1; min-width: 60px; max-width: 260px; }
      span { color: var(--muted); min-width: 6ch; }
    `,
  ];

  @property({ attribute: false }) addon: SearchAddon | null = null;
  @state() private found: { at: number; count: number } | null = null;
  @query("input") private field!: HTMLInputElement;

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("addon") || !this.addon) return;
    const results = this.addon.onDidChangeResults(({ resultIndex, resultCount }) => { this.found = { at: resultIndex + 1, count: resultCount }; });
    const { addon } = this;
    this.onLeave(() => {
      results.dispose();
      addon.clearDecorations();
    });
  }

  override focus(): void {
    this.field.select();
    this.field.focus();
  }

  private find(back: boolean, incremental = false): void {
    const text = this.field.value;
    if (!text) {
      this.addon?.clearDecorations();
      this.found = null;
      return;
    }
    const options = { incremental, decorations: { matchBackground: "#5A4A1E", activeMatchBackground: "#B8431C", matchOverviewRuler: "#E0B050", activeMatchColorOverviewRuler: "#FF8A5C" } };
    if (back) this.addon?.findPrevious(text, options);
    else this.addon?.findNext(text, options);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Enter") this.find(!event.shiftKey);
    else if (event.key === "Escape") this.emit("madang-find-end");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  override render(): TemplateResult {
    return html`<input aria-label=${this.t("findInTerminal")} placeholder=${this.t("findInTerminal")} spellcheck="false" autocapitalize="off"
        @input=${() => { this.find(true, true); }} @keydown=${(event: KeyboardEvent) => { this.onKey(event); }} />
      <span class="num" role="status">${this.found ? `${String(this.found.at)}/${String(this.found.count)}` : ""}</span>
      <button class="icon quiet" aria-label=${this.t("findBefore")} title=${this.t("findBefore")} @click=${() => { this.find(true); }}>↑</button>
      <button class="icon quiet" aria-label=${this.t("findNext")} title=${this.t("findNext")} @click=${() => { this.find(false); }}>↓</button>
      <button class="icon quiet" aria-label=${this.t("close")} @click=${() => { this.emit("madang-find-end"); }}>${icon("close")}</button>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminal-find": MadangTerminalFind;
  }
}
