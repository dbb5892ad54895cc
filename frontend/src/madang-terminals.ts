/** The terminals of a session as tabs: those of all who work in it, and who else is at which.
 *
 * Attributes: `session` (id; empty while there is none), `slug` (of the project), `wanted` (the name of the one to begin with), `language`.
 * Events: `madang-link` {state, code} of each. CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError, socketUrl } from "./api.js";
import { linkToTerminal } from "./deep-links.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { Link } from "./link.js";
import "./madang-menu.js";
import type { MadangMenu } from "./madang-menu.js";
import "./madang-terminal.js";
import type { MadangTerminal } from "./madang-terminal.js";
import { shared } from "./styles.js";
import { tabsStyle } from "./tabs-style.js";
import { arrows, tablist } from "./tabs.js";
import { cleanTitle } from "./terminal-questions.js";
import { type Company, endTerminal, listTerminals, newTerminal, readCompany } from "./terminals.js";

@customElement("madang-terminals")
export class MadangTerminals extends MadangElement {
  static override styles = [
    shared,
    tabsStyle,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; }
      .panes { position: relative; background: var(--term-ground); }
      .panes > * { position: absolute; inset: 0; }
      .panes.two > madang-terminal.upper { bottom: 50%; border-bottom: 1px solid var(--control-line); } .panes.two > madang-terminal.lower { top: 50%; }
      .tab input { min-height: 24px; margin: 4px 6px; width: 14ch; }
      .people { margin-left: auto; padding: 0 12px; display: flex; align-items: center; gap: 6px; flex: 0 1 auto; min-width: 6ch; color: var(--pine); white-space: nowrap; } .people span { overflow: hidden; text-overflow: ellipsis; }
      .tab .here { width: 7px; height: 7px; border-radius: 9px; background: var(--pine); flex: none; }
      .empty { color: var(--term-ink); align-content: start; } .empty b { color: inherit; }
    `,
  ];

  @property() session = "";
  @property() slug = "";
  @property() wanted = "";
  @state() private names: readonly string[] = [];
  /** Who else is at which, by the terminal's name. */
  @state() private people: Company = new Map();
  /** For a person who has the screen read aloud. */
  @state() private reader = readReader();
  @state() private active = "";
  /** The one that is shown below the active one; "" for none. */
  @state() private below = "";
  @state() private naming = "";
  /** Names that people gave. */
  @state() private given = new Map<string, string>();
  @query("madang-menu") private menu!: MadangMenu;
  @state() private titles = new Map<string, string>();
  @state() private phase: "waiting" | "ready" | "failed" = "waiting";
  @state() private problem = "";
  /** Those that were closed here and may still be told of. */
  private closing = new Set<string>();
  private link: Link | null = null;

  protected override updated(changed: PropertyValues): void {
    if (changed.has("session")) this.begin();
    else if (changed.has("wanted") && this.names.includes(this.wanted)) this.active = this.wanted;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.link?.close();
    this.link = null;
  }

  private begin(): void {
    this.link?.close();
    this.link = null;
    this.people = new Map();
    void this.find();
    const { session } = this;
    if (!session) return;
    this.link = new Link({
      url: () => socketUrl(`/api/v1/sessions/${encodeURIComponent(session)}/terminals`),
      onMessage: (data) => { if (typeof data === "string") this.meet(readCompany(data)); },
    });
  }

  /** Others open terminals too, and come to them. */
  private meet(company: Company): void {
    this.people = company;
    for (const name of this.closing) if (!company.has(name)) this.closing.delete(name);
    if (this.phase !== "ready") return;
    const fresh = [...company.keys()].filter((name) => !this.names.includes(name) && !this.closing.has(name));
    if (fresh.length === 0) return;
    this.names = [...this.names, ...fresh];
    this.active ||= fresh[0] ?? "";
  }

  override focus(): void {
    (this.shown ?? this.renderRoot.querySelector<HTMLElement>("button"))?.focus();
  }

  /** Those that run already; a session has at least one. */
  private async find(): Promise<void> {
    const { session } = this;
    this.names = [];
    this.titles = new Map();
    this.below = "";
    this.phase = "waiting";
    if (!session) return;
    this.given = readNames(session);
    try {
      const names = await listTerminals(session);
      if (session !== this.session) return;
      this.names = names;
      this.active = names.includes(this.wanted) ? this.wanted : (names[0] ?? "");
      this.phase = "ready";
      if (names.length === 0) await this.add(false);
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.phase = "failed";
    this.problem = error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(" ") : String(error);
  }

  /** Start another one, and go to it. */
  async add(focus = true): Promise<void> {
    try {
      const name = await newTerminal(this.slug);
      this.names = [...this.names.filter((one) => one !== name), name];
      this.active = name;
      this.phase = "ready";
      if (focus) {
        await this.updateComplete;
        this.focus();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  private async close(name: string): Promise<void> {
    const at = this.names.indexOf(name);
    this.closing.add(name);
    this.names = this.names.filter((one) => one !== name);
    if (this.active === name) this.active = this.names[Math.min(at, this.names.length - 1)] ?? "";
    try {
      await endTerminal(this.session, name);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) this.fail(error); // 404: it has ended by itself
    }
  }

  private async replace(name: string): Promise<void> {
    this.names = this.names.filter((one) => one !== name);
    await this.add();
  }

  private label(name: string): string {
    return this.given.get(name) ?? this.titles.get(name) ?? this.t("terminalN", { n: name });
  }

  private tabName(name: string): string {
    return this.given.get(name) ?? this.t("terminalN", { n: name });
  }

  private startNaming(name: string): void {
    this.naming = name;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLInputElement>(".tab input")?.select());
  }

  private endNaming(name: string, wanted: string): void {
    if (this.naming !== name) return;
    this.naming = "";
    const given = new Map(this.given);
    const clean = cleanTitle(wanted);
    if (clean) given.set(name, clean);
    else given.delete(name);
    this.given = given;
    keepNames(this.session, given);
  }

  private async split(name: string): Promise<void> {
    const other = this.names.find((one) => one !== name && one !== this.active) ?? this.names.find((one) => one !== name);
    this.active = name;
    if (other) this.below = other;
    else {
      await this.add(false);
      this.below = this.active;
      this.active = name;
    }
  }

  private showMenu(name: string, x: number, y: number): void {
    void this.menu.show([
      { label: this.t("rename"), keys: "F2", run: () => { this.startNaming(name); } },
      { label: this.t("findInTerminal"), keys: "Ctrl+Shift+F", run: () => { this.active = name; void this.updateComplete.then(() => { this.shown?.find(); }); } },
      this.below ? { label: this.t("unsplit"), run: () => { this.below = ""; } } : { label: this.t("splitBelow"), run: () => void this.split(name) },
      { label: this.t("copyTerminalLink"), run: () => void navigator.clipboard.writeText(linkToTerminal(location, name)) },
      { label: this.t(this.reader ? "readAloudOff" : "readAloud"), run: () => { this.readAloud(!this.reader); } },
      { label: this.t("close"), danger: true, run: () => void this.close(name) },
    ], x, y);
  }

  private readAloud(wanted: boolean): void {
    this.reader = wanted;
    keepReader(wanted);
  }

  private onTabKey(event: KeyboardEvent, name: string): void {
    if (event.key === "F2") this.startNaming(name);
    else if (event.key === "Delete") void this.close(name);
    else if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) {
      const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
      this.showMenu(name, left, bottom);
    } else return;
    event.preventDefault();
  }

  private get shown(): MadangTerminal | null {
    return [...this.renderRoot.querySelectorAll("madang-terminal")].find((one) => one.name === this.active) ?? null;
  }

  /** Are two to be seen? */
  private get two(): boolean {
    return this.below !== "" && this.below !== this.active && this.names.includes(this.below);
  }

  override render(): TemplateResult {
    return html`<div class="tabs" @keydown=${arrows}>
        ${tablist(this.t("terminal"), this.names.length)}
        ${repeat(this.names, (name) => name, (name, at) => this.tab(name, at))}
        ${this.session ? html`<button class="icon quiet" title=${this.t("newTerminal")} aria-label=${this.t("newTerminal")} @click=${() => void this.add()}>${icon("plus")}</button>` : nothing}${this.company(this.active)}</div>
      <div class="panes ${this.two ? "two" : ""}">${this.phase === "failed" ? html`<div class="empty" role="alert"><b>${this.t("terminalFailed")}</b><span>${this.problem}</span>
          <button @click=${() => void this.find()}>${this.t("tryAgain")}</button></div>` : nothing}
        ${this.phase === "waiting" && !this.session ? html`<div class="empty">${this.t("terminalsWait")}</div>` : nothing}
        ${this.phase === "ready" && this.names.length === 0 ? html`<div class="empty"><b>${this.t("noTerminals")}</b>
          <button @click=${() => void this.add()}>${this.t("newTerminal")}</button></div>` : nothing}
        ${repeat(this.names, (name) => name, (name) => html`<madang-terminal session=${this.session} name=${name} label=${this.label(name)} ?reader=${this.reader} language=${this.language} ?hidden=${name !== this.active && !(this.two && name === this.below)} class=${name === this.active ? "upper" : "lower"}
          @madang-title=${(event: CustomEvent<{ title: string }>) => { this.titled(name, event.detail.title); }} @madang-new-shell=${() => void this.replace(name)}></madang-terminal>`)}</div><madang-menu language=${this.language}></madang-menu>`;
  }

  private company(name: string): TemplateResult | typeof nothing {
    const people = this.people.get(name) ?? [];
    if (people.length === 0) return nothing;
    const names = people.join(", ");
    return html`<div class="people" role="status" title=${this.t("terminalWith", { names })}>${icon("people")}<span>${names}</span></div>`;
  }

  private titled(name: string, title: string): void {
    const titles = new Map(this.titles);
    if (title) titles.set(name, title);
    else titles.delete(name);
    this.titles = titles;
  }

  private tab(name: string, at: number): TemplateResult {
    const on = name === this.active;
    const label = this.label(name);
    const others = this.people.get(name) ?? [];
    const title = others.length > 0 ? `${label} · ${this.t("terminalWith", { names: others.join(", ") })}` : label;
    if (this.naming === name) {
      return html`<div class="tab on"><input aria-label=${this.t("nameLabel")} .value=${this.tabName(name)} maxlength="40" @blur=${(event: Event) => { this.endNaming(name, (event.target as HTMLInputElement).value); }}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "Enter") this.endNaming(name, (event.target as HTMLInputElement).value);
          else if (event.key === "Escape") this.naming = "";
        }} /></div>`;
    }
    return html`<div class="tab ${on ? "on" : ""}" @contextmenu=${(event: MouseEvent) => { event.preventDefault(); this.showMenu(name, event.clientX, event.clientY); }}><button role="tab" id="tab-${at}" aria-selected=${on} tabindex=${on ? 0 : -1} title=${title}
        @dblclick=${() => { this.startNaming(name); }} @keydown=${(event: KeyboardEvent) => { this.onTabKey(event, name); }}
        @click=${() => { this.active = name; void this.updateComplete.then(() => { this.focus(); }); }}>${this.tabName(name)}${others.length > 0 ? html`<i class="here" aria-hidden="true"></i>` : nothing}</button>
      <button class="x" tabindex=${on ? 0 : -1} aria-label=${this.t("closeTab", { name: label })} @click=${() => void this.close(name)}>${icon("close")}</button></div>`;
  }
}

const READER = "madang-terminal-reader";

function readReader(): boolean {
  try {
    return localStorage.getItem(READER) === "1";
  } catch {
    return false; // storage is forbidden
  }
}

function keepReader(wanted: boolean): void {
  try {
    localStorage.setItem(READER, wanted ? "1" : "0");
  } catch {
    return; // then it holds for this page
  }
}

const key = (session: string): string => `madang-terminals-${session}`;

function readNames(session: string): Map<string, string> {
  try {
    const stored = JSON.parse(localStorage.getItem(key(session)) ?? "[]") as unknown;
    return new Map((Array.isArray(stored) ? (stored as unknown[]) : []).filter((pair): pair is [string, string] => Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === "string")));
  } catch {
    return new Map(); // storage is forbidden or holds something else
  }
}

function keepNames(session: string, names: Map<string, string>): void {
  try {
    localStorage.setItem(key(session), JSON.stringify([...names]));
  } catch {
    return; // then they hold for this page
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminals": MadangTerminals;
  }
}
