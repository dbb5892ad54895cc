/** The workspace of a project: files, editors, console, terminals, what the session uses.
 *
 * Attributes: `project` (id), `slug`, `name`, `image`, `kernel`, `owner`, `language` ("en", "ko"), `csrf`, `upload-limit`.
 * Events: none leave it. CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError, request, send, setCsrf } from "./api.js";
import { list } from "./contents.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import type { Key, Language } from "./i18n.js";
import { readSizes, separator, separatorStyle, type Sizes } from "./layout.js";
import type { LinkState } from "./link.js";
import "./madang-console.js";
import type { MadangConsole } from "./madang-console.js";
import "./madang-editor.js";
import type { MadangEditor, SaveState } from "./madang-editor.js";
import "./madang-files.js";
import type { MadangFiles } from "./madang-files.js";
import "./madang-ports.js";
import "./madang-terminals.js";
import type { MadangTerminals } from "./madang-terminals.js";
import "./madang-usage.js";
import type { MadangUsage } from "./madang-usage.js";
import { closed, keepOpen, NOTHING_OPEN, opened, type OpenFiles, readOpen, renamed } from "./open-files.js";
import { canRun, runLine } from "./run-file.js";
import { shortcutList } from "./shortcuts.js";
import { shared } from "./styles.js";
import { arrows, tablist } from "./tabs.js";
import { tabsStyle } from "./tabs-style.js";
import type { KernelState } from "./transcript.js";
import { isOver, type Port, type Session } from "./usage-model.js";
import { workspaceBar, workspaceFoot, workspacePhoneBar, workspacePhoneMore } from "./workspace-bars.js";
import { workspaceStyle } from "./workspace-style.js";

export type Pane = "files" | "editor" | "console" | "terminal" | "session";
const PANES: readonly Pane[] = ["files", "editor", "console", "terminal"];
const NO_ROOM_RETRY_MS = 3000;

@customElement("madang-workspace")
export class MadangWorkspace extends MadangElement {
  static override styles = [shared, separatorStyle, tabsStyle, workspaceStyle];

  @property() project = "";
  @property() slug = "";
  @property() name = "";
  @property() image = "";
  @property() kernel = "python3";
  /** The endings of the files that the kernel runs, and the name of a new project's first file. */
  @property() runs = ".py .ipynb";
  @property() first = "main.py";
  @property() owner = "";
  @property() csrf = "";
  @property({ type: Number, attribute: "upload-limit" }) uploadLimit = 0;

  @state() session: Session | null = null;
  @state() files: OpenFiles = NOTHING_OPEN;
  @state() inFront: "editor" | "console" = "console";
  @state() pane: Pane = "console";
  @state() kernelState: KernelState = "unknown";
  @state() link: LinkState = "connecting";
  /** Was there a connection before? Then a missing one is a lost one. */
  wasOpen = false;
  @state() cursor: { line: number; column: number } | null = null;
  @state() saveStates = new Map<string, SaveState>();
  /** The time left to an idle session, in words, when it is short. */
  @state() left = "";
  @state() private sessionId = "";
  @state() private ports: readonly Port[] = [];
  @state() private sizes: Sizes = readSizes();
  /** Why there is no session, or none that this page may use. */
  @state() problem: { code: string; words: string } | null = null;

  @query("madang-console") console_!: MadangConsole;
  @query("madang-files") private tree!: MadangFiles;
  @query("madang-terminals") private terminals!: MadangTerminals;
  @query("madang-usage") private usage!: MadangUsage;
  @query("main") private main!: HTMLElement;
  private links = new Map<string, LinkState>();
  private retry: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    setCsrf(this.csrf);
    this.listen(window, "keydown", (event) => { this.onKey(event as KeyboardEvent); }, { capture: true });
    this.onLeave(() => { clearTimeout(this.retry); });
    void this.openFirst();
    void this.findSession();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("csrf")) setCsrf(this.csrf);
  }

  // The session

  /** The project's live session; the kernel's start makes one where there is none. */
  private async findSession(): Promise<void> {
    try {
      const found = await request<{ items: Session[] }>(`/api/v1/sessions?project=${encodeURIComponent(this.project)}&state=live&limit=1`);
      const [session] = found.items;
      if (!session) return;
      if (this.sessionId !== session.id) this.session = session;
      this.sessionId = session.id;
    } catch (error) {
      if (error instanceof ApiError && error.status !== 0) this.fail(error);
    }
  }

  private fail(error: unknown): void {
    const known = error instanceof ApiError;
    if (known && (error.status === 401 || error.status === 403)) this.problem = { code: "signed_out", words: this.t("notYours") };
    else this.problem = { code: known ? error.code : "", words: known ? [error.message, error.hint].filter(Boolean).join(" ") : String(error) };
  }

  private async onStartFailed(error: unknown): Promise<void> {
    await this.findSession();
    this.fail(error);
    clearTimeout(this.retry);
    if (this.problem?.code === "no_room" || this.problem?.code === "unreachable") {
      this.retry = setTimeout(() => void this.console_.start(), NO_ROOM_RETRY_MS);
    }
  }

  private onSession(session: Session): void {
    const before = this.session?.state;
    this.session = session;
    if (isOver(session)) this.ports = [];
    const waits = this.problem !== null && ["no_room", "paused"].includes(this.problem.code);
    if (waits && before !== "running" && session.state === "running") this.startAgain();
  }

  private startAgain(): void {
    clearTimeout(this.retry);
    this.problem = null;
    if (isOver(this.session)) {
      this.session = null;
      this.sessionId = "";
    }
    void this.console_.start();
  }

  private onStarted(): void {
    this.problem = null;
    void this.findSession();
  }

  /** The kernel's stream and the session's events tell of the connection; a terminal may end by itself. */
  private onLink(from: string, state: LinkState, code?: number): void {
    if (from !== "madang-terminal" && code !== 1000) {
      this.links.set(from, state);
      const all = [...this.links.values()];
      this.link = all.every((one) => one === "open") ? "open" : all.includes("connecting") ? "connecting" : "closed";
      this.wasOpen ||= this.link === "open";
    }
    if (code === 4401 || code === 4403) this.problem = { code: "signed_out", words: this.t("notYours") };
    if (code === 4410) void this.lookAtEnd();
  }

  /** Why a stream said that the session is over. */
  private async lookAtEnd(): Promise<void> {
    if (!this.sessionId) return;
    try {
      this.session = await request<Session>(`/api/v1/sessions/${this.sessionId}`);
    } catch (error) {
      this.fail(error);
    }
  }

  // Files and running

  private async openFirst(): Promise<void> {
    const stored = readOpen(this.project);
    if (stored) {
      this.files = stored;
      if (stored.active) this.show("editor");
      return;
    }
    try {
      const entries = await list(this.slug);
      const first = entries.find(({ name }) => name === this.first) ?? entries.find(({ name }) => canRun(name, this.runs) && !name.endsWith(".ipynb"));
      if (first) this.open(first.path, false);
    } catch {
      return; // the file list says what is wrong
    }
  }

  open(path: string, focus = true): void {
    this.setFiles(opened(this.files, path));
    this.show("editor");
    if (focus) void this.updateComplete.then(() => this.editor()?.focus());
  }

  private setFiles(files: OpenFiles): void {
    this.files = files;
    this.cursor = null;
    if (!files.active && this.inFront === "editor") this.inFront = "console";
    keepOpen(this.project, files);
  }

  private async closeFile(path: string): Promise<void> {
    const editor = this.editor(path);
    if (editor && this.saveStates.get(path) !== "saved" && this.saveStates.has(path) && !(await editor.save())) return;
    this.saveStates.delete(path);
    this.setFiles(closed(this.files, path));
  }

  private onRenamed(from: string, to: string): void {
    for (const editor of this.renderRoot.querySelectorAll("madang-editor")) {
      if (editor.path === from || editor.path.startsWith(`${from}/`)) editor.moveTo(to + editor.path.slice(from.length));
    }
    this.setFiles(renamed(this.files, from, to));
  }

  editor(path = this.files.active): MadangEditor | null {
    return [...this.renderRoot.querySelectorAll("madang-editor")].find((one) => one.path === path) ?? null;
  }

  get runnable(): boolean {
    return this.inFront === "editor" && canRun(this.files.active, this.runs);
  }

  async run(): Promise<void> {
    if (this.inFront === "console") {
      this.console_.submit();
      return;
    }
    const { active } = this.files;
    if (!canRun(active, this.runs) || !(await this.editor(active)?.save())) return;
    this.show("console");
    this.console_.run(runLine(active.slice(this.slug.length + 1), this.kernel));
  }

  interrupt(): void {
    void this.console_.interrupt();
  }

  restartKernel(): void {
    this.show("console");
    this.console_.askToRestart();
  }

  stop(): void {
    this.show("session");
    this.usage.askToStop();
  }

  // Panels, keys, language, theme

  show(pane: Pane): void {
    this.pane = pane;
    if (pane === "editor" || pane === "console") this.inFront = pane;
  }

  goTo(pane: Pane): void {
    this.show(pane);
    const target: Record<Pane, () => HTMLElement | null> = {
      files: () => this.tree,
      editor: () => this.editor(),
      console: () => this.console_,
      terminal: () => this.terminals,
      session: () => this.renderRoot.querySelector<HTMLElement>(".usage button, .usage"),
    };
    void this.updateComplete.then(() => target[pane]()?.focus());
  }

  private onKey(event: KeyboardEvent): void {
    const mod = event.ctrlKey || event.metaKey;
    if (event.key === "F6") {
      const now = this.paneOf(document.activeElement === this ? this.shadowRoot?.activeElement : null);
      const step = event.shiftKey ? PANES.length - 1 : 1;
      this.goTo(PANES[(PANES.indexOf(now) + step) % PANES.length] ?? "files");
    } else if (mod && event.altKey && /^Digit[1-4]$/.test(event.code)) {
      this.goTo(PANES[Number(event.code.slice(-1)) - 1] ?? "files");
    } else if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s") {
      void this.editor()?.save();
    } else if (event.key === "?" && !typing(event)) {
      this.help();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private paneOf(active: Element | null | undefined): Pane {
    if (active?.closest(".files")) return "files";
    if (active?.closest(".right")) return "terminal";
    return active?.localName === "madang-editor" ? "editor" : active?.closest(".centre") ? "console" : "terminal";
  }

  help(): void {
    this.renderRoot.querySelector<HTMLDialogElement>("#shortcuts")?.showModal();
  }

  async speak(language: Language): Promise<void> {
    this.language = language;
    document.documentElement.lang = language;
    const form = new URLSearchParams({ language, next: location.pathname });
    try {
      // The choice holds for all pages.
      await send("/language", { method: "POST", form });
    } catch {
      return; // it holds for this page
    }
  }

  toggleTheme(): void {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("madang-theme", root.dataset.theme);
    } catch {
      return; // it holds for this page
    }
  }

  /** For the templates beside this file. */
  say(key: Key, values?: Record<string, string | number>): string {
    return this.t(key, values);
  }

  get speaks(): Language {
    return this.languageCode;
  }

  override render(): TemplateResult {
    const { left, right, bottom } = this.sizes;
    return html`<div class="frame">${workspaceBar(this)}
      <div class="notes">${this.notes()}</div>
      <main data-pane=${this.pane} style="--left:${left}px;--right:${right}%;--bottom:${bottom}px"
        @madang-link=${(event: CustomEvent<{ state: LinkState; code?: number }>) => { this.onLink((event.composedPath()[0] as HTMLElement).localName, event.detail.state, event.detail.code); }}>
        <section class="files" aria-label=${this.t("files")}><madang-files slug=${this.slug} current=${this.inFront === "editor" ? this.files.active : ""}
          upload-limit=${this.uploadLimit} language=${this.language} @madang-open=${(event: CustomEvent<{ path: string }>) => { this.open(event.detail.path); }}
          @madang-renamed=${(event: CustomEvent<{ from: string; to: string }>) => { this.onRenamed(event.detail.from, event.detail.to); }}
          @madang-removed=${(event: CustomEvent<{ path: string }>) => { this.setFiles(closed(this.files, event.detail.path)); }}></madang-files>
          <madang-ports session=${this.sessionId} .ports=${this.ports} language=${this.language}></madang-ports></section>
        ${this.separator("left")}
        ${this.centre()}
        ${this.separator("right")}
        <section class="right" aria-label=${this.t("terminal")}>
          <madang-terminals session=${this.session?.state === "running" || this.session?.state === "paused" ? this.sessionId : ""} slug=${this.slug} language=${this.language}></madang-terminals>
          ${this.separator("bottom")}
          <div class="usage"><div class="tabs"><h2>${this.t("session")}</h2></div>
            <madang-usage session=${this.sessionId} language=${this.language} @madang-soon=${(event: CustomEvent<{ left: string }>) => { this.left = event.detail.left; }} @madang-ports=${(event: CustomEvent<{ ports: Port[] }>) => { this.ports = event.detail.ports; }} @madang-session=${(event: CustomEvent<{ session: Session }>) => { this.onSession(event.detail.session); }}></madang-usage>${workspacePhoneMore(this)}</div>
        </section>
      </main>
      ${workspaceFoot(this)}${workspacePhoneBar(this)}</div>${shortcutList((key) => this.t(key))}`;
  }

  private separator(which: keyof Sizes): TemplateResult {
    return separator(which, this.sizes, this.t("resizePanel"), () => this.main.clientWidth, (sizes) => { this.sizes = sizes; });
  }

  private notes(): TemplateResult | typeof nothing {
    const { session } = this;
    if (this.problem?.code === "signed_out") {
      return html`<div class="note bad" role="alert"><span>${this.problem.words}</span><a href="/accounts/login/?next=${encodeURIComponent(location.pathname)}">${this.t("signIn")}</a></div>`;
    }
    if (session && isOver(session)) {
      const why = session.reason === "idle" ? this.t("whyIdle") : session.reason === "owner" ? "" : (session.detail ?? "");
      return html`<div class="note ${session.state === "failed" ? "bad" : ""}" role="status"><span><b>${this.t(session.state === "failed" ? "sessionFailed" : "sessionStopped")}</b> ${why} ${this.t("filesAreSafe")}</span>
        <button class="primary" @click=${() => { this.startAgain(); }}>${this.t("startAgain")}</button></div>`;
    }
    if (session?.state === "paused") {
      return html`<div class="note" role="status"><span>${this.t("pausedHere")}</span>
        <button class="primary" @click=${() => void this.usage.pauseOrResume()}>${icon("play")}${this.t("resume")}</button></div>`;
    }
    const limit = session?.state === "running" ? LIMITS[session.reason] : undefined;
    if (limit) return html`<div class="note bad" role="status"><span>${this.t(limit)}</span></div>`;
    if (this.problem && !session && !(this.inFront === "console" && this.pane === "console")) {
      return html`<div class="note bad" role="alert"><span><b>${this.t("startFailed")}</b> ${this.problem.words}</span>
        <button class="primary" @click=${() => { this.startAgain(); }}>${this.t("tryAgain")}</button></div>`;
    }
    return nothing;
  }

  private centre(): TemplateResult {
    const showConsole = this.inFront === "console";
    return html`<section class="centre" aria-label=${this.t(showConsole ? "console" : "editor")}>
      <div class="tabs" @keydown=${arrows}>${tablist(`${this.t("console")}, ${this.t("editor")}`, this.files.paths.length + 1)}
        <div class="tab console ${showConsole ? "on" : ""}"><button role="tab" id="tab-0" aria-selected=${showConsole} tabindex=${showConsole ? 0 : -1}
          @click=${() => { this.goTo("console"); }}>${icon("console")}${this.t("console")}</button></div>
        ${repeat(this.files.paths, (path) => path, (path, at) => this.fileTab(path, at + 1))}
      </div>
      <div class="panes">
        <madang-console slug=${this.slug} kernel=${this.kernel} file=${this.first} language=${this.language} ?hidden=${!showConsole}
          @madang-kernel=${(event: CustomEvent<{ state: KernelState }>) => { this.onKernel(event.detail.state); }}
          @madang-started=${() => { this.onStarted(); }} @madang-start-failed=${(event: CustomEvent<{ error: unknown }>) => void this.onStartFailed(event.detail.error)}></madang-console>
        ${!this.files.active ? html`<div class="empty" ?hidden=${showConsole}><b>${this.t("nothingOpen")}</b><span>${this.t("nothingOpenHint")}</span></div>` : nothing}
        ${repeat(this.files.paths, (path) => path, (path) => html`<madang-editor path=${path} language=${this.language} ?hidden=${showConsole || path !== this.files.active}
          @madang-save-state=${(event: CustomEvent<{ path: string; state: SaveState }>) => { this.saveStates = new Map(this.saveStates).set(event.detail.path, event.detail.state); }}
          @madang-cursor=${(event: CustomEvent<{ line: number; column: number }>) => { if (path === this.files.active) this.cursor = event.detail; }}
          @madang-run=${() => void this.run()}></madang-editor>`)}
      </div></section>`;
  }

  private onKernel(state: KernelState): void {
    if (this.kernelState === "busy" && state === "idle") {
      void this.tree.refresh(); // what ran may have written files
      void this.editor()?.look();
    }
    this.kernelState = state;
  }

  private fileTab(path: string, at: number): TemplateResult {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const on = this.inFront === "editor" && path === this.files.active;
    const changed = (this.saveStates.get(path) ?? "saved") !== "saved";
    return html`<div class="tab ${on ? "on" : ""}"><button role="tab" id="tab-${at}" aria-selected=${on} tabindex=${on ? 0 : -1} title=${path}
        @click=${() => { this.open(path); }} @auxclick=${(event: MouseEvent) => { if (event.button === 1) void this.closeFile(path); }}>${name}${changed ? html`<span aria-label=${this.t("unsaved")}>•</span>` : nothing}</button>
      <button class="x" tabindex=${on ? 0 : -1} aria-label=${this.t("closeTab", { name })} @click=${() => void this.closeFile(path)}>${icon("close")}</button></div>`;
  }
}

/** What a running session says when it has reached one of its limits. */
const LIMITS: Partial<Record<string, Key>> = { disk_full: "diskFull", processes_full: "processesFull", memory_full: "memoryFull" };

function typing(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-workspace": MadangWorkspace;
  }
}
