/** One open file: shared with everybody who has it open, or, where it is too large or mixed for that, loaded and saved.
 *
 * Attributes: `project` (id), `path` (with the project's slug in front), `language`. Property: `extend`, what its CodeMirror has besides, by path.
 * Events: `madang-save-state` {path, state}, `madang-cursor` {line, column}, `madang-run` (Ctrl+Enter),
 * `madang-people` {path, people}: who else is here.
 * CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError } from "./api.js";
import type * as CodeMirror from "./codemirror.js";
import { describe, downloadUrl, readText, writeText } from "./contents.js";
import { MadangElement } from "./element.js";
import type * as Editing from "./shared-editing.js";
import type { Person, Role, SharedDocument } from "./shared-document.js";
import { shared } from "./styles.js";

export type SaveState = "saved" | "saving" | "unsaved" | "failed";

/** Save this long after the last keystroke. */
const PAUSE_MS = 1200;
const CURSOR_MS = 120;
const RETRY_MS = 5000;
const NAMES_MS = 2500;

@customElement("madang-editor")
export class MadangEditor extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; background: var(--surface); }
      .field { grid-row: 2; min-height: 0; overflow: hidden; }
      .field[data-moving] .cm-ySelectionInfo { opacity: 1; }
      .field[data-moving] .cm-ySelectionCaretDot { transform: scale(0); }
      .bones { grid-row: 2; padding: 14px 18px; display: grid; gap: 9px; align-content: start; }
      .empty a { color: var(--sky); }
      .empty { grid-row: 2; align-content: start; }
    `,
  ];

  @property() project = "";
  @property() path = "";
  /** What the editor of a file has besides. */
  @property({ attribute: false }) extend: ((path: string) => Promise<CodeMirror.Extension>) | null = null;
  @state() private phase: "loading" | "ready" | "failed" = "loading";
  @state() private problem: { title: string; detail: string } | null = null;
  @state() private conflict: "changed" | "deleted" | null = null;
  @state() private saveProblem = "";
  @query(".field") private field!: HTMLElement | null;

  saveState: SaveState = "saved";
  private view: CodeMirror.EditorView | null = null;
  private document: SharedDocument | null = null;
  private editing: typeof Editing | null = null;
  private writable: CodeMirror.Compartment | null = null;
  private code: typeof CodeMirror | null = null;
  private followed = 0;
  private names: ReturnType<typeof setTimeout> | undefined;
  private stamp: string | null = null;
  private changes = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<boolean> | null = null;
  private opening = Promise.resolve();
  private renamed = false;
  private cursorTimer: ReturnType<typeof setTimeout> | undefined;
  private place: { line: number; column: number } | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(document, "visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.saveIfNeeded();
      else void this.look();
    });
    this.listen(window, "focus", () => void this.look());
    this.listen(window, "beforeunload", (event) => {
      if (this.document ? this.document.pending : this.saveState !== "saved") event.preventDefault();
    });
    this.onLeave(() => {
      void this.saveIfNeeded();
      clearTimeout(this.timer);
      clearTimeout(this.cursorTimer);
      this.leave();
    });
    if (this.hasUpdated) this.open();
  }

  override firstUpdated(): void {
    this.open();
  }

  /** The same file under another name: its text and its history stay. */
  moveTo(path: string): void {
    this.renamed = true;
    this.path = path;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("path") || changed.get("path") === undefined) return;
    if (!this.renamed) this.open();
    this.renamed = false;
  }

  /** Until there is a text, this element itself has the focus, and gives it on once there is one. */
  override focus(): void {
    if (this.view) this.view.focus();
    else this.holdFocus();
  }

  /** Show this line, in the middle of what is seen, with the cursor there; as soon as the text is. */
  reveal(line: number, column = 1): void {
    this.place = { line, column };
    const { view } = this;
    if (!view || line < 1) return;
    this.place = null;
    const found = view.state.doc.line(Math.min(line, view.state.doc.lines));
    const at = Math.min(found.from + Math.max(column, 1) - 1, found.to);
    view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    view.focus();
  }

  get text(): string {
    return this.view?.state.doc.toString() ?? "";
  }

  private get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  private leave(): void {
    if (this.view) this.code?.destroyView(this.view);
    this.view = null;
    this.document?.close();
    this.document = null;
    this.emit("madang-people", { path: this.path, people: [] });
  }

  private open(): void {
    this.opening = this.load();
  }

  private async load(): Promise<void> {
    const { path } = this;
    if (!path) return;
    this.phase = "loading";
    this.problem = null;
    this.leave();
    const sharing = this.openShared(path);
    try {
      const coming = import("./codemirror.js");
      const [code, language, more, document] = await Promise.all([coming, coming.then((found) => found.languageFor(this.name)), this.extend?.(path) ?? [], sharing]);
      const file = document ? null : await readText(path);
      if (path !== this.path || !this.isConnected) {
        document?.close();
        return;
      }
      this.phase = "ready";
      await this.updateComplete;
      this.code = code;
      this.document = document;
      this.stamp = file?.last_modified ?? null;
      const common = [this.keys(code), ...code.fileExtras(), ...this.watch(code, file?.writable ?? document?.role !== "viewer"), ...(language ? [language] : [])];
      const extensions = document && this.editing ? [...this.editing.sharedText(document), ...code.basics({ undo: false })] : code.basics();
      this.view = new code.EditorView({
        parent: this.field ?? this.renderRoot,
        root: this.renderRoot as ShadowRoot,
        state: code.EditorState.create({ doc: document ? document.text.toString() : (file?.content ?? ""), extensions: [...common, ...extensions, more] }),
      });
      this.become(document?.state ?? "saved");
      this.tellCursor();
      if (this.releaseFocus()) this.focus();
      if (this.place) this.reveal(this.place.line, this.place.column);
    } catch (error) {
      this.fail(error);
      if (!this.document) sharing.then((document) => { document?.close(); }, () => undefined); // else it would stay connected
    }
  }

  private fail(error: unknown): void {
    this.phase = "failed";
    const unreadable = error instanceof ApiError && (error.status === 400 || error.status === 415);
    const title = unreadable ? this.t("notText") : this.t("openFailed", { name: this.name });
    this.problem = { title, detail: error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(" ") : String(error) };
  }

  /** The file as a shared document; null where it cannot be one. A notebook is one, but not of a text. */
  private async openShared(path: string): Promise<SharedDocument | null> {
    if (!this.project || path.endsWith(".ipynb")) return null;
    this.editing = await import("./shared-editing.js");
    return this.editing.SharedDocument.open(this.project, path.slice(path.indexOf("/") + 1), {
      onSave: (state, problem) => { this.saved(state, problem); },
      onRole: (role) => { this.mayWrite(role); },
      onGone: (gone) => { this.conflict = gone ? "deleted" : null; },
      onPeople: (people) => { this.met(people); },
      onEnd: (code) => { this.ended(code); },
    });
  }

  private saved(state: SaveState, problem: string): void {
    if (!this.document) return;
    this.saveProblem = state === "failed" ? problem : "";
    if (state !== this.saveState) this.become(state);
  }

  private mayWrite(role: Role): void {
    if (!this.view || !this.code || !this.writable) return;
    this.view.dispatch({ effects: this.writable.reconfigure(this.code.EditorState.readOnly.of(role === "viewer")) });
  }

  /** The server has closed the document for good: it is another one now, or no longer ours. */
  private ended(code: number): void {
    if (!this.document) return; // it could not be opened as one
    if (code === this.editing?.ANOTHER) this.open();
    else this.fail(new ApiError(code, String(code), this.t("notYours")));
  }

  private met(people: readonly Person[]): void {
    this.emit("madang-people", { path: this.path, people });
    this.showNames();
    if (this.followed) this.showFollowed();
  }

  /** Names cover text: they are there while somebody moves, and where one points at a cursor. */
  private showNames(): void {
    const { field } = this;
    if (!field) return;
    field.toggleAttribute("data-moving", true);
    clearTimeout(this.names);
    this.names = setTimeout(() => { field.toggleAttribute("data-moving", false); }, NAMES_MS);
  }

  /** Keep the cursor of that Yjs client in sight, until one moves oneself. */
  follow(client: number): void {
    this.followed = client;
    this.showFollowed();
  }

  private showFollowed(): void {
    if (!this.document || !this.editing || !this.view || !this.code) return;
    const at = this.editing.cursorOf(this.document, this.followed);
    if (at !== null && at <= this.view.state.doc.length) this.view.dispatch({ effects: this.code.EditorView.scrollIntoView(at, { y: "center" }) });
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
    this.writable = new code.Compartment();
    return [
      code.EditorView.updateListener.of((update) => {
        if (update.docChanged && !this.document) this.changed();
        if (update.transactions.some((one) => one.isUserEvent("select") || one.isUserEvent("input"))) this.followed = 0;
        if (update.selectionSet || update.docChanged) this.tellCursorSoon();
      }),
      code.EditorView.contentAttributes.of({ "aria-label": this.t("editing", { name: this.name }) }),
      this.writable.of(code.EditorState.readOnly.of(!writable)),
    ];
  }

  /** Not at each key: who shows it draws anew, and the key's own letter would have to wait for that. */
  private tellCursorSoon(): void {
    this.cursorTimer ??= setTimeout(() => {
      this.cursorTimer = undefined;
      this.tellCursor();
    }, CURSOR_MS);
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
    if (this.document) return this.saveState === "saved";
    return this.saveState === "saved" || this.conflict !== null ? this.conflict === null : this.save();
  }

  /** Save now, or as soon as the file is here. True when the file on disk is what is shown here. */
  async save(): Promise<boolean> {
    if (this.phase === "loading") await this.opening; // not otherwise: who leaves saves before the text is gone
    if (this.phase !== "ready" || !this.view) return false;
    if (this.document) return this.document.save();
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
    if (this.document || this.phase !== "ready" || this.saving || document.visibilityState === "hidden") return;
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
    if (this.document) {
      await this.document.save();
      return;
    }
    this.saving = this.write(true);
    await this.saving;
    this.saving = null;
    this.focus();
  }

  override render(): TemplateResult {
    return html`${this.notes()}
      ${this.phase === "failed" ? html`<div class="empty" role="alert"><b>${this.problem?.title}</b><span>${this.problem?.detail}</span>
          <button @click=${() => { this.open(); }}>${this.t("tryAgain")}</button> <a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>` : nothing}
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
