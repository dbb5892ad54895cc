/** The terminals of a session as tabs.
 *
 * Attributes: `session` (id; empty while there is none), `slug` (of the project), `language`.
 * Events: `madang-link` {state, code} of each. CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError } from "./api.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import "./madang-terminal.js";
import { shared } from "./styles.js";
import { tabsStyle } from "./tabs-style.js";
import { arrows, tablist } from "./tabs.js";
import { endTerminal, listTerminals, newTerminal } from "./terminals.js";

@customElement("madang-terminals")
export class MadangTerminals extends MadangElement {
  static override styles = [
    shared,
    tabsStyle,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; }
      .panes { position: relative; background: var(--term-ground); }
      .panes > * { position: absolute; inset: 0; }
      .empty { color: var(--term-ink); } .empty b { color: inherit; }
    `,
  ];

  @property() session = "";
  @property() slug = "";
  @state() private names: readonly string[] = [];
  @state() private active = "";
  @state() private titles = new Map<string, string>();
  @state() private phase: "waiting" | "ready" | "failed" = "waiting";
  @state() private problem = "";

  protected override updated(changed: PropertyValues): void {
    if (changed.has("session")) void this.find();
  }

  override focus(): void {
    const terminal = this.renderRoot.querySelector<HTMLElement>("madang-terminal:not([hidden])");
    (terminal ?? this.renderRoot.querySelector<HTMLElement>("button"))?.focus();
  }

  /** Those that run already; a session has at least one. */
  private async find(): Promise<void> {
    const { session } = this;
    this.names = [];
    this.titles = new Map();
    this.phase = "waiting";
    if (!session) return;
    try {
      const names = await listTerminals(session);
      if (session !== this.session) return;
      this.names = names;
      this.active = names[0] ?? "";
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

  private async add(focus = true): Promise<void> {
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
    return this.titles.get(name) ?? this.t("terminalN", { n: name });
  }

  override render(): TemplateResult {
    return html`<div class="tabs" @keydown=${arrows}>
        ${tablist(this.t("terminal"), this.names.length)}
        ${repeat(this.names, (name) => name, (name, at) => this.tab(name, at))}
        ${this.session ? html`<button class="icon quiet" title=${this.t("newTerminal")} aria-label=${this.t("newTerminal")} @click=${() => void this.add()}>${icon("plus")}</button>` : nothing}</div>
      <div class="panes">${this.phase === "failed" ? html`<div class="empty" role="alert"><b>${this.t("terminalFailed")}</b><span>${this.problem}</span>
          <button @click=${() => void this.find()}>${this.t("tryAgain")}</button></div>` : nothing}
        ${this.phase === "waiting" && !this.session ? html`<div class="empty">${this.t("terminalsWait")}</div>` : nothing}
        ${this.phase === "ready" && this.names.length === 0 ? html`<div class="empty"><b>${this.t("noTerminals")}</b>
          <button @click=${() => void this.add()}>${this.t("newTerminal")}</button></div>` : nothing}
        ${repeat(this.names, (name) => name, (name) => html`<madang-terminal session=${this.session} name=${name} label=${this.label(name)} language=${this.language} ?hidden=${name !== this.active}
          @madang-title=${(event: CustomEvent<{ title: string }>) => { this.titled(name, event.detail.title); }} @madang-new-shell=${() => void this.replace(name)}></madang-terminal>`)}</div>`;
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
    return html`<div class="tab ${on ? "on" : ""}"><button role="tab" id="tab-${at}" aria-selected=${on} tabindex=${on ? 0 : -1} title=${label}
        @click=${() => { this.active = name; void this.updateComplete.then(() => { this.focus(); }); }}>${this.t("terminalN", { n: name })}</button>
      <button class="x" tabindex=${on ? 0 : -1} aria-label=${this.t("closeTab", { name: label })} @click=${() => void this.close(name)}>${icon("close")}</button></div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminals": MadangTerminals;
  }
}
