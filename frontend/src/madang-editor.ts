/** One open file.
 *
 * Attributes: `path` (with the project's slug in front), `language`.
 * Events: `madang-save-state` {path, state}, `madang-cursor` {line, column}, `madang-run` (Ctrl+Enter).
 * CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError } from "./api.js";
import type * as CodeMirror from "./codemirror.js";
import { describe, downloadUrl, readText, writeText } from "./contents.js";
import { MadangElement } from "./element.js";
import { shared } from "./styles.js";

export type SaveState = "saved" | "saving" | "unsaved" | "failed";

/** Save this long after the last keystroke. */
const PAUSE_MS = 1200;
const RETRY_MS = 5000;

@customElement("madang-editor")
export class MadangEditor extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; background: var(--surface); }
      .field { grid-row: 2; min-height: 0; overflow: hidden; }
      .bones { grid-row: 2; padding: 14px 18px; display: grid; gap: 9px; align-content: start; }
      .empty a { color: var(--sky); }
      .empty { grid-row: 2; align-content: start; }
    `,
  ];

  @property() path = "";
  @state() private phase: "loading" | "ready" | "failed" = "loading";
  @state() private problem: { title: string; detail: string } | null = null;
  @state() private conflict: "changed" | "deleted" | null = null;
  @state() private saveProblem = "";
  @query(".field") private field!: HTMLElement;

  saveState: SaveState = "saved";
  private view: CodeMirror.EditorView | null = null;
  private stamp: string | null = null;
  private changes = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<boolean> | null = null;
  private renamed = false;
  private focusWhenReady = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(document, "visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.saveIfNeeded();
      else void this.look();
    });
    this.listen(window, "focus", () => void this.look());
    this.listen(window, "beforeunload", (event) => {
      if (this.saveState !== "saved") event.preventDefault();
    });
    this.onLeave(() => {
      void this.saveIfNeeded();
      clearTimeout(this.timer);
      this.view?.destroy();
      this.view = null;
    });
    if (this.hasUpdated) void this.open();
  }

  override firstUpdated(): void {
    void this.open();
  }

  /** The same file under another name: its text and its history stay. */
  moveTo(path: string): void {
    this.renamed = true;
    this.path = path;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("path") || changed.get("path") === undefined) return;
    if (!this.renamed) void this.open();
    this.renamed = false;
  }

  override focus(): void {
    this.focusWhenReady = this.view === null;
    this.view?.focus();
  }

  get text(): string {
    return this.view?.state.doc.toString() ?? "";
  }

  private get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  private async open(): Promise<void> {
    const { path } = this;
    if (!path) return;
    this.phase = "loading";
    try {
      const [file, code] = await Promise.all([readText(path), import("./codemirror.js")]);
      const language = await code.languageFor(file.name);
      if (path !== this.path || !this.isConnected) return;
      this.phase = "ready";
      await this.updateComplete;
      this.view?.destroy();
      this.stamp = file.last_modified;
      this.view = new code.EditorView({
        parent: this.field,
        root: this.renderRoot as ShadowRoot,
        state: code.EditorState.create({
          doc: file.content,
          extensions: [this.keys(code), ...code.basics(), ...code.fileExtras(), ...this.watch(code, file.writable), ...(language ? [language] : [])],
        }),
      });
      this.become("saved");
      this.tellCursor();
      if (this.focusWhenReady) this.focus();
    } catch (error) {
      this.phase = "failed";
      const unreadable = error instanceof ApiError && (error.status === 400 || error.status === 415);
      const title = unreadable ? this.t("notText") : this.t("openFailed", { name: this.name });
      this.problem = { title, detail: error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(" ") : String(error) };
    }
  }

  private keys(code: typeof CodeMirror): CodeMirror.Extension {
    const run = (): boolean => {
      this.emit("madang-run");
      return true;
    };
    return code.Prec.highest(code.keymap.of([
      { key: "Mod-s", run: () => (void this.save(), true), preventDefault: true },
      { key: "Ctrl-Enter", run },
      { key: "Mod-Enter", run },
      { key: "Shift-Enter", run },
    ]));
  }

  private watch(code: typeof CodeMirror, writable: boolean): CodeMirror.Extension[] {
    return [
      code.EditorView.updateListener.of((update) => {
        if (update.docChanged) this.changed();
        if (update.selectionSet || update.docChanged) this.tellCursor();
      }),
      code.EditorView.contentAttributes.of({ "aria-label": this.t("editing", { name: this.name }) }),
      code.EditorState.readOnly.of(!writable),
    ];
  }

  private tellCursor(): void {
    if (!this.view) return;
    const { doc, selection } = this.view.state;
    const line = doc.lineAt(selection.main.head);
    this.emit("madang-cursor", { line: line.number, column: selection.main.head - line.from + 1 });
  }

  private changed(): void {
    this.changes += 1;
    this.become("unsaved");
    this.later(PAUSE_MS);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.saveIfNeeded(), ms);
  }

  private become(saveState: SaveState): void {
    this.saveState = saveState;
    this.emit("madang-save-state", { path: this.path, state: saveState });
  }

  private async saveIfNeeded(): Promise<boolean> {
    return this.saveState === "saved" || this.conflict !== null ? this.conflict === null : this.save();
  }

  /** Save now. True when the file on disk is what is shown here. */
  async save(): Promise<boolean> {
    if (this.phase !== "ready" || !this.view) return false;
    while (this.saving) await this.saving;
    this.saving = this.write(false);
    try {
      return await this.saving;
    } finally {
      this.saving = null;
    }
  }

  private async write(force: boolean): Promise<boolean> {
    clearTimeout(this.timer);
    const [changes, path, content] = [this.changes, this.path, this.text];
    this.become("saving");
    try {
      if (!force && (await this.differs())) {
        this.become("unsaved");
        return false;
      }
      this.stamp = (await writeText(path, content)).last_modified;
      this.conflict = null;
      this.saveProblem = "";
      this.become(changes === this.changes ? "saved" : "unsaved");
      if (changes !== this.changes && this.isConnected) this.later(PAUSE_MS);
      return true;
    } catch (error) {
      this.saveProblem = error instanceof ApiError && error.status !== 0 ? [error.message, error.hint].filter(Boolean).join(" ") : this.t("offline");
      this.become("failed");
      if (this.isConnected) this.later(RETRY_MS);
      return false;
    }
  }

  /** Has somebody else (a program, another device) written or removed the file? */
  private async differs(): Promise<boolean> {
    try {
      const { last_modified } = await describe(this.path);
      this.conflict = last_modified === this.stamp ? null : "changed";
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.conflict = "deleted";
    }
    return this.conflict !== null;
  }

  /** Look at the disk: take over what changed there, unless something here would be lost. */
  async look(): Promise<void> {
    if (this.phase !== "ready" || this.saving || document.visibilityState === "hidden") return;
    try {
      if (!(await this.differs())) return;
    } catch {
      return; // unreachable: the save that follows says so
    }
    if (this.conflict === "changed" && this.saveState === "saved") await this.takeTheirs("look");
  }

  private async takeTheirs(by: "person" | "look"): Promise<void> {
    const changes = this.changes;
    try {
      const file = await readText(this.path);
      const view = this.view;
      if (!view || (changes !== this.changes && this.conflict === null)) return;
      this.stamp = file.last_modified;
      this.conflict = null;
      if (file.content !== this.text) {
        const anchor = Math.min(view.state.selection.main.head, file.content.length);
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: file.content }, selection: { anchor } });
      }
      clearTimeout(this.timer);
      this.become("saved");
      if (by === "person") view.focus();
    } catch (error) {
      this.saveProblem = error instanceof Error ? error.message : String(error);
    }
  }

  private async keepMine(): Promise<void> {
    this.saving = this.write(true);
    await this.saving;
    this.saving = null;
    this.focus();
  }

  override render(): TemplateResult {
    return html`${this.notes()}
      ${this.phase === "failed" ? html`<div class="empty" role="alert"><b>${this.problem?.title}</b><span>${this.problem?.detail}</span>
          <button @click=${() => void this.open()}>${this.t("tryAgain")}</button> <a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>` : nothing}
      ${this.phase === "loading" ? html`<div class="bones" aria-label=${this.t("loading")}>
          ${[62, 48, 0, 70, 35].map((width) => html`<div class="bone" style="width:${width}%"></div>`)}</div>` : nothing}
      ${this.phase === "ready" ? html`<div class="field"></div>` : nothing}`;
  }

  private notes(): TemplateResult | typeof nothing {
    if (this.conflict === "changed") {
      return html`<div class="note" role="alert"><span>${this.t("changedOnDisk", { name: this.name })}</span>
        <button @click=${() => void this.keepMine()}>${this.t("keepMine")}</button>
        <button @click=${() => void this.takeTheirs("person")}>${this.t("takeTheirs")}</button></div>`;
    }
    if (this.conflict === "deleted") {
      return html`<div class="note" role="alert"><span>${this.t("deletedOnDisk", { name: this.name })}</span>
        <button @click=${() => void this.keepMine()}>${this.t("saveAgain")}</button></div>`;
    }
    if (!this.saveProblem) return nothing;
    return html`<div class="note bad" role="alert"><span>${this.saveProblem}</span>
      <button @click=${() => void this.save()}>${this.t("saveNow")}</button></div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-editor": MadangEditor;
  }
}
