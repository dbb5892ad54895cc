/** Below the editor: the output of a file that was run, what is wrong in the open files, and git.
 *
 * Attributes: `session` (id; empty while none runs), `image` (name), `slug`, `file` (in front, with the slug), `author`,
 * `language`, `open` (is more than the bar shown?). Events: `madang-open` {path}, `madang-files-changed`,
 * `madang-save-first` {path, done} (its editor saves and then calls `done`). CSS variables: those of tokens.css. */
import type { Extension } from "@codemirror/state";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError } from "../api.js";
import { MadangElement } from "../element.js";
import "../git/madang-git.js";
import type { MadangGit } from "../git/madang-git.js";
import { icon } from "../icons.js";
import type { Problem } from "../servers/diagnostics.js";
import type { Servers } from "../servers/servers.js";
import { hasEnding } from "../servers/uris.js";
import { shared } from "../styles.js";
import { arrows, tablist } from "../tabs.js";
import { tabsStyle } from "../tabs-style.js";
import { type Image, imageNamed } from "./images.js";
import "./madang-run.js";
import type { MadangRun } from "./madang-run.js";
import { toolsStyle } from "./tools-style.js";

type Tab = "output" | "problems" | "git";
const TABS: readonly Tab[] = ["output", "problems", "git"];

const NOT_ASKED = { image: "", answer: Promise.resolve<Image | null>(null) };

@customElement("madang-tools")
export class MadangTools extends MadangElement {
  static override styles = [shared, tabsStyle, toolsStyle];

  @property() session = "";
  @property() image = "";
  @property() slug = "";
  @property() file = "";
  @property() author = "";
  @property({ type: Boolean, reflect: true }) open = false;
  @property({ type: Boolean, reflect: true }) large = false;
  @state() private tab: Tab = "output";
  @state() private problems: readonly Problem[] = [];
  @state() private states: readonly [string, string][] = [];
  @state() private offered: Image | null = null;
  @state() private branch = "";
  @state() private changes = 0;
  @query("madang-git") private git!: MadangGit;
  @query("madang-run") private running!: MadangRun;
  private asked = NOT_ASKED;
  private servers: Servers | null = null;
  private loading: Promise<Servers> | null = null;

  /** What an editor of `path` needs to ask language servers. */
  readonly extend = async (path: string): Promise<Extension> => (await this.load()).extension(path);

  moved(from: string, to: string): void {
    this.servers?.moved(from, to);
  }

  /** A file has been saved. */
  saved(path: string): void {
    this.servers?.saved(path);
    void this.git.refresh();
  }

  show(tab: Tab): void {
    this.tab = tab;
    this.open = true;
    if (tab === "git") void this.git.refresh();
  }

  get runnable(): boolean {
    return this.offered?.languages.some(({ extensions }) => hasEnding(this.file, extensions)) ?? false;
  }

  /** Lay out the file in front. */
  async format(): Promise<void> {
    await (await this.load()).formatFile(this.file);
  }

  /** Save and run a file (by default the one in front) here. */
  run(path = this.file): void {
    if (!path || !this.session) return;
    this.show("output");
    this.emit("madang-save-first", { path, done: () => void this.running.run(path) });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("image") || changed.has("session")) void this.prepare();
  }

  private async prepare(): Promise<void> {
    const { session, image } = this;
    try {
      if (this.asked.image !== image) this.asked = { image, answer: image ? imageNamed(image) : Promise.resolve(null) };
      this.offered = await this.asked.answer;
    } catch (error) {
      this.asked = NOT_ASKED;
      if (!(error instanceof ApiError)) throw error; // the workspace says what is wrong with the connection
    }
    if (session === this.session) this.servers?.use(session, this.offered);
  }

  private load(): Promise<Servers> {
    this.loading ??= import("../servers/servers.js").then(({ Servers }) => {
      this.servers = new Servers(this.slug, {
        open: (path) => { this.emit("madang-open", { path }); },
        run: (path) => { this.run(`${this.slug}/${path}`); },
        changed: () => { this.look(); },
        say: (key, values) => this.t(key, values),
      });
      this.servers.use(this.session, this.offered);
      return this.servers;
    });
    return this.loading;
  }

  private look(): void {
    this.problems = this.servers?.problems ?? [];
    this.states = [...(this.servers?.states ?? [])];
  }

  private async goTo(path: string, line: number, column: number): Promise<void> {
    await (await this.load()).goTo(path, line, column);
  }

  override render(): TemplateResult {
    const name = this.file.slice(this.file.lastIndexOf("/") + 1);
    return html`<div class="tabs" @keydown=${arrows}>${tablist(this.t("tools"), TABS.length)}
        <button class="icon quiet go" title="${this.t("runInPlace", { name })} (F5)" aria-label=${this.t("runInPlace", { name })} ?disabled=${!this.session || !this.runnable} @click=${() => { this.run(); }}>${icon("play")}</button>
        ${TABS.map((tab, at) => this.head(tab, at))}<span class="space"></span>
        ${this.states.map(([language, why]) => this.server(language, why))}
        ${this.open ? html`<button class="icon quiet" title=${this.t(this.large ? "smallerTools" : "largerTools")} aria-label=${this.t(this.large ? "smallerTools" : "largerTools")} @click=${() => { this.large = !this.large; }}>${icon(this.large ? "smaller" : "larger")}</button>
          <button class="icon quiet" title=${this.t("hideTools")} aria-label=${this.t("hideTools")} @click=${() => { this.open = this.large = false; }}>${icon("down")}</button>` : nothing}</div>
      <div class="body" ?hidden=${!this.open}>
        <madang-run session=${this.session} slug=${this.slug} language=${this.language} ?hidden=${this.tab !== "output"}
          @madang-marks=${async (event: CustomEvent<Parameters<Servers["mark"]>[0]>) => { (await this.load()).mark(event.detail); }}
          @madang-place=${(event: CustomEvent<{ path: string; line: number; column: number }>) => void this.goTo(event.detail.path, event.detail.line, event.detail.column)}></madang-run>
        <div class="problems" role="tabpanel" ?hidden=${this.tab !== "problems"}>${this.list()}</div>
        <madang-git session=${this.session} author=${this.author} language=${this.language} ?hidden=${this.tab !== "git"}
          @madang-branch=${(event: CustomEvent<{ branch: string; changes: number }>) => { ({ branch: this.branch, changes: this.changes } = event.detail); }}></madang-git></div>`;
  }

  private head(tab: Tab, at: number): TemplateResult {
    const on = this.open && this.tab === tab;
    const bad = this.problems.filter(({ severity }) => severity === "error").length;
    const count = tab === "problems" ? this.problems.length : tab === "git" ? this.changes : 0;
    const word = tab === "git" && this.branch ? `${this.t("git")}: ${this.branch}` : this.t(tab);
    return html`<div class="tab ${on ? "on" : ""}"><button role="tab" id="tab-${at}" aria-selected=${on} tabindex=${on || (!this.open && at === 0) ? 0 : -1}
      @click=${() => { this.show(tab); }}>${word}${count ? html`<span class="count ${tab === "problems" && bad ? "bad" : ""}">${count}</span>` : nothing}</button></div>`;
  }

  private server(language: string, why: string): TemplateResult {
    const title = this.offered?.languages.find(({ name }) => name === language)?.title ?? language;
    if (!why) return html`<span class="state">● ${this.t("serverReady", { language: title })}</span>`;
    if (why === "starting") return html`<span class="state">◌ ${this.t("serverStarting", { language: title })}</span>`;
    return html`<span class="state bad" role="status" title=${this.t("serverWhy", { language: title, why })}>▲ ${this.t("serverAway", { language: title })}</span>`;
  }

  private list(): TemplateResult {
    if (this.problems.length === 0) return html`<div class="empty">${this.t("noProblems")}</div>`;
    return html`<ul>${this.problems.map(({ path, line, column, message, severity, source, code }) => html`<li><button aria-label=${this.t("problemAt", { message, line, name: path })}
      @click=${() => void this.goTo(path, line, column)}><i class="mark ${severity}"></i><span class="text">${message.split("\n")[0]} <span class="muted">${[source, code].filter(Boolean).join(" ")}</span></span>
      <span class="at">${path}:${line}:${column}</span></button></li>`)}</ul>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-tools": MadangTools;
  }
}
