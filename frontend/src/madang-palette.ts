/** The palette: a file by a few letters of its name, or a command by a few of its words after ">".
 *
 * Properties: `commands`, `files` (asked each time it opens). Attribute: `language`. `show(">")` or `show("")` opens it.
 * Event: `madang-open` {path, line, column}; a path has no slug in front. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { fuzzy, type Hit, placeOf } from "./fuzzy.js";
import { shared } from "./styles.js";

export interface Command {
  label: string;
  keys?: string;
  /** Left out where it makes no sense now. */
  possible?: boolean;
  run: () => void;
}

@customElement("madang-palette")
export class MadangPalette extends MadangElement {
  static override styles = [
    shared,
    css`
      dialog { margin: 8vh auto auto; width: min(560px, 94vw); padding: 0; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow); overflow: hidden; }
      dialog::backdrop { background: #0003; }
      input { width: 100%; min-height: 42px; padding: 6px 14px; border: 0; border-bottom: 1px solid var(--line); border-radius: 0; font-size: 14px; outline-offset: -2px; }
      ul { list-style: none; margin: 0; padding: 4px; max-height: min(52vh, 440px); overflow: auto; }
      li { display: flex; align-items: center; gap: 10px; min-height: 32px; padding: 3px 10px; border-radius: 6px; cursor: pointer; white-space: nowrap; }
      li[aria-selected="true"] { background: var(--accent-ground); }
      li > span { overflow: hidden; text-overflow: ellipsis; }
      li b { color: var(--accent); font-weight: 600; }
      li .in { color: var(--muted); font-size: 12px; }
      kbd { margin-left: auto; font: 11.5px var(--sans); color: var(--muted); }
      p { margin: 0; padding: 10px 14px; color: var(--muted); }
      @media (pointer: coarse) { li { min-height: 44px; } }
    `,
  ];

  @property({ attribute: false }) commands: readonly Command[] = [];
  @property({ attribute: false }) files: () => Promise<readonly string[]> = () => Promise.resolve([]);
  @state() private text = "";
  @state() private at = 0;
  @state() private paths: readonly string[] | null = null;
  @state() private problem = "";
  @query("dialog") private dialog!: HTMLDialogElement;
  @query("input") private field!: HTMLInputElement;

  async show(text: "" | ">"): Promise<void> {
    this.text = text;
    this.at = 0;
    await this.updateComplete;
    if (!this.dialog.open) this.dialog.showModal();
    this.field.value = text;
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
    if (text === "") await this.findFiles();
  }

  private async findFiles(): Promise<void> {
    this.problem = "";
    try {
      this.paths = await this.files();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  private type(text: string): void {
    if (this.text.startsWith(">") && !text.startsWith(">") && this.paths === null) void this.findFiles();
    this.text = text;
    this.at = 0;
  }

  private get rows(): { hit: Hit<string>; note: string; run: () => void }[] {
    if (this.text.startsWith(">")) {
      const possible = this.commands.filter((command) => command.possible !== false);
      return fuzzy(this.text.slice(1), possible, ({ label }) => label).map(({ item, places }) => ({
        hit: { item: item.label, places }, note: item.keys ?? "", run: item.run,
      }));
    }
    const { path, line, column } = placeOf(this.text);
    return fuzzy(path, this.paths ?? [], (one) => one).map((hit) => ({
      hit, note: "", run: () => { this.emit("madang-open", { path: hit.item, line, column }); },
    }));
  }

  private choose(at: number): void {
    const row = this.rows[at];
    if (!row) return;
    this.dialog.close();
    row.run();
  }

  private onKey(event: KeyboardEvent): void {
    const count = this.rows.length;
    const page = 8;
    const to: Partial<Record<string, number>> = { ArrowDown: (this.at + 1) % count, ArrowUp: (this.at + count - 1) % count, PageDown: Math.min(this.at + page, count - 1), PageUp: Math.max(this.at - page, 0) };
    const next = to[event.key];
    if (event.key === "Enter" && !event.isComposing) this.choose(this.at);
    else if (next !== undefined && count) {
      this.at = next;
      void this.updateComplete.then(() => this.renderRoot.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }));
    } else return;
    event.preventDefault();
  }

  override render(): TemplateResult {
    const rows = this.rows;
    return html`<dialog aria-label=${this.t("palette")} @click=${(event: Event) => { if (event.target === this.dialog) this.dialog.close(); }}>
      <input role="combobox" aria-expanded="true" aria-controls="rows" aria-label=${this.t("palette")} aria-activedescendant=${rows.length ? `row-${String(this.at)}` : nothing}
        placeholder=${this.t("paletteHint")} autocomplete="off" autocapitalize="off" spellcheck="false"
        @input=${(event: Event) => { this.type((event.target as HTMLInputElement).value); }} @keydown=${(event: KeyboardEvent) => { this.onKey(event); }} />
      <ul id="rows" role="listbox" aria-label=${this.t("palette")}>
        ${rows.map(({ hit, note }, at) => html`<li id="row-${at}" role="option" aria-selected=${at === this.at} @click=${() => { this.choose(at); }}>${this.words(hit)}${note ? html`<kbd>${note}</kbd>` : nothing}</li>`)}</ul>
      ${rows.length ? nothing : html`<p role="status">${this.problem || this.t(this.paths === null && !this.text.startsWith(">") ? "loading" : "nothingFound")}</p>`}</dialog>`;
  }

  private words({ item, places }: Hit<string>): TemplateResult {
    const marked = (from: number, to: number): (string | TemplateResult)[] =>
      Array.from(item.slice(from, to), (letter, at) => (places.includes(from + at) ? html`<b>${letter}</b>` : letter));
    if (this.text.startsWith(">")) return html`<span>${marked(0, item.length)}</span>`;
    const name = item.lastIndexOf("/") + 1;
    return html`<span>${marked(name, item.length)}</span><span class="in">${marked(0, Math.max(0, name - 1))}</span>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-palette": MadangPalette;
  }
}
