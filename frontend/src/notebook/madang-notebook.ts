/** A notebook: cells of code and text in a document that others may have open too. The server runs the cells and writes what
 * comes of them into the document; this element shows the document, edits it, and asks for runs.
 *
 * Attributes: `project` (id), `path` (with the project's slug in front), `file` (a name whose language the code is in where
 * the notebook does not say), `language`. Property `document`: by default the server's document of that path.
 * Events: `madang-save-state` {path, state}, `madang-cursor` {line, column}, `madang-not-a-notebook` {path} (open it as text),
 * `madang-notebook-kernel` {path, state}. CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import * as Y from "yjs";
import { ApiError } from "../api.js";
import { downloadUrl } from "../contents.js";
import { shared } from "../styles.js";
import type { EditorCommand } from "./cell-editor.js";
import { type NotebookView, perform, READING } from "./commands.js";
import type { NotebookDocument } from "./document.js";
import { CellDrag } from "./drag.js";
import { exportNotebook } from "./export.js";
import type { Match } from "./find.js";
import { type Folds, Folding, withFolded } from "./folds.js";
import { type Command, CommandKeys } from "./keys.js";
import { ANOTHER } from "../shared-document.js";
import { keysDialog } from "./keys-dialog.js";
import { endingOf, isPython } from "./language.js";
import "./madang-notebook-cell.js";
import type { CellContext, MadangNotebookCell } from "./madang-notebook-cell.js";
import "./madang-notebook-find.js";
import type { MadangNotebookFind } from "./madang-notebook-find.js";
import { type KernelState, kernelStateOf, NotebookModel, sourceOf, typeOf } from "./model.js";
import { NotebookKernel } from "./notebook-kernel.js";
import { openDocument } from "./opening.js";
import { notebookStyle } from "./notebook-style.js";
import { type Heading, headingsOf } from "./outline.js";
import { peopleAt, peopleIn, type Person } from "./people.js";
import { insertBar } from "./insert.js";
import { isEndOfRun, RunQueue } from "./queue.js";
import { kept, neighbour, only, selected, extendTo, type Selection } from "./selection.js";
import { outlinePanel, type Variables, variablesPanel } from "./side-panel.js";
import { type Panel, toolbar } from "./toolbar.js";
import { isTyped, notebookNotes } from "./notes.js";
import { NotebookElement } from "./words.js";

/** Cells this far from sight, in pixels, are drawn before one gets there. */
const NEAR_PX = 900;
const TOAST_MS = 8000;
const FIRST_CELLS = 30;

@customElement("madang-notebook")
export class MadangNotebook extends NotebookElement implements NotebookView {
  static override styles = [shared, notebookStyle];

  @property() project = "";
  @property() path = "";
  @property() file = "main.py";
  @property({ attribute: false }) document: NotebookDocument | null = null;
  @state() selection: Selection = only("");
  @state() private mode: "command" | "edit" = "command";
  @state() private ids: readonly string[] = [];
  @state() private people: readonly Person[] = [];
  @state() private panel: Panel = null;
  @state() private variables: Variables = "off";
  @state() private menu = false;
  @state() private finding = false;
  @state() private pattern: RegExp | null = null;
  @state() private asking: "restart" | "restartAll" | null = null;
  @state() private problem = "";
  @state() private removed = 0;
  @state() private numbers = new Set<string>();
  @state() private unrendered = new Set<string>();
  @state() private version = 0;
  /** How many cells are drawn: those of a long notebook's beginning are shown before the others are made. */
  @state() private most = FIRST_CELLS;
  @state() private closed = 0;
  @query(".scroll") private scroller!: HTMLElement;
  @query("madang-notebook-find") private findBar!: MadangNotebookFind | null;

  model!: NotebookModel;
  private context: CellContext | null = null;
  private kernel = new NotebookKernel("");
  private readonly commandKeys = new CommandKeys();
  private readonly queue = new RunQueue();
  private readonly drag = new CellDrag();
  private sight: IntersectionObserver | null = null;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;
  private told = "";
  private readonly folding = new Folding();
  private renamed = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => {
      clearTimeout(this.toastTimer);
      this.sight?.disconnect();
      this.sight = null;
      this.leave();
    });
    if (this.hasUpdated) void this.open();
  }

  override firstUpdated(): void {
    void this.open();
  }

  private watchSight(): void {
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) (target as MadangNotebookCell).near = isIntersecting;
    }, { root: this.scroller, rootMargin: `${String(NEAR_PX)}px 0px` });
  }

  // The document

  private async open(): Promise<void> {
    if (!this.sight) this.watchSight();
    this.closed = 0;
    this.document ??= await this.find();
    const { document } = this;
    if (!document) return;
    this.model = new NotebookModel(document.ydoc);
    this.kernel = new NotebookKernel(this.path);
    document.onStatus = () => { this.onStatus(); };
    document.awareness.on("change", this.onPeople);
    this.model.cells.observeDeep(this.onCells);
    document.ydoc.getMap("state").observe(this.onKernel);
    this.onStatus();
    requestAnimationFrame(() => { setTimeout(() => { this.most = Infinity; }); });
  }

  private async find(): Promise<NotebookDocument | null> {
    const found = await openDocument({
      project: this.project, path: this.path.slice(this.path.indexOf("/") + 1), file: this.file,
      onEnd: (code) => { this.ended(code); }, onTrouble: (error) => { this.fail(error); },
    });
    if (this.isConnected) return found;
    found?.dispose();
    return null;
  }

  /** The server has closed the document for good. */
  private ended(code: number): void {
    if (code === ANOTHER && this.document) {
      this.leave(); // this copy has no place in what the file is now
      void this.open();
    } else {
      this.closed = code;
    }
  }

  private leave(): void {
    const { document } = this;
    if (!document) return;
    document.awareness.off("change", this.onPeople);
    this.model.cells.unobserveDeep(this.onCells);
    document.ydoc.getMap("state").unobserve(this.onKernel);
    this.model.dispose();
    this.kernel.dispose();
    document.dispose();
    this.document = null;
    this.context = null;
    this.most = FIRST_CELLS;
  }

  /** The same file under another name: its document, its kernel and what runs stay. */
  moveTo(path: string): void {
    this.renamed = true;
    this.path = path;
    this.document?.moveTo(path.slice(path.indexOf("/") + 1));
    this.kernel.moveTo(path);
    this.onStatus();
  }

  private onStatus(): void {
    const { document } = this;
    if (!document) return;
    const { status } = document;
    const base = new URL(downloadUrl(this.path), location.href).href.replace(/[^/]*$/, "");
    if (!this.context || this.context.readOnly !== status.readOnly || this.context.base !== base) {
      this.context = { document, kernel: this.kernel, file: `cell${endingOf(this.model, this.file)}`, base, readOnly: status.readOnly };
      this.takeCells();
      this.onKernel();
      if (this.releaseFocus()) this.focus();
    }
    if (status.save !== this.told) this.emit("madang-save-state", { path: this.path, state: status.save });
    this.told = status.save;
    this.version += 1;
  }

  private readonly onCells = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    if (!this.context) return;
    if (this.queue.note(this.model, events)) this.version += 1;
    if (this.panel === "variables" && events.some(isEndOfRun)) void this.listVariables();
    if (events.some((event) => event.target === (this.model.cells as unknown))) this.takeCells();
    if (events.some(({ path }) => path.at(-1) === "metadata")) this.version += 1; // a section may be folded
    if (this.panel === "outline" && events.some((event) => event.target instanceof Y.Text)) this.version += 1;
    if (this.finding) this.findBar?.refresh();
  };

  private takeCells(): void {
    const before = this.ids;
    this.ids = this.model.ids();
    this.queue.fill(this.model);
    this.selection = kept(this.selection.active ? this.selection : only(this.ids[0] ?? ""), before, this.ids);
  }

  private readonly onKernel = (): void => {
    const { state: now } = this.kernelState;
    this.version += 1;
    this.emit("madang-notebook-kernel", { path: this.path, state: now });
    if (now === "none" || now === "dead") {
      this.kernel.dispose();
      this.variables = "off";
    } else this.kernel.attach().then(() => (this.panel === "variables" && now === "idle" ? this.listVariables() : undefined)).catch((error: unknown) => { this.fail(error); });
  };

  private get kernelState(): KernelState {
    return kernelStateOf(this.document?.ydoc);
  }

  private readonly onPeople = (): void => {
    const { document } = this;
    if (document) this.people = peopleIn(document.awareness);
  };

  private fail(error: unknown): void {
    this.problem = error instanceof ApiError ? (error.status === 0 ? this.t("offline") : [error.message, error.hint].filter(Boolean).join(" ")) : String(error);
  }

  private ask(work: Promise<void> | undefined): void {
    work?.then(() => { this.problem = ""; }).catch((error: unknown) => { this.fail(error); });
  }

  // What commands need (NotebookView)

  select(selection: Selection, mode: "command" | "edit", at?: "start" | "end"): void {
    this.selection = selection;
    this.mode = mode;
    this.document?.awareness.setLocalStateField("cell", selection.active);
    if (this.ids.indexOf(selection.active) >= this.most) this.most = Infinity;
    void this.updateComplete.then(() => {
      const cell = this.element(this.selection.active);
      if (!cell) return;
      if (mode === "edit") void cell.edit(at);
      else cell.focus({ preventScroll: true });
      cell.scrollIntoView({ block: "nearest" });
    });
  }

  run(ids: readonly string[]): void {
    if (!this.document || this.document.status.readOnly) return;
    const code = ids.filter((id) => typeOf(this.model.cell(id)) === "code" && sourceOf(this.model.cell(id)).toString().trim() !== "");
    this.unrendered = new Set([...this.unrendered].filter((id) => !ids.includes(id)));
    if (code.length > 0) this.ask(this.document.execute(code));
  }

  runAll(): void {
    this.do("runAll");
  }

  private answer(id: string, value: string): void {
    this.ask(this.document?.answer(id, value));
    this.select(this.selection, "command");
  }

  /** Is the keyboard's focus in here? What runs for others must not take it from elsewhere. */
  private get hasFocus(): boolean {
    return (this.renderRoot as ShadowRoot).activeElement !== null;
  }

  /** As FileView: asks first. */
  restart(): void {
    this.askToRestart(false);
  }

  interrupt(): void {
    this.ask(this.document?.interrupt());
  }

  askToRestart(thenRunAll: boolean): void {
    this.asking = thenRunAll ? "restartAll" : "restart";
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#sure")?.focus());
  }

  private restartNow(runAll: boolean): void {
    const work = this.document?.restart();
    this.endQuestion();
    this.ask(runAll ? work?.then(() => { this.run(this.ids); }) : work);
  }

  private endQuestion(): void {
    this.asking = null;
    this.focus();
  }

  openFind(): void {
    this.finding = true;
    void this.updateComplete.then(() => this.findBar?.focus());
  }

  showKeys(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  addTag(): void {
    this.element(this.selection.active)?.addTag();
  }

  scrollPage(direction: 1 | -1): void {
    this.scroller.scrollBy({ top: direction * this.scroller.clientHeight * 0.9 });
  }

  toggleLineNumbers(all: boolean): void {
    const which = all ? this.ids : [this.selection.active];
    const off = which.every((id) => this.numbers.has(id));
    const numbers = new Set(this.numbers);
    for (const id of which) {
      if (off) numbers.delete(id);
      else numbers.add(id);
    }
    this.numbers = numbers;
  }

  unrender(ids: readonly string[]): void {
    this.unrendered = new Set([...this.unrendered, ...ids]);
  }

  tellRemoved(count: number): void {
    this.removed = count;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => { this.removed = 0; }, TOAST_MS);
    this.select(this.selection, "command");
  }

  get folds(): Folds {
    return this.folding.of(this.model);
  }

  fold(id: string, folded: boolean): void {
    this.folding.fold(this.model, id, folded, this.context?.readOnly ?? true);
    this.version += 1;
  }

  /** Make sure that the cell is in sight, and active. */
  private uncover(id: string): void {
    this.folding.uncover(this.model, id);
    this.version += 1;
    this.selection = only(id);
  }

  override focus(): void {
    if (!this.context) this.holdFocus();
    else if (this.ids.length > 0) this.select(this.selection, "command");
    else void this.updateComplete.then(() => { this.scroller.focus(); });
  }

  do(command: Command): void {
    if (!this.context) return;
    if (this.context.readOnly && !READING.has(command)) return;
    perform(this, command);
  }

  // Keys, mouse

  private element(id: string): MadangNotebookCell | null {
    return this.renderRoot.querySelector<MadangNotebookCell>(`madang-notebook-cell[data-id="${CSS.escape(id)}"]`);
  }

  private cellOf(event: Event): MadangNotebookCell | null {
    return (event.composedPath().find((node) => node instanceof HTMLElement && node.localName === "madang-notebook-cell") ?? null) as MadangNotebookCell | null;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || isTyped(event)) return;
    const pressed = event.composedPath()[0];
    if (pressed instanceof HTMLElement && pressed.matches("button, a, summary") && ["Enter", " "].includes(event.key)) return;
    const command = this.commandKeys.press(event);
    if (command === null || (event.key === " " && pressed !== this.element(this.selection.active))) return;
    event.preventDefault();
    event.stopPropagation();
    if (command !== "more") this.do(command);
  }

  private onEditorCommand(event: CustomEvent<{ command: EditorCommand }>): void {
    const cell = this.cellOf(event);
    if (!cell) return;
    const { command } = event.detail;
    const id = cell.cellId;
    const to = neighbour(this.folds.shown, id, command === "up" ? -1 : 1);
    switch (command) {
      case "leave": this.select(only(id), "command"); break;
      case "split": {
        const parts = this.model.split(id, cell.positions);
        this.unrender(parts);
        this.select(only(parts.at(-1) ?? id), "edit", "start");
        break;
      }
      case "up": case "down": {
        if (to === id) break;
        const reads = typeOf(this.model.cell(to)) === "markdown" && !this.unrendered.has(to);
        this.select(only(to), reads ? "command" : "edit", command === "up" ? "end" : "start");
        break;
      }
      default: this.do(command);
    }
  }

  private onCellEdit(event: Event): void {
    const cell = this.cellOf(event);
    if (!cell) return;
    this.selection = only(cell.cellId);
    this.mode = "edit";
    this.unrender([cell.cellId]);
    this.document?.awareness.setLocalStateField("cell", cell.cellId);
  }

  private onClick(event: MouseEvent): void {
    const cell = this.cellOf(event);
    const path = event.composedPath();
    if (!cell || path.some((node) => node instanceof HTMLElement && node.matches("button, input, a, select, .box, .menu, form"))) return;
    const { cellId } = cell;
    if (event.shiftKey) this.select(extendTo(this.selection, cellId), "command");
    else if ((getSelection()?.toString() ?? "") === "") this.select(only(cellId), "command");
    else this.selection = only(cellId);
  }

  private onTool(event: CustomEvent<{ command: Command }>): void {
    const cell = this.cellOf(event);
    if (!cell) return;
    if (!selected(this.selection, this.ids).includes(cell.cellId)) this.selection = only(cell.cellId);
    else if (this.selection.active !== cell.cellId && event.detail.command === "runStay") this.selection = only(cell.cellId);
    this.do(event.detail.command);
  }

  private goToLine(count: number, line: number): void {
    const id = this.ids.findLast((one) => this.model.cell(one).get("execution_count") === count);
    if (id === undefined) return;
    this.uncover(id);
    this.element(id)?.scrollIntoView({ block: "nearest" });
    void this.element(id)?.editLine(line);
  }

  private goToMatch({ id, from, to }: Match): void {
    this.uncover(id);
    this.unrender([id]);
    const cell = this.element(id);
    cell?.scrollIntoView({ block: "nearest" });
    void cell?.selectText(from, to);
  }

  private goToHeading({ id }: Heading): void {
    this.uncover(id);
    this.select(only(id), "command");
    void this.updateComplete.then(() => { this.element(id)?.scrollIntoView({ block: "start" }); });
  }

  // Panels

  private setPanel(panel: Panel): void {
    this.panel = panel;
    if (panel === "variables") void this.listVariables();
  }

  private async listVariables(): Promise<void> {
    if (!isPython(this.model)) this.variables = "none";
    else if (["none", "dead"].includes(this.kernelState.state)) this.variables = "off";
    else {
      const busy = (): void => { if (typeof this.variables === "string") this.variables = "busy"; };
      const found = await this.kernel.variables(busy).catch(() => null);
      if (found) this.variables = found;
      else busy();
    }
  }

  // What it shows

  override render(): TemplateResult {
    const { document, context } = this;
    return html`${context && document ? this.bar(document) : nothing}
      <div class="notes">${document || this.closed ? notebookNotes(document?.status ?? null, this.path, { closed: this.closed, asking: this.asking, problem: this.problem, kernel: this.kernelState }, {
        restart: (all) => { this.restartNow(all); }, cancel: () => { this.endQuestion(); }, forget: () => { this.problem = ""; }, asText: () => { this.emit("madang-not-a-notebook", { path: this.path }); },
      }, (word, values) => this.w(word, values)) : nothing}</div>
      ${this.finding ? html`<madang-notebook-find .model=${this.model} ?readonly=${context?.readOnly} language=${this.language}
        @find-pattern=${(event: CustomEvent<{ pattern: RegExp | null }>) => { this.pattern = event.detail.pattern; }}
        @find-go=${(event: CustomEvent<{ match: Match }>) => { this.goToMatch(event.detail.match); }}
        @find-close=${() => { this.finding = false; this.pattern = null; this.focus(); }}></madang-notebook-find>` : nothing}
      ${context || this.closed ? nothing : html`<div class="bones" aria-label=${this.w("loading")}><div class="bone" style="width:40%"></div><div class="bone tall"></div><div class="bone" style="width:70%"></div><div class="bone tall"></div></div>`}
      <div class="middle" ?hidden=${!context}>
        <div class="scroll" tabindex="-1" @keydown=${(event: KeyboardEvent) => { this.onKey(event); }}>${context ? this.list(context) : nothing}</div>
        ${this.side()}</div>
      ${this.removed > 0 ? html`<div class="toast" role="status"><span>${this.removed === 1 ? this.w("removedOne") : this.w("removed", { n: this.removed })}</span>
        <button @click=${() => { this.removed = 0; this.do("undo"); this.focus(); }}>${this.w("undo")}</button></div>` : nothing}
      ${keysDialog((word) => this.w(word))}`;
  }

  private bar(document: NotebookDocument): TemplateResult {
    const cell = this.model.find(this.selection.active);
    const { status } = document;
    const save = status.save === "unsaved" ? this.w("reconnecting") : status.save === "saving" ? this.w("saving") : "";
    return toolbar({
      readOnly: status.readOnly, type: cell ? typeOf(cell) : "code", kernel: this.kernelState.state, waiting: this.queue.waiting.length, others: this.people, panel: this.panel,
      menu: this.menu, save, ending: endingOf(this.model, this.file),
    }, {
      do: (command) => { this.do(command); },
      setPanel: (panel) => { this.setPanel(panel); },
      setMenu: (open) => { this.menu = open; },
      exportAs: (form) => void exportNotebook(this.model, form, this.path, endingOf(this.model, this.file)).catch((error: unknown) => { this.fail(error); }),
    }, (word, values) => this.w(word, values));
  }

  private list(context: CellContext, folds = this.folds): TemplateResult {
    const chosen = new Set(selected(this.selection, folds.shown));
    const insert = (end: boolean): TemplateResult => insertBar(end, (word) => this.w(word), (command) => { this.add(command, end); });
    return html`<div class="cells" role="group" aria-label=${this.w("notebook", { name: this.path.slice(this.path.lastIndexOf("/") + 1) })}
      @click=${(event: MouseEvent) => { this.onClick(event); }}
      @cell-do=${(event: CustomEvent<{ command: Command }>) => { this.onTool(event); }}
      @cell-editor=${(event: CustomEvent<{ command: EditorCommand }>) => { this.onEditorCommand(event); }}
      @cell-edit=${(event: Event) => { this.onCellEdit(event); }}
      @cell-cursor=${(event: CustomEvent<{ line: number; column: number }>) => { this.emit("madang-cursor", event.detail); }}
      @cell-line=${(event: CustomEvent<{ count: number; line: number }>) => { this.goToLine(event.detail.count, event.detail.line); }}
      @cell-tags=${(event: CustomEvent<{ tags: string[] }>) => { this.model.setMetadata(this.cellOf(event)?.cellId ?? "", "tags", event.detail.tags.length > 0 ? event.detail.tags : undefined); }}
      @cell-asks=${(event: Event) => { if (this.mode === "command" && this.hasFocus) this.cellOf(event)?.focusAnswer(); }}
      @cell-answer=${(event: CustomEvent<{ value: string }>) => { this.answer(this.cellOf(event)?.cellId ?? "", event.detail.value); }}
      @dragstart=${(event: DragEvent) => { this.drag.start(event, this.cellOf(event), selected(this.selection, this.ids)); }}
      @dragover=${(event: DragEvent) => { this.drag.over(event, this.cellOf(event)); }}
      @dragend=${() => { this.drag.end(); }}
      @drop=${(event: DragEvent) => { this.drag.drop(event, folds.shown, (moved, before) => { this.model.move(withFolded(this.model, folds, moved), before); }); }}>
      ${repeat(this.ids.slice(0, this.most), (id) => id, (id, at) => html`<madang-notebook-cell role="article" data-id=${id} ?hidden=${folds.under.has(id)} .section=${folds.headings.get(id)?.count ?? 0} .folded=${folds.headings.get(id)?.folded ?? false} tabindex=${id === this.selection.active ? 0 : -1} language=${this.language}
        aria-posinset=${at + 1} aria-setsize=${this.ids.length} .cell=${this.model.cells.get(at)} .context=${context} .at=${at} .total=${this.ids.length} .active=${id === this.selection.active} .chosen=${chosen.has(id)}
        .editing=${this.mode === "edit" && id === this.selection.active} .numbers=${this.numbers.has(id)} .place=${this.queue.place(id)} .find=${this.pattern} .rendered=${!this.unrendered.has(id)}
        .others=${peopleAt(this.people, id)}></madang-notebook-cell>${id === this.selection.active && !context.readOnly && at < this.ids.length - 1 ? insert(false) : nothing}`)}
      ${context.readOnly ? nothing : insert(true)}</div>`;
  }

  private add(command: "addCode" | "addText", end: boolean): void {
    if (end) this.selection = only(this.ids.at(-1) ?? "");
    this.do(command);
  }

  private side(): TemplateResult | typeof nothing {
    if (!this.context || !this.panel) return nothing;
    const close = (): void => { this.panel = null; };
    const w = this.w.bind(this);
    if (this.panel === "outline") return outlinePanel(headingsOf(this.model), (heading) => { this.goToHeading(heading); }, close, w);
    return variablesPanel(this.variables, () => void this.listVariables(), close, w);
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const over = this.context ? this.folds.under.get(this.selection.active) : undefined;
    if (over !== undefined) this.selection = only(over);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("path") && changed.get("path") !== undefined && this.document && !this.renamed) {
      this.leave(); // it is another file
      void this.open();
    }
    this.renamed = false;
    if (!["ids", "version", "most"].some((name) => changed.has(name))) return;
    for (const cell of this.renderRoot.querySelectorAll("madang-notebook-cell")) this.sight?.observe(cell);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-notebook": MadangNotebook;
  }
}
