/** Search in a project's files, and replace with a look at what changes first.
 *
 * Attributes: `project` (id), `language`.
 * Events: `madang-open` {path, line, column} (no slug in front), `madang-changed` {paths} after files were changed.
 * CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "./api.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import type { Key } from "./i18n.js";
import { type FoundFile, type Match, type Replaced, replaceAll, search, type SearchEnd, undoReplace, type Wanted } from "./project-files.js";
import { shared } from "./styles.js";

const PAUSE_MS = 300;

@customElement("madang-search")
export class MadangSearch extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr); min-height: 0; background: var(--paper); font-size: 13px; }
      form { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; padding: 8px 12px; border-bottom: 1px solid var(--line); }
      .line { display: flex; gap: 3px; align-items: center; min-width: 0; } .line input { flex: 1; min-width: 0; }
      .toggle { min-width: 27px; padding: 0 4px; font: 12px var(--mono); color: var(--muted); }
      .toggle[aria-pressed="true"] { background: var(--accent-ground); color: var(--accent); border-color: var(--accent); }
      .said { padding: 6px 12px; color: var(--muted); font-size: 12px; display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; }
      .said.bad { color: var(--red); }
      .found { overflow: auto; padding: 0 6px 16px; }
      h3 { margin: 0; padding: 6px 6px 2px; font-size: 12.5px; font-weight: 600; display: flex; gap: 8px; align-items: center; overflow-wrap: anywhere; }
      h3 label { flex: 1; display: flex; gap: 6px; align-items: baseline; } h3 input { min-height: 0; margin: 0; }
      h3 small { color: var(--muted); font-weight: 400; }
      ul { list-style: none; margin: 0; padding: 0; }
      li button { display: flex; justify-content: flex-start; gap: 8px; width: 100%; border: 0; background: none; padding: 2px 6px; min-height: 24px; font: 12px/1.5 var(--mono); border-radius: 6px; }
      li button:hover { background: var(--sunken); }
      li .n { color: var(--muted); min-width: 3ch; text-align: right; flex: none; }
      li .text { overflow: hidden; text-overflow: ellipsis; white-space: pre; text-align: left; }
      mark { background: var(--amber-ground); color: inherit; border-radius: 2px; }
      del { background: var(--red-ground); text-decoration: line-through; } ins { background: var(--pine-ground); text-decoration: none; }
      @media (pointer: coarse) { li button { min-height: 44px; } }
    `,
  ];

  @property() project = "";
  @state() private wanted: Wanted = { text: "", regex: false, case: false, word: false, only: [] };
  @state() private replacing = false;
  @state() private files: readonly FoundFile[] = [];
  @state() private unwanted = new Set<string>();
  @state() private end: SearchEnd | null = null;
  @state() private phase: "" | "searching" | "changing" = "";
  @state() private problem = "";
  @state() private outcome: (Replaced & { undone?: boolean }) | null = null;
  private asking: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => {
      clearTimeout(this.timer);
      this.asking?.abort();
    });
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLInputElement>("#text")?.select();
    this.renderRoot.querySelector<HTMLInputElement>("#text")?.focus();
  }

  private set(part: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...part };
    this.outcome = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), PAUSE_MS);
  }

  private get asked(): Wanted {
    const { replacement = "", ...rest } = this.wanted;
    return this.replacing ? { ...rest, replacement } : rest;
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.files = [];
    this.end = null;
    this.problem = "";
    this.unwanted = new Set();
    if (!this.wanted.text) return;
    const asking = (this.asking = new AbortController());
    this.phase = "searching";
    try {
      const end = await search(this.project, this.asked, (file) => { if (asking === this.asking) this.files = [...this.files, file]; }, asking.signal);
      if (asking === this.asking) this.end = end;
    } catch (error) {
      if (asking === this.asking && !asking.signal.aborted) this.fail(error);
    } finally {
      if (asking === this.asking) this.phase = "";
    }
  }

  private fail(error: unknown): void {
    this.problem = error instanceof ApiError ? (error.status === 0 ? this.t("offline") : [error.message, error.hint].filter(Boolean).join(" ")) : String(error);
  }

  private get chosen(): FoundFile[] {
    return this.files.filter(({ path }) => !this.unwanted.has(path));
  }

  private async change(work: () => Promise<Replaced>, undone: boolean): Promise<void> {
    this.phase = "changing";
    this.problem = "";
    try {
      const outcome = await work();
      this.emit("madang-changed", { paths: outcome.files });
      await this.look();
      this.outcome = { ...outcome, undone };
    } catch (error) {
      this.fail(error);
    } finally {
      this.phase = "";
    }
  }

  override render(): TemplateResult {
    return html`<form role="search" @submit=${(event: Event) => { event.preventDefault(); void this.look(); }}>
        <div class="line"><input id="text" type="text" aria-label=${this.t("searchText")} placeholder=${this.t("searchText")} maxlength="1000" spellcheck="false" autocapitalize="off"
            .value=${this.wanted.text} @input=${(event: Event) => { this.set({ text: (event.target as HTMLInputElement).value }); }} />
          ${this.toggle("Aa", "matchCase", "case")}${this.toggle(icon("word"), "wholeWord", "word")}${this.toggle(".*", "asPattern", "regex")}</div>
        <div class="line">${this.replacing ? html`<input aria-label=${this.t("replaceWith")} placeholder=${this.t("replaceWith")} maxlength="1000" spellcheck="false" autocapitalize="off"
            .value=${this.wanted.replacement ?? ""} @input=${(event: Event) => { this.set({ replacement: (event.target as HTMLInputElement).value }); }} />` : nothing}
          <button type="button" class="quiet" aria-pressed=${this.replacing} @click=${() => { this.replacing = !this.replacing; this.set({}); }}>${this.t("replace")}</button></div>
        <div class="line"><input aria-label=${this.t("onlyFiles")} placeholder=${this.t("onlyFilesHint")} spellcheck="false" autocapitalize="off"
          @input=${(event: Event) => { this.set({ only: (event.target as HTMLInputElement).value.split(/[,\s]+/).filter(Boolean).slice(0, 20) }); }} /></div>
      </form>${this.said()}
      <div class="found">${this.files.map((file) => this.file(file))}</div>`;
  }

  private toggle(text: string | TemplateResult, key: Key, which: "case" | "word" | "regex"): TemplateResult {
    return html`<button type="button" class="toggle" title=${this.t(key)} aria-label=${this.t(key)} aria-pressed=${this.wanted[which]} @click=${() => { this.set({ [which]: !this.wanted[which] }); }}>${text}</button>`;
  }

  private said(): TemplateResult {
    const { outcome, end } = this;
    const refused = Object.keys(outcome?.refused ?? {});
    if (this.problem) return html`<div class="said bad" role="alert">${this.problem}</div>`;
    if (outcome) {
      return html`<div class="said" role="status"><span>${outcome.undone ? this.t("replaceUndone", { files: outcome.files.length }) : this.t("replacedIn", { n: outcome.count, files: outcome.files.length })}
        ${refused.length ? this.t("notReplaced", { names: refused.join(", ") }) : nothing}</span>
        ${outcome.undo ? html`<button ?disabled=${this.phase !== ""} @click=${() => void this.change(() => undoReplace(this.project, outcome.undo), true)}>${icon("back")}${this.t("undo")}</button>` : nothing}</div>`;
    }
    const count = this.files.reduce((sum, { matches }) => sum + matches.length, 0);
    const words = this.phase === "searching" && !count ? this.t("searching") : !this.wanted.text ? this.t("searchHint") : end && !count ? this.t("nothingFound")
      : this.t("foundIn", { n: count, files: this.files.length });
    return html`<div class="said" role="status"><span>${words} ${end?.more ? this.t("foundMore") : nothing}</span>
      ${this.replacing && count && this.chosen.length ? html`<button class="primary" ?disabled=${this.phase !== "" || !end} @click=${() => void this.change(() => replaceAll(this.project, this.asked, this.chosen), false)}>${this.t("replaceIn", { files: this.chosen.length })}</button>` : nothing}</div>`;
  }

  private file(file: FoundFile): TemplateResult {
    const wanted = !this.unwanted.has(file.path);
    const flip = (): void => {
      const unwanted = new Set(this.unwanted);
      if (!unwanted.delete(file.path)) unwanted.add(file.path);
      this.unwanted = unwanted;
    };
    return html`<section><h3>${this.replacing ? html`<label><input type="checkbox" .checked=${wanted} @change=${flip} />${file.path}</label>` : html`<span>${file.path}</span>`}<small class="num">${file.matches.length}</small></h3>
      <ul>${file.matches.map((match) => this.match(file, match))}</ul></section>`;
  }

  private match(file: FoundFile, match: Match): TemplateResult {
    const { before, after, replaced } = match;
    return html`<li><button title="${file.path}:${match.line}" @click=${() => { this.emit("madang-open", { path: file.path, line: match.line, column: match.column }); }}><span class="n num">${match.line}</span><span class="text">${tail(before)}${replaced === undefined ? html`<mark>${match.match}</mark>` : html`<del>${match.match}</del><ins>${replaced}</ins>`}${after}</span></button></li>`;
  }
}

/** Enough of what stands before to know it by, and not so much that the match is out of sight. */
function tail(before: string): string {
  return before.length > 24 ? `…${before.slice(-22)}` : before;
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-search": MadangSearch;
  }
}
