/** The files of a project, as a tree.
 *
 * Attributes: `project` (id), `slug`, `current` (path of the file that is shown), `kernel`, `upload-limit` (bytes, 0: the server
 * decides), `language`. Methods: `refresh()`, `startNaming(kind)`, `chooseUploads()`.
 * Events: `madang-open` {path}, `madang-renamed` {from, to}, `madang-removed` {path}, `madang-open-with` {path, opener}.
 * CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError } from "./api.js";
import { downloadUrl, type Entry, join, list, makeFolder, parentOf, rename, validName, writeText } from "./contents.js";
import { MadangElement } from "./element.js";
import { FilesUploads } from "./files-uploads.js";
import { filesStyle } from "./files-style.js";
import { icon, type IconName } from "./icons.js";
import type { Key } from "./i18n.js";
import "./madang-menu.js";
import type { MadangMenu, MenuItem } from "./madang-menu.js";
import { openersOf } from "./openers.js";
import { emptyNotebook, isNotebook, newName } from "./new-files.js";
import { putBack, throwAway, zipUrl } from "./project-files.js";
import { extended, flipped, meant, NOTHING_CHOSEN, only, type Selection } from "./selection.js";
import { shared } from "./styles.js";
import { droppedFiles } from "./upload-queue.js";
import { bytes } from "./usage-model.js";

const LOOK_AGAIN_MS = 10_000;
const TOAST_MS = 12_000;
const DRAGGED = "application/x-madang-paths";

type Naming = { kind: "file" | "folder" | "notebook"; folder: string } | { kind: "rename"; entry: Entry };
interface Toast {
  words: string;
  undo?: () => Promise<unknown>;
}

@customElement("madang-files")
export class MadangFiles extends MadangElement {
  static override styles = [shared, filesStyle];

  @property() project = "";
  @property() slug = "";
  @property() current = "";
  /** The kernel of new notebooks. */
  @property() kernel = "python3";
  @property({ type: Number, attribute: "upload-limit" }) uploadLimit = 0;
  @state() private folders = new Map<string, readonly Entry[]>();
  @state() private open = new Set<string>();
  @state() problem = "";
  @state() private naming: Naming | null = null;
  @state() private namingProblem = "";
  @state() private selection: Selection = NOTHING_CHOSEN;
  @state() private cut: readonly string[] = [];
  @state() private toast: Toast | null = null;
  @state() private focused = "";
  @state() private over = "";
  @query("madang-menu") private menu!: MadangMenu;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;
  private uploads = new FilesUploads(this);

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void this.refresh();
    }, LOOK_AGAIN_MS);
    this.listen(window, "focus", () => void this.refresh());
    this.listen(window, "beforeunload", (event) => { if (this.uploads.busy) event.preventDefault(); });
    this.onLeave(() => {
      clearInterval(timer);
      clearTimeout(this.toastTimer);
      this.uploads.stop();
    });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("slug")) {
      this.folders = new Map();
      this.open = new Set();
      this.selection = NOTHING_CHOSEN;
      void this.refresh();
    }
    if (changed.has("naming") && this.naming) this.selectStem();
  }

  /** The name without its ending: that is what people change. */
  private selectStem(): void {
    const field = this.renderRoot.querySelector<HTMLInputElement>(".naming input");
    field?.focus();
    const dot = field?.value.lastIndexOf(".") ?? -1;
    field?.setSelectionRange(0, dot > 0 ? dot : field.value.length);
  }

  override focus(): void {
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>(".row")];
    (rows.find((row) => row.tabIndex === 0) ?? rows[0] ?? this.renderRoot.querySelector<HTMLElement>("button"))?.focus();
  }

  /** Ask for all folders that are open, again. */
  async refresh(): Promise<void> {
    if (!this.slug) return;
    const { slug } = this;
    const paths = [slug, ...this.open];
    const answers = await Promise.allSettled(paths.map((path) => list(path)));
    if (slug !== this.slug) return;
    const folders = new Map(this.folders);
    answers.forEach((answer, at) => {
      const path = paths[at] ?? "";
      if (answer.status === "fulfilled") folders.set(path, answer.value);
      else if (path !== slug) {
        folders.delete(path);
        this.open.delete(path);
      }
    });
    this.folders = folders;
    const [top] = answers;
    if (top?.status === "rejected") this.problem = this.words(top.reason);
    else if (top && !folders.get(slug)) this.problem = this.t("filesFailed");
    else if (this.problem === this.t("offline")) this.problem = "";
  }

  /** A sentence for people. */
  words(error: unknown): string {
    if (!(error instanceof ApiError)) return String(error);
    return error.status === 0 ? this.t("offline") : [error.message, error.hint].filter(Boolean).join(" ");
  }

  private async attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      this.problem = "";
      return true;
    } catch (error) {
      this.problem = this.words(error);
      return false;
    } finally {
      await this.refresh();
    }
  }

  private say(words: string, undo?: () => Promise<unknown>): void {
    this.toast = undo ? { words, undo } : { words };
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.toast = null), TOAST_MS);
  }

  private async undo(): Promise<void> {
    const undo = this.toast?.undo;
    this.toast = null;
    if (undo) await this.attempt(undo);
  }

  /** Show what is in a folder. */
  expand(path: string): void {
    if (path !== this.slug) this.open = new Set([...this.open, path]);
  }

  private async toggle(path: string): Promise<void> {
    const open = new Set(this.open);
    if (open.delete(path)) {
      this.open = open;
      return;
    }
    open.add(path);
    this.open = open;
    await this.refresh();
  }

  private choose(entry: Entry): void {
    if (entry.type === "directory") void this.toggle(entry.path);
    else this.emit("madang-open", { path: entry.path });
  }

  private onClick(event: MouseEvent, entry: Entry): void {
    const rows = this.rows().map((row) => row.entry.path);
    if (event.shiftKey) this.selection = extended(this.selection, entry.path, rows);
    else if (event.ctrlKey || event.metaKey) this.selection = flipped(this.selection, entry.path);
    else {
      this.selection = only(entry.path);
      this.choose(entry);
    }
  }

  /** Where a new file goes: the folder that has the focus, or the top. */
  private get target(): string {
    const entry = this.rows().find((row) => row.entry.path === this.focused)?.entry;
    return entry ? folderFor(entry) : this.slug;
  }

  startNaming(kind: "file" | "folder" | "notebook", folder = this.target): void {
    if (folder !== this.slug && !this.open.has(folder)) void this.toggle(folder);
    this.namingProblem = "";
    this.naming = { kind, folder };
  }

  private async finishNaming(event: Event): Promise<void> {
    event.preventDefault();
    const naming = this.naming;
    let name = this.renderRoot.querySelector<HTMLInputElement>(".naming input")?.value.trim() ?? "";
    if (!naming) return;
    if (naming.kind === "notebook" && name && !isNotebook(name)) name += ".ipynb";
    if (!validName(name)) {
      this.namingProblem = this.t("badName");
      return;
    }
    const folder = naming.kind === "rename" ? parentOf(naming.entry.path) : naming.folder;
    const path = join(folder, name);
    if (naming.kind === "rename" && naming.entry.path === path) {
      this.naming = null;
      return;
    }
    if (this.folders.get(folder)?.some((entry) => entry.name === name)) {
      this.namingProblem = this.t("exists", { name });
      return;
    }
    this.naming = null;
    this.focused = path;
    if (naming.kind === "folder") await this.attempt(() => makeFolder(path));
    else if (naming.kind === "file" || naming.kind === "notebook") {
      const text = naming.kind === "notebook" ? emptyNotebook(this.kernel) : "";
      if (await this.attempt(() => writeText(path, text))) this.emit("madang-open", { path });
    } else if (naming.kind === "rename") await this.attempt(() => this.move(naming.entry.path, path));
  }

  private async move(from: string, to: string): Promise<void> {
    await rename(from, to);
    if (this.open.delete(from)) this.open.add(to);
    this.emit("madang-renamed", { from, to });
  }

  /** Move `paths` into `folder`; what cannot be moved stays, and is said. */
  private async moveInto(folder: string, paths: readonly string[]): Promise<void> {
    const moves = paths.map((from) => ({ from, to: join(folder, from.slice(from.lastIndexOf("/") + 1)) })).filter(({ from, to }) => from !== to && from !== folder && !folder.startsWith(`${from}/`));
    if (moves.length === 0) return;
    this.cut = [];
    const done: typeof moves = [];
    await this.attempt(async () => {
      for (const { from, to } of moves) {
        await this.move(from, to);
        done.push({ from, to });
      }
    });
    this.selection = { chosen: new Set(done.map(({ to }) => to)), anchor: done[0]?.to ?? "" };
    const name = folder === this.slug ? this.t("topFolder") : folder.slice(folder.lastIndexOf("/") + 1);
    if (done.length) {
      this.say(this.t("movedTo", { n: done.length, name }), async () => {
        for (const { from, to } of done.reverse()) await this.move(to, from);
      });
    }
  }

  private async throwAway(paths: readonly string[]): Promise<void> {
    const rows = this.rows().map((row) => row.entry.path);
    const next = rows.slice(rows.indexOf(paths[0] ?? "")).find((path) => !paths.some((gone) => path === gone || path.startsWith(`${gone}/`)));
    await this.attempt(async () => {
      const thrown = await throwAway(this.project, paths.map((path) => this.inside(path)));
      for (const path of paths) this.emit("madang-removed", { path });
      this.selection = NOTHING_CHOSEN;
      const [first] = thrown;
      const name = first?.path.slice(first.path.lastIndexOf("/") + 1) ?? "";
      this.say(thrown.length === 1 ? this.t("removed", { name }) : this.t("removedN", { n: thrown.length }), async () => {
        for (const { id } of thrown) await putBack(this.project, id);
      });
    });
    this.focused = next ?? "";
    await this.updateComplete;
    this.focus();
  }

  /** A path without the slug. */
  inside(path: string): string {
    return path.slice(this.slug.length + 1);
  }

  chooseUploads(): void {
    this.renderRoot.querySelector<HTMLInputElement>("#upload")?.click();
  }

  private download(paths: readonly string[]): void {
    const entries = this.rows().map(({ entry }) => entry);
    const alone = paths.length === 1 ? entries.find(({ path, type }) => path === paths[0] && type !== "directory") : undefined;
    const link = document.createElement("a");
    link.href = alone ? downloadUrl(alone.path) : zipUrl(this.project, paths.map((path) => this.inside(path)));
    link.download = "";
    link.click();
  }

  /** What is visible, from top to bottom. */
  private rows(folder = this.slug, depth = 0): { entry: Entry; depth: number }[] {
    return (this.folders.get(folder) ?? []).flatMap((entry) => [
      { entry, depth },
      ...(entry.type === "directory" && this.open.has(entry.path) ? this.rows(entry.path, depth + 1) : []),
    ]);
  }

  private onKey(event: KeyboardEvent, entry: Entry): void {
    if (event.target !== event.currentTarget) return;
    const rows = this.rows();
    const at = rows.findIndex((row) => row.entry.path === entry.path);
    const go = (to: number): void => {
      this.focused = rows[Math.min(Math.max(to, 0), rows.length - 1)]?.entry.path ?? "";
      if (event.shiftKey) this.selection = extended(this.selection.anchor ? this.selection : only(entry.path), this.focused, rows.map((row) => row.entry.path));
      void this.updateComplete.then(() => { this.focus(); });
    };
    const folder = entry.type === "directory";
    const paths = meant(this.selection, entry.path);
    const control: Partial<Record<string, () => void>> = {
      a: () => { this.selection = { chosen: new Set(rows.map((row) => row.entry.path)), anchor: entry.path }; },
      x: () => { this.cut = paths; },
      v: () => { if (this.cut.length) void this.moveInto(folderFor(entry), this.cut); },
      z: () => { if (this.toast?.undo) void this.undo(); },
      " ": () => { this.selection = flipped(this.selection, entry.path); },
    };
    const actions: Partial<Record<string, () => void>> = {
      ArrowDown: () => { go(at + 1); },
      ArrowUp: () => { go(at - 1); },
      Home: () => { go(0); },
      End: () => { go(rows.length - 1); },
      ArrowRight: () => void (folder && !this.open.has(entry.path) && this.toggle(entry.path)),
      ArrowLeft: () => {
        if (folder && this.open.has(entry.path)) void this.toggle(entry.path);
        else go(rows.findIndex((row) => row.entry.path === parentOf(entry.path)));
      },
      Enter: () => { this.choose(entry); },
      " ": () => { this.choose(entry); },
      F2: () => { this.rename(entry); },
      Delete: () => void this.throwAway(paths),
      Escape: () => { this.selection = NOTHING_CHOSEN; this.cut = []; },
      ContextMenu: () => { this.menuAt(entry, event.currentTarget as HTMLElement); },
      F10: () => { if (event.shiftKey) this.menuAt(entry, event.currentTarget as HTMLElement); },
    };
    const mod = event.ctrlKey || event.metaKey;
    const action = mod && !event.altKey ? control[event.key.toLowerCase()] : event.altKey ? undefined : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  private rename(entry: Entry): void {
    this.namingProblem = "";
    this.naming = { kind: "rename", entry };
  }

  private menuAt(entry: Entry, element: HTMLElement): void {
    const { left, bottom } = element.getBoundingClientRect();
    this.showMenu(entry, left + 24, bottom);
  }

  private showMenu(entry: Entry, x: number, y: number): void {
    if (!this.selection.chosen.has(entry.path)) this.selection = only(entry.path);
    this.focused = entry.path;
    const paths = meant(this.selection, entry.path);
    const folder = entry.type === "directory";
    const several = paths.length > 1;
    const others: MenuItem[] = folder || several ? [] : openersOf(entry.path).slice(1).map((one) => ({
      label: this.t(one.label), run: () => { this.emit("madang-open-with", { path: entry.path, opener: one.id }); },
    }));
    void this.menu.show([
      ...(folder ? [{ label: this.t("newFile"), run: () => { this.startNaming("file", entry.path); } }, { label: this.t("newFolder"), run: () => { this.startNaming("folder", entry.path); } }] : []),
      { label: this.t("rename"), keys: "F2", disabled: several, run: () => { this.rename(entry); } },
      { label: this.t("cut"), keys: "Ctrl+X", run: () => { this.cut = paths; } },
      { label: this.t("pasteHere"), keys: "Ctrl+V", disabled: this.cut.length === 0, run: () => void this.moveInto(folderFor(entry), this.cut) },
      { label: this.t(folder || several ? "downloadZip" : "download"), run: () => { this.download(paths); } },
      ...others,
      { label: this.t("copyPath"), disabled: several, run: () => void navigator.clipboard.writeText(this.inside(entry.path)) },
      { label: several ? this.t("removeN", { n: paths.length }) : this.t("remove"), keys: "Del", danger: true, run: () => void this.throwAway(paths) },
    ], x, y);
  }

  private onDrag(event: DragEvent, folder: string): void {
    const types = event.dataTransfer?.types ?? [];
    if (!types.includes(DRAGGED) && !types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    this.over = folder;
  }

  private async onDrop(event: DragEvent, folder: string): Promise<void> {
    const data = event.dataTransfer;
    if (!data) return;
    event.preventDefault();
    event.stopPropagation();
    this.over = "";
    const dragged = data.getData(DRAGGED);
    if (dragged) await this.moveInto(folder, JSON.parse(dragged) as string[]);
    else await this.uploads.add(folder, await droppedFiles(data));
  }

  override render(): TemplateResult {
    return html`<div class="head"><h2>${this.t("files")}</h2>
        ${this.tool("filePlus", "newFile", () => { this.startNaming("file"); })}
        ${this.tool("notebook", "newNotebook", () => { this.startNaming("notebook"); })}
        ${this.tool("folderPlus", "newFolder", () => { this.startNaming("folder"); })}
        ${this.tool("upload", "upload", () => { this.chooseUploads(); })}
        ${this.tool("refresh", "refresh", () => void this.refresh())}
        <input id="upload" type="file" multiple hidden aria-label=${this.t("upload")} @change=${(event: Event) => {
          const field = event.target as HTMLInputElement;
          const files = [...(field.files ?? [])].map((file) => ({ path: file.name, file }));
          field.value = "";
          void this.uploads.add(this.target, files);
        }} /></div>
      ${this.problem ? html`<div class="note bad" role="alert"><span>${this.problem}</span>
        <button class="quiet" @click=${() => { this.problem = ""; void this.refresh(); }}>${this.t("close")}</button></div>` : nothing}
      ${this.uploads.question()}
      <div class="list ${this.over === this.slug && this.slug ? "dragging" : ""}" @dragover=${(event: DragEvent) => { this.onDrag(event, this.slug); }}
        @dragleave=${() => (this.over = "")} @drop=${(event: DragEvent) => void this.onDrop(event, this.slug)}>${this.tree()}</div>
      <div class="toasts">${this.uploads.progress()}${this.toast ? html`<div class="toast" role="status"><span>${this.toast.words}</span>
        ${this.toast.undo ? html`<button @click=${() => void this.undo()}>${this.t("undo")}</button>` : nothing}</div>` : nothing}</div>
      <madang-menu language=${this.language}></madang-menu>`;
  }

  private tool(name: IconName, key: Key, action: () => void): TemplateResult {
    return html`<button class="icon quiet" title=${this.t(key)} aria-label=${this.t(key)} @click=${action}>${icon(name)}</button>`;
  }

  private tree(): TemplateResult {
    if (!this.folders.has(this.slug)) {
      if (this.problem) return html`<div class="empty"><button @click=${() => void this.refresh()}>${this.t("tryAgain")}</button></div>`;
      return html`<div class="bones" aria-label=${this.t("loading")}>${[70, 52, 60, 40].map((width) => html`<div class="bone" style="width:${width}%"></div>`)}</div>`;
    }
    const rows = this.rows();
    const naming = this.naming;
    const nameTop = naming && naming.kind !== "rename" && naming.folder === this.slug ? this.nameField(0, newName(naming.kind)) : nothing;
    if (rows.length === 0 && nameTop === nothing) {
      return html`<div class="empty"><b>${this.t("filesEmpty")}</b><span>${this.t("filesEmptyHint")}</span>
        <button @click=${() => { this.startNaming("file"); }}>${this.t("newFile")}</button></div>`;
    }
    const stop = rows.some((row) => row.entry.path === this.focused) ? this.focused : (rows[0]?.entry.path ?? "");
    return html`${nameTop}<div role="tree" aria-multiselectable="true" aria-label=${this.t("files")}>
      ${repeat(rows, (row) => row.entry.path, (row) => this.row(row.entry, row.depth, stop))}</div>`;
  }

  private row(entry: Entry, depth: number, stop: string): TemplateResult {
    const folder = entry.type === "directory";
    const naming = this.naming;
    if (naming?.kind === "rename" && naming.entry.path === entry.path) return this.nameField(depth, entry.name);
    const below = naming && naming.kind !== "rename" && naming.folder === entry.path ? this.nameField(depth + 1, newName(naming.kind)) : nothing;
    const chosen = this.selection.chosen.has(entry.path);
    const look = [entry.path === this.current ? "on" : "", chosen ? "chosen" : "", this.cut.includes(entry.path) ? "cut" : "", this.over === entry.path ? "over" : ""].join(" ");
    return html`<div class="row ${look}" role="treeitem" tabindex=${entry.path === stop ? 0 : -1} aria-selected=${chosen || entry.path === this.current}
        aria-level=${depth + 1} aria-expanded=${folder ? this.open.has(entry.path) : nothing} style="padding-left:${8 + depth * 16}px" draggable="true"
        @dragstart=${(event: DragEvent) => event.dataTransfer?.setData(DRAGGED, JSON.stringify(meant(this.selection, entry.path)))}
        @dragover=${(event: DragEvent) => { this.onDrag(event, folderFor(entry)); }} @drop=${(event: DragEvent) => void this.onDrop(event, folderFor(entry))}
        @contextmenu=${(event: MouseEvent) => { event.preventDefault(); this.showMenu(entry, event.clientX, event.clientY); }}
        @click=${(event: MouseEvent) => { this.onClick(event, entry); }} @focus=${() => (this.focused = entry.path)} @keydown=${(event: KeyboardEvent) => { this.onKey(event, entry); }}>
        <span class="mark ${this.open.has(entry.path) ? "open" : ""}">${folder ? icon("chevron") : nothing}</span>
        <span class="name">${entry.name}</span>
        ${folder || entry.size === null ? nothing : html`<small class="num">${bytes(entry.size)}</small>`}
        <button class="icon quiet more" tabindex=${entry.path === stop ? 0 : -1} aria-label=${this.t("fileActions", { name: entry.name })} aria-haspopup="menu"
          @click=${(event: Event) => { event.stopPropagation(); this.menuAt(entry, event.currentTarget as HTMLElement); }}>${icon("dots")}</button></div>${below}`;
  }

  private nameField(depth: number, value = ""): TemplateResult {
    return html`<form class="naming" style="padding-left:${8 + depth * 16}px" @submit=${(event: Event) => void this.finishNaming(event)}>
      <input aria-label=${this.t("nameLabel")} .value=${value} maxlength="255" autocapitalize="off" spellcheck="false" aria-invalid=${this.namingProblem !== ""}
        @keydown=${(event: KeyboardEvent) => { if (event.key === "Escape") this.naming = null; }}
        @blur=${(event: FocusEvent) => { if (!(event.target as HTMLInputElement).value.trim()) this.naming = null; }} />
      ${this.namingProblem ? html`<p role="alert">${this.namingProblem}</p>` : nothing}</form>`;
  }
}

/** The folder that is meant where `entry` is pointed at. */
function folderFor(entry: Entry): string {
  return entry.type === "directory" ? entry.path : parentOf(entry.path);
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-files": MadangFiles;
  }
}
