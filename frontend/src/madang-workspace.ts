/** The workspace of a project: files, editors, console, terminals, what the session uses.
 *
 * Attributes: `project` (id), `slug`, `name`, `image`, `kernel`, `owner`, `person` (names), `language` ("en", "ko"), `csrf`, `upload-limit`, `readonly`, `manages`.
 * Events: none leave it. CSS variables: those of tokens.css. */
import { html, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError, request, setCsrf } from "./api.js";
import { list } from "./contents.js";
import { linkTo, placeOfPage, terminalOfPage } from "./deep-links.js";
import { MadangElement } from "./element.js";
import type { Key, Language } from "./i18n.js";
import { hasOtherImage, switchImage } from "./image-switch.js";
import { keepLanguage } from "./page-choices.js";
import { readSizes, separator, separatorStyle, type Sizes } from "./layout.js";
import type { LinkState } from "./link.js";
import "./madang-console.js";
import type { MadangConsole } from "./madang-console.js";
import { CONSOLE, fileTab, pathOfTab } from "./file-view.js";
import { activeTab, allTabs, behind, closed, type Groups, keepGroups, oneGroup, readGroups, renamed, shown } from "./groups.js";
import type { SaveState } from "./madang-editor.js";
import "./madang-files.js";
import type { MadangFiles } from "./madang-files.js";
import "./madang-palette.js";
import type { MadangPalette } from "./madang-palette.js";
import "./madang-ports.js";
import type { MadangSharing } from "./madang-sharing.js";
import "./madang-tabs.js";
import type { MadangTabs } from "./madang-tabs.js";
import "./madang-terminals.js";
import type { MadangTerminals } from "./madang-terminals.js";
import "./tools/madang-tools.js";
import type { MadangTools } from "./tools/madang-tools.js";
import "./madang-usage.js";
import type { MadangUsage, Now } from "./madang-usage.js";
import type { OpenFiles } from "./open-files.js";
import { type View, viewOf } from "./open-views.js";
import type { FileView } from "./openers.js";
import type { Companion, Here } from "./people.js";
import { names } from "./project-files.js";
import { type Port, portOfTab, type Share } from "./ports.js";
import { canRun, runLine } from "./run-file.js";
import { sessionWith } from "./session-slots.js";
import { shortcutList } from "./shortcuts.js";
import { shared } from "./styles.js";
import type { KernelState } from "./transcript.js";
import { isOver, latest, type Session } from "./usage-model.js";
import { type Side, workspaceSide } from "./workspace-side.js";
import { commandsOf } from "./workspace-commands.js";
import { workspaceBar, workspaceFoot, workspacePhoneBar, workspacePhoneMore } from "./workspace-bars.js";
import { workspaceCentre } from "./workspace-centre.js";
import { workspaceHistory } from "./workspace-history.js";
import { onWorkspaceKey } from "./workspace-keys.js";
import { workspaceNotes } from "./workspace-notes.js";
import { WorkspacePorts } from "./workspace-ports.js";
import { workspaceStyle } from "./workspace-style.js";

export type Pane = "files" | "editor" | "console" | "terminal" | "session";
const NO_ROOM_RETRY_MS = 3000;

@customElement("madang-workspace")
export class MadangWorkspace extends MadangElement {
  static override styles = [shared, separatorStyle, workspaceStyle];

  @property() project = "";
  @property() slug = "";
  @property() name = "";
  @property() image = "";
  @property() kernel = "python3";
  /** The endings of the files that the kernel runs, and the name of a new project's first file. */
  @property() runs = ".py .ipynb";
  @property() first = "main.py";
  @property() owner = "";
  /** Who looks at it: the author of commits. */
  @property() person = "";
  @property() csrf = "";
  @property({ type: Number, attribute: "upload-limit" }) uploadLimit = 0;
  /** The person may look at the project and not change or run it. */
  @property({ type: Boolean }) readonly = false;
  /** The person is its owner: they say who may see what. */
  @property({ type: Boolean }) manages = false;

  @state() session: Session | null = null;
  @state() groups: Groups = oneGroup(CONSOLE);
  /** What the session uses now, where that is known. */
  @state() now: Now | null = null;
  @state() views: readonly View[] = [];
  @state() side: Side = "files";
  @state() pane: Pane = "console";
  @state() kernelState: KernelState = "unknown";
  @state() link: LinkState = "connecting";
  /** Was there a connection before? Then a missing one is a lost one. */
  wasOpen = false;
  @state() cursor: { line: number; column: number } | null = null;
  /** Who else has which file open. */
  @state() people: readonly Here[] = [];
  /** What the kernels of open notebooks do, by path. */
  @state() private notebooks = new Map<string, string>();
  @state() saveStates = new Map<string, SaveState>();
  /** The time left to an idle session, in words, when it is short. */
  @state() left = "";
  @state() sessionId = "";
  /** The terminal that the page's address leads to. */
  private readonly wanted = terminalOfPage(location);
  /** Whose history is shown over everything. */
  @state() historyOf = "";
  @state() private sizes: Sizes = readSizes();
  /** Why there is no session, or none that this page may use. */
  @state() problem: { code: string; words: string } | null = null;

  @query("madang-tabs") tabs!: MadangTabs;
  @query("madang-palette") palette!: MadangPalette;
  @query("madang-console") console_!: MadangConsole;
  @query("madang-files") tree!: MadangFiles;
  @query("madang-terminals") terminals!: MadangTerminals;
  @query("madang-tools") tools!: MadangTools;
  @query("madang-usage") usage!: MadangUsage;
  @query("main") private main!: HTMLElement;
  readonly ports = new WorkspacePorts(this);
  /** Has the person gone somewhere by themselves? What opens at the beginning does not take them away from it. */
  chose = false;
  private lastFile = "";
  private links = new Map<string, LinkState>();
  private retry: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    setCsrf(this.csrf);
    this.listen(window, "keydown", (event) => { onWorkspaceKey(this, event as KeyboardEvent); }, { capture: true });
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
    if (known && error.code !== "not_allowed" && (error.status === 401 || error.status === 403)) this.problem = { code: "signed_out", words: this.t("notYours") };
    else this.problem = { code: known ? error.code : "", words: known ? [error.message, error.hint].filter(Boolean).join(" ") : String(error) };
  }

  async onStartFailed(error: unknown): Promise<void> {
    await this.findSession();
    this.fail(error);
    clearTimeout(this.retry);
    if (this.problem?.code === "no_room" || this.problem?.code === "unreachable") {
      this.retry = setTimeout(() => void this.console_.start(), NO_ROOM_RETRY_MS);
    }
  }

  private onSession(session: Session): void {
    const before = this.session?.state;
    this.session = latest(this.session, session);
    if (isOver(session)) this.ports.forget();
    const waits = this.problem !== null && ["no_room", "paused"].includes(this.problem.code);
    if (waits && before !== "running" && session.state === "running") void this.startAgain();
  }

  private async changeSlots(slots: { cpu: number; memory: number }): Promise<void> {
    try {
      this.session = await sessionWith(this.project, this.sessionId, slots);
      this.sessionId = this.session.id;
      this.problem = null;
      void this.console_.start();
    } catch (error) {
      this.usage.tell(error);
    }
  }

  async startAgain(): Promise<void> {
    clearTimeout(this.retry);
    if (await hasOtherImage(this.project, this.image)) {
      location.reload(); // what this page knows of its image came with it
      return;
    }
    this.problem = null;
    if (isOver(this.session)) {
      this.session = null;
      this.sessionId = "";
    }
    void this.console_.start();
  }

  onStarted(): void {
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
      this.onSession(await request<Session>(`/api/v1/sessions/${this.sessionId}`));
    } catch (error) {
      this.fail(error);
    }
  }

  // Files and running

  /** What was open here last, or the project's first file; and what the page's address names. */
  private async openFirst(): Promise<void> {
    const place = placeOfPage(location);
    const stored = readGroups(this.project);
    if (stored) await this.restore(stored);
    if (place) await this.open(`${this.slug}/${place.path}`, { ...place, unless: () => this.chose });
    else if (!stored) await this.openHello();
    if (this.wanted) this.goTo("terminal");
  }

  private async restore(stored: Groups): Promise<void> {
    const paths = allTabs(stored).map(pathOfTab).filter(Boolean);
    const found = await Promise.all(paths.map((path) => viewOf(path)));
    this.views = [...this.views, ...found.filter(({ path }) => !this.views.some((view) => view.path === path))];
    const known = closed(stored, (tab) => tab !== CONSOLE && !pathOfTab(tab) && !portOfTab(tab));
    const whole = allTabs(known).includes(CONSOLE) ? known : shown(known, CONSOLE);
    this.groups = this.chose && (this.pane === "console" || this.pane === "editor") ? shown(whole, activeTab(this.groups)) : whole;
    if (!this.chose && activeTab(this.groups) !== CONSOLE) this.pane = "editor";
  }

  private async openHello(): Promise<void> {
    try {
      const entries = await list(this.slug);
      const first = entries.find(({ name }) => name === this.first) ?? entries.find(({ name }) => canRun(name, this.runs) && !name.endsWith(".ipynb"));
      if (!first) return;
      await this.open(first.path, { unless: () => this.chose });
    } catch {
      return; // the file list says what is wrong
    }
  }

  /** Go where that person is, and keep them in sight. */
  async follow({ path, client }: Companion): Promise<void> {
    await this.open(path);
    this.editor(path)?.follow?.(client);
  }

  /** Open `path`, at a place of it where one is given, and in the element of `opener` where that can; behind what is
   * in front where `unless` says so in the end. */
  async open(path: string, { line = 0, column = 1, focus = false, opener = "", unless = (): boolean => false } = {}): Promise<void> {
    const now = this.views.find((view) => view.path === path);
    if (!now || (opener && now.opener.id !== opener)) {
      const view = await viewOf(path, opener);
      this.views = [...this.views.filter((one) => one.path !== path), view];
    }
    if (unless()) {
      this.setGroups(behind(this.groups, fileTab(path)));
      return;
    }
    this.setGroups(shown(this.groups, fileTab(path)));
    this.pane = "editor";
    await this.drawn();
    const element = this.editor(path);
    if (line > 0) element?.reveal?.(line, column);
    else if (focus) element?.focus();
  }

  setGroups(groups: Groups): void {
    if (activeTab(groups) !== activeTab(this.groups)) this.cursor = null;
    this.groups = groups;
    this.lastFile = this.files.active;
    if (this.pane === "editor" || this.pane === "console") this.pane = this.inFront;
    keepGroups(this.project, groups);
    const file = portOfTab(activeTab(groups)) ? "" : this.files.active.slice(this.slug.length + 1);
    history.replaceState(null, "", linkTo(location, file));
  }

  /** A file or a folder is no longer there. */
  gone(path: string): void {
    const inside = (one: string): boolean => one === path || one.startsWith(`${path}/`);
    this.views = this.views.filter((view) => !inside(view.path));
    this.setGroups(closed(this.groups, (tab) => inside(pathOfTab(tab))));
  }

  async closeTab(tab: string): Promise<void> {
    this.ports.close(portOfTab(tab));
    const path = pathOfTab(tab);
    const element = this.editor(path);
    if (!path || (this.saveStates.get(path) !== "saved" && this.saveStates.has(path) && element?.save && !(await element.save()))) return;
    this.saveStates.delete(path);
    this.gone(path);
  }

  onRenamed(from: string, to: string): void {
    const move = (one: string): string => (one === from || one.startsWith(`${from}/`) ? to + one.slice(from.length) : one);
    for (const { path } of this.views) if (move(path) !== path) this.editor(path)?.moveTo?.(move(path));
    this.views = this.views.map((view) => ({ ...view, path: move(view.path) }));
    this.lastFile = move(this.lastFile);
    this.tools.moved(from, to);
    this.setGroups(renamed(this.groups, (tab) => (pathOfTab(tab) ? fileTab(move(pathOfTab(tab))) : tab)));
  }

  editor(path = this.files.active): FileView | null {
    return [...this.tabs.querySelectorAll<FileView>("[slot^='file:']")].find((one) => one.path === path) ?? null;
  }

  /** The open files, the one that Run and Save mean first in mind: in front here, else of another group, else the
   * one that was last. */
  get files(): OpenFiles {
    const { groups, at } = this.groups;
    const front = [groups[at], ...groups].map((group) => pathOfTab(group?.active ?? "")).find(Boolean);
    const paths = this.views.map(({ path }) => path);
    return { paths, active: front ?? (paths.includes(this.lastFile) ? this.lastFile : (paths[0] ?? "")) };
  }

  get inFront(): "editor" | "console" {
    return activeTab(this.groups) === CONSOLE ? "console" : "editor";
  }

  /** What is in front and has a kernel of its own: a notebook. */
  get notebook(): FileView | null {
    const view = this.inFront === "editor" ? this.editor() : null;
    return view?.runAll ? view : null;
  }

  /** What the kernel does of what is in front: a notebook's own, else the console's. */
  get kernelInFront(): string {
    return this.notebook ? (this.notebooks.get(this.files.active) ?? "none") : this.kernelState;
  }

  get busy(): boolean {
    return this.kernelInFront === "busy";
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
    if (this.notebook) {
      this.notebook.runAll?.();
      return;
    }
    if (!canRun(active, this.runs) || !((await this.editor(active)?.save?.()) ?? true)) return;
    this.show("console");
    this.console_.run(runLine(active.slice(this.slug.length + 1), this.kernel));
  }

  interrupt(): void {
    if (this.notebook) this.notebook.interrupt?.();
    else void this.console_.interrupt();
  }

  restartKernel(): void {
    if (this.notebook) {
      this.notebook.restart?.();
      return;
    }
    this.show("console");
    this.console_.askToRestart();
  }

  stop(): void {
    this.show("session");
    this.usage.askToStop();
  }

  // Panels, keys, language, theme

  show(pane: Pane): void {
    this.chose = true;
    const file = this.files.active;
    this.pane = pane;
    if (pane === "console") this.setGroups(shown(this.groups, CONSOLE));
    else if (pane === "editor" && file) this.setGroups(shown(this.groups, fileTab(file)));
  }

  /** Until what is in front is in sight, and can have the focus. */
  async drawn(): Promise<void> {
    await this.updateComplete;
    await this.tabs.updateComplete;
  }

  goTo(pane: Pane): void {
    this.show(pane);
    const target: Record<Pane, () => HTMLElement | null> = {
      files: () => this.renderRoot.querySelector<HTMLElement>(`.files > .side > :not([hidden])`),
      editor: () => this.editor(),
      console: () => this.console_,
      terminal: () => this.terminals,
      session: () => this.renderRoot.querySelector<HTMLElement>(".usage button, .usage"),
    };
    void this.drawn().then(() => target[pane]()?.focus());
  }

  showSide(side: Side): void {
    this.side = side;
    this.goTo("files");
  }

  async copyLink(): Promise<void> {
    const path = this.files.active.slice(this.slug.length + 1);
    await navigator.clipboard.writeText(new URL(linkTo(location, path, this.cursor?.line ?? 0), location.href).href);
  }

  async share(): Promise<void> {
    await import("./madang-sharing.js");
    await this.renderRoot.querySelector<MadangSharing>("madang-sharing")?.show();
  }

  help(): void {
    this.renderRoot.querySelector<HTMLDialogElement>("#shortcuts")?.showModal();
  }

  async speak(language: Language): Promise<void> {
    this.language = language;
    await keepLanguage(language);
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
      <div class="notes">${workspaceNotes(this)}</div>
      <main data-pane=${this.pane} style="--left:${left}px;--right:${right}%;--bottom:${bottom}px"
        @madang-link=${(event: CustomEvent<{ state: LinkState; code?: number }>) => { this.onLink((event.composedPath()[0] as HTMLElement).localName, event.detail.state, event.detail.code); }}>
        ${workspaceSide(this)}
        ${this.separator("left")}
        ${workspaceCentre(this)}
        ${this.separator("right")}
        <section class="right" aria-label=${this.t("terminal")}>
          <madang-terminals session=${this.session?.state === "running" || this.session?.state === "paused" ? this.sessionId : ""} slug=${this.slug} wanted=${this.wanted} language=${this.language}></madang-terminals>
          ${this.separator("bottom")}
          <div class="usage"><div class="tabs"><h2>${this.t("session")}</h2></div>
            <madang-usage session=${this.sessionId} project=${this.project} image=${this.image} ?manages=${this.manages} .switchImage=${(image: string) => switchImage(this, image)} language=${this.language} @madang-slots=${(event: CustomEvent<{ slots: { cpu: number; memory: number } }>) => void this.changeSlots(event.detail.slots)} @madang-now=${(event: CustomEvent<Now>) => { this.now = event.detail; }} @madang-soon=${(event: CustomEvent<{ left: string }>) => { this.left = event.detail.left; }} @madang-ports=${(event: CustomEvent<{ ports: Port[] }>) => { this.ports.take(event.detail.ports); }} @madang-shares=${(event: CustomEvent<{ shares: Share[] }>) => { this.ports.takeShares(event.detail.shares); }} @madang-session=${(event: CustomEvent<{ session: Session }>) => { this.onSession(event.detail.session); }}></madang-usage>${workspacePhoneMore(this)}</div>
        </section>
      </main>
      ${workspaceFoot(this)}${workspacePhoneBar(this)}${this.ports.note()}</div>${shortcutList((key) => this.t(key))}
      <madang-sharing project=${this.project} language=${this.language}></madang-sharing>
      <madang-palette language=${this.language} .commands=${commandsOf(this)} .files=${() => names(this.project)}
        @madang-open=${(event: CustomEvent<{ path: string; line: number; column: number }>) => void this.open(`${this.slug}/${event.detail.path}`, { ...event.detail, focus: true })}></madang-palette>${workspaceHistory(this)}`;
  }

  private separator(which: keyof Sizes): TemplateResult {
    return separator(which, this.sizes, this.t("resizePanel"), () => this.main.clientWidth, (sizes) => { this.sizes = sizes; });
  }

  /** Files have changed on disk. */
  lookAgain(): void {
    void this.tree.refresh();
    for (const { path } of this.views) void this.editor(path)?.look?.();
  }

  /** The kernel of a notebook does something else now. */
  onNotebook(path: string, state: string): void {
    if (this.notebooks.get(path) === "busy" && state !== "busy") void this.tree.refresh();
    if (state === "starting") void this.findSession();
    this.notebooks = new Map(this.notebooks).set(path, state);
  }

  onKernel(state: KernelState): void {
    if (this.kernelState === "busy" && state === "idle") {
      this.lookAgain(); // what ran may have written files
    }
    this.kernelState = state;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-workspace": MadangWorkspace;
  }
}
