/** The files of a project, as a tree.
 *
 * Attributes: `slug`, `current` (path of the file that is shown), `upload-limit` (bytes, 0: the server decides), `language`.
 * Events: `madang-open` {path}, `madang-renamed` {from, to}, `madang-removed` {path}.
 * CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError } from "./api.js";
import { downloadUrl, type Entry, join, list, makeFolder, parentOf, remove, rename, upload, validName, writeText } from "./contents.js";
import { MadangElement } from "./element.js";
import { filesStyle } from "./files-style.js";
import { icon, type IconName } from "./icons.js";
import type { Key } from "./i18n.js";
import { shared } from "./styles.js";
import { bytes } from "./usage-model.js";

/** How long a deletion can be undone: it is done after this. */
const UNDO_MS = 6000;
const LOOK_AGAIN_MS = 10_000;

type Naming = { kind: "file" | "folder"; folder: string } | { kind: "rename"; entry: Entry };

@customElement("madang-files")
export class MadangFiles extends MadangElement {
  static override styles = [shared, filesStyle];

  @property() slug = "";
  @property() current = "";
  @property({ type: Number, attribute: "upload-limit" }) uploadLimit = 0;
  @state() private folders = new Map<string, readonly Entry[]>();
  @state() private open = new Set<string>();
  @state() private problem = "";
  @state() private naming: Naming | null = null;
  @state() private namingProblem = "";
  @state() private menu = "";
  @state() private removing: Entry | null = null;
  @state() private busy = "";
  @state() private focused = "";
  @state() private dragging = false;
  private removeTimer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void this.refresh();
    }, LOOK_AGAIN_MS);
    this.listen(window, "focus", () => void this.refresh());
    this.listen(window, "pagehide", () => void this.removeNow());
    this.listen(document, "pointerdown", (event) => {
      if (!event.composedPath().some((node) => node instanceof HTMLElement && node.classList.contains("menu"))) this.menu = "";
    });
    this.onLeave(() => {
      clearInterval(timer);
      void this.removeNow();
    });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("slug")) {
      this.folders = new Map();
      this.open = new Set();
      void this.refresh();
    }
    if (changed.has("naming") && this.naming) this.renderRoot.querySelector<HTMLInputElement>(".naming input")?.select();
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

  private words(error: unknown): string {
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

  /** Where a new file goes: the folder that has the focus, or the top. */
  private get target(): string {
    const entry = this.rows().find((row) => row.entry.path === this.focused)?.entry;
    if (!entry) return this.slug;
    return entry.type === "directory" ? entry.path : parentOf(entry.path);
  }

  startNaming(kind: "file" | "folder"): void {
    const folder = this.target;
    if (folder !== this.slug && !this.open.has(folder)) void this.toggle(folder);
    this.namingProblem = "";
    this.naming = { kind, folder };
  }

  private async finishNaming(event: Event): Promise<void> {
    event.preventDefault();
    const naming = this.naming;
    const name = this.renderRoot.querySelector<HTMLInputElement>(".naming input")?.value.trim() ?? "";
    if (!naming) return;
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
    if (naming.kind === "folder") await this.attempt(() => makeFolder(path));
    else if (naming.kind === "file" && (await this.attempt(() => writeText(path, "")))) this.emit("madang-open", { path });
    else if (naming.kind === "rename" && (await this.attempt(() => rename(naming.entry.path, path)))) {
      this.emit("madang-renamed", { from: naming.entry.path, to: path });
    }
    this.focused = path;
  }

  private async removeSoon(entry: Entry): Promise<void> {
    this.menu = "";
    await this.removeNow();
    this.removing = entry;
    this.removeTimer = setTimeout(() => void this.removeNow(), UNDO_MS);
  }

  private undo(): void {
    clearTimeout(this.removeTimer);
    this.removing = null;
  }

  private async removeNow(): Promise<void> {
    const entry = this.removing;
    if (!entry) return;
    this.undo();
    if (await this.attempt(() => remove(entry.path))) this.emit("madang-removed", { path: entry.path });
  }

  private async uploadAll(files: readonly File[]): Promise<void> {
    const folder = this.target;
    for (const file of files) {
      const name = file.name;
      if (this.uploadLimit > 0 && file.size > this.uploadLimit) {
        this.problem = this.t("tooLarge", { name, size: bytes(file.size), limit: bytes(this.uploadLimit) });
        continue;
      }
      this.busy = this.t("uploading", { name });
      try {
        await upload(join(folder, name), file);
      } catch (error) {
        const tooLarge = error instanceof ApiError && error.status === 413;
        const why = tooLarge && !error.message ? this.t("tooLargeServer", { name, size: bytes(file.size) }) : this.words(error);
        this.problem = this.t("uploadFailed", { name, why });
      }
    }
    this.busy = "";
    await this.refresh();
  }

  private download(entry: Entry): void {
    this.menu = "";
    const link = document.createElement("a");
    link.href = downloadUrl(entry.path);
    link.download = entry.name;
    link.click();
  }

  /** What is visible, from top to bottom. */
  private rows(folder = this.slug, depth = 0): { entry: Entry; depth: number }[] {
    return (this.folders.get(folder) ?? [])
      .filter((entry) => entry.path !== this.removing?.path)
      .flatMap((entry) => [
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
      void this.updateComplete.then(() => {
        this.focus();
      });
    };
    const folder = entry.type === "directory";
    const actions: Record<string, () => void> = {
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
      Delete: () => void this.removeSoon(entry),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  private rename(entry: Entry): void {
    this.menu = "";
    this.namingProblem = "";
    this.naming = { kind: "rename", entry };
  }

  private onDrop(event: DragEvent): void {
    event.preventDefault();
    this.dragging = false;
    void this.uploadAll([...(event.dataTransfer?.files ?? [])]);
  }

  override render(): TemplateResult {
    return html`<div class="head"><h2>${this.t("files")}</h2>
        ${this.tool("filePlus", "newFile", () => { this.startNaming("file"); })}
        ${this.tool("folderPlus", "newFolder", () => { this.startNaming("folder"); })}
        ${this.tool("upload", "upload", () => this.renderRoot.querySelector<HTMLInputElement>("#upload")?.click())}
        ${this.tool("refresh", "refresh", () => void this.refresh())}
        <input id="upload" type="file" multiple hidden aria-label=${this.t("upload")} @change=${(event: Event) => {
          const field = event.target as HTMLInputElement;
          void this.uploadAll([...(field.files ?? [])]).then(() => (field.value = ""));
        }} /></div>
      ${this.problem ? html`<div class="note bad" role="alert"><span>${this.problem}</span>
        <button class="quiet" @click=${() => { this.problem = ""; void this.refresh(); }}>${this.t("close")}</button></div>` : nothing}
      <div class="list ${this.dragging ? "dragging" : ""}" @dragover=${(event: DragEvent) => { event.preventDefault(); this.dragging = true; }}
        @dragleave=${() => (this.dragging = false)} @drop=${(event: DragEvent) => { this.onDrop(event); }}>${this.tree()}</div>
      ${this.busy ? html`<div class="toast" role="status">${this.busy}</div>` : nothing}
      ${this.removing ? html`<div class="toast" role="status"><span>${this.t("removed", { name: this.removing.name })}</span>
        <button @click=${() => { this.undo(); }}>${this.t("undo")}</button></div>` : nothing}`;
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
    const nameTop = naming && naming.kind !== "rename" && naming.folder === this.slug ? this.nameField(0) : nothing;
    if (rows.length === 0 && nameTop === nothing) {
      return html`<div class="empty"><b>${this.t("filesEmpty")}</b><span>${this.t("filesEmptyHint")}</span>
        <button @click=${() => { this.startNaming("file"); }}>${this.t("newFile")}</button></div>`;
    }
    const stop = rows.some((row) => row.entry.path === this.focused) ? this.focused : (rows[0]?.entry.path ?? "");
    return html`${nameTop}<div role="tree" aria-label=${this.t("files")}>
      ${repeat(rows, (row) => row.entry.path, (row) => this.row(row.entry, row.depth, stop))}</div>`;
  }

  private row(entry: Entry, depth: number, stop: string): TemplateResult {
    const folder = entry.type === "directory";
    const naming = this.naming;
    if (naming?.kind === "rename" && naming.entry.path === entry.path) return this.nameField(depth, entry.name);
    const below = naming && naming.kind !== "rename" && naming.folder === entry.path ? this.nameField(depth + 1) : nothing;
    const selected = entry.path === this.current;
    return html`<div class="row ${selected ? "on" : ""}" role="treeitem" tabindex=${entry.path === stop ? 0 : -1} aria-selected=${selected}
        aria-level=${depth + 1} aria-expanded=${folder ? this.open.has(entry.path) : nothing} style="padding-left:${8 + depth * 16}px"
        @click=${() => { this.choose(entry); }} @focus=${() => (this.focused = entry.path)} @keydown=${(event: KeyboardEvent) => { this.onKey(event, entry); }}>
        <span class="mark ${this.open.has(entry.path) ? "open" : ""}">${folder ? icon("chevron") : nothing}</span>
        <span class="name">${entry.name}</span>
        ${folder || entry.size === null ? nothing : html`<small class="num">${bytes(entry.size)}</small>`}
        <button class="icon quiet more" tabindex=${entry.path === stop ? 0 : -1} aria-label=${this.t("fileActions", { name: entry.name })} aria-haspopup="menu"
          aria-expanded=${this.menu === entry.path} @click=${(event: Event) => { event.stopPropagation(); this.menu = this.menu === entry.path ? "" : entry.path; }}>${icon("dots")}</button>
        ${this.menu === entry.path ? this.menuOf(entry) : nothing}</div>${below}`;
  }

  private menuOf(entry: Entry): TemplateResult {
    const item = (key: Key, action: () => void, danger = false): TemplateResult =>
      html`<button role="menuitem" class=${danger ? "danger" : ""} @click=${(event: Event) => { event.stopPropagation(); action(); }}>${this.t(key)}</button>`;
    return html`<div class="menu" role="menu" @keydown=${(event: KeyboardEvent) => {
        if (event.key !== "Escape") return;
        this.menu = "";
        this.focus();
      }}>${item("rename", () => { this.rename(entry); })}
      ${entry.type === "directory" ? nothing : item("download", () => { this.download(entry); })}
      ${item("remove", () => void this.removeSoon(entry), true)}</div>`;
  }

  private nameField(depth: number, value = ""): TemplateResult {
    return html`<form class="naming" style="padding-left:${8 + depth * 16}px" @submit=${(event: Event) => void this.finishNaming(event)}>
      <input aria-label=${this.t("nameLabel")} .value=${value} maxlength="255" autocapitalize="off" spellcheck="false" aria-invalid=${this.namingProblem !== ""}
        @keydown=${(event: KeyboardEvent) => { if (event.key === "Escape") this.naming = null; }}
        @blur=${(event: FocusEvent) => { if (!(event.target as HTMLInputElement).value.trim()) this.naming = null; }} />
      ${this.namingProblem ? html`<p role="alert">${this.namingProblem}</p>` : nothing}</form>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-files": MadangFiles;
  }
}
