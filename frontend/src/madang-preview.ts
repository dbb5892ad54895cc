/** What a program of the session serves on a port, as a tab: its page in a frame on an origin of its own.
 *
 * Attributes: `session` (id; "" while there is none), `state` (the session's), `manages` (the person may share it), `readonly` (they
 * see only what is shared), `language`. Property: `port` (SharedPort).
 * Events: none leave it. CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { request } from "./api.js";
import { MadangElement } from "./element.js";
import type { Key } from "./i18n.js";
import { icon } from "./icons.js";
import "./madang-port-sharing.js";
import { asPath, AUDIENCES, portOf, previewAddress, type SharedPort, timeLeft } from "./ports.js";
import { shared } from "./styles.js";

/** All but leading the workspace elsewhere. The frame's origin is never ours, so it may have one. */
const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-downloads allow-pointer-lock";
const COPIED_MS = 3000;
const LOOK_MS = 10_000;

@customElement("madang-preview")
export class MadangPreview extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr); background: var(--surface); }
      .bar { display: flex; gap: 4px; align-items: center; padding: 3px 8px; border-bottom: 1px solid var(--line); min-height: 36px; }
      form { flex: 1; display: flex; align-items: center; min-width: 0; border: 1px solid var(--line); border-radius: 6px; background: var(--sunken); }
      form:focus-within { outline: 2px solid var(--accent); outline-offset: -1px; }
      form span { padding-left: 8px; color: var(--muted); font: 12.5px var(--mono); }
      form input:focus-visible { outline: 0; }
      form input { flex: 1; min-width: 0; border: 0; background: none; padding: 2px 6px 2px 1px; font: 12.5px var(--mono); }
      .who { min-height: 26px; padding: 0 8px; font-size: 12px; gap: 5px; } .who svg.i { width: 14px; height: 14px; }
      .who.public { color: var(--amber); font-weight: 600; }
      a.icon { display: inline-flex; align-items: center; justify-content: center; min-width: 26px; min-height: 26px; border-radius: 6px; color: var(--muted); } a.icon:hover { background: var(--sunken); color: var(--ink); }
      .stage { grid-row: 3; position: relative; min-height: 0; }
      iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; background: white; color-scheme: light; }
      .empty, .wait { position: absolute; inset: 0; background: var(--surface); align-content: start; }
      .wait { padding: 24px 16px; color: var(--muted); pointer-events: none; }
      @media (pointer: coarse) { a.icon, .who { min-width: 44px; min-height: 44px; } }
      @media (max-width: 720px) { .who span { display: none; } .who { min-width: 44px; padding: 0; } }
    `,
  ];

  @property() session = "";
  @property() state = "";
  @property({ type: Boolean }) manages = false;
  @property({ type: Boolean }) readonly = false;
  @property({ attribute: false, hasChanged: (now: SharedPort, old?: SharedPort) => JSON.stringify(now) !== JSON.stringify(old) }) port: SharedPort = portOf(0, [], []);
  @state() private path = "/";
  /** Counts the pages asked for: each has a frame of its own. */
  @state() private round = 0;
  @state() private answered = false;
  @state() private sharing = false;
  @state() private copied = false;
  @state() private listened = false;
  @state() private now = Date.now();
  private forgetting: ReturnType<typeof setTimeout> | undefined;
  @query("input") private input!: HTMLInputElement;
  @query(".who") private who!: HTMLElement;

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => { this.now = Date.now(); }, LOOK_MS);
    this.onLeave(() => { clearInterval(timer); clearTimeout(this.forgetting); });
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("session")) this.listened = false;
    if (!changed.has("port") && !changed.has("session")) return;
    const before = changed.get("port") as SharedPort | undefined;
    if (this.port.listening && (!before?.listening || changed.has("session"))) this.load();
    this.listened ||= this.port.listening;
  }

  override focus(): void {
    this.input.focus();
  }

  private load(): void {
    this.answered = false;
    this.round += 1;
  }

  private go(event: Event): void {
    event.preventDefault();
    this.path = this.input.value = asPath(this.input.value);
    this.load();
  }

  private async copy(): Promise<void> {
    let address = new URL(previewAddress(this.session, this.port.port, this.path), location.href).href;
    if (this.port.audience === "public") {
      const { items } = await request<{ items: { port: number; url: string | null }[] }>(`/api/v1/sessions/${this.session}/ports`);
      const own = items.find(({ port }) => port === this.port.port)?.url;
      if (own) address = new URL(this.path, own).href;
    }
    await navigator.clipboard.writeText(address);
    this.copied = true;
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => { this.copied = false; }, COPIED_MS);
  }

  private stopSharing(): void {
    this.sharing = false;
    this.who.focus();
  }

  /** Why there is nothing to see, and what to do; null where there is something. */
  private why(): [Key, Key] | null {
    if (this.state === "paused") return ["previewPaused", "previewPausedHint"];
    if (this.state !== "running") return ["previewOver", "previewOverHint"];
    if (this.readonly && this.port.audience === "private") return ["notShared", "notSharedHint"];
    if (!this.port.listening) return this.listened ? ["portEnded", "portEndedHint"] : ["portQuiet", "portQuietHint"];
    return null;
  }

  override render(): TemplateResult {
    const { port } = this.port;
    const why = this.why();
    return html`${this.bar(port)}
      ${this.sharing && this.session ? html`<madang-port-sharing session=${this.session} ?manages=${this.manages} language=${this.language} .port=${this.port}
        @madang-done=${() => { this.stopSharing(); }}></madang-port-sharing>` : html`<span></span>`}
      <div class="stage">${why === null || (this.round > 0 && this.state === "paused") ? this.frame(port) : nothing}
        <div role="status">${why ? html`<div class="empty"><b>${this.t(why[0], { port })}</b>${this.t(why[1])}</div>` : this.answered ? nothing : html`<div class="wait">${this.t("previewAsked", { port })}</div>`}</div></div>`;
  }

  private bar(port: number): TemplateResult {
    const { word, icon: picture } = AUDIENCES[this.port.audience];
    const left = this.port.until ? this.t("publicLeft", { left: timeLeft(Date.parse(this.port.until) - this.now, this.t.bind(this)) }) : this.t(word);
    return html`<div class="bar">
      <button class="icon quiet" title=${this.t("reload")} aria-label=${this.t("reload")} ?disabled=${this.why() !== null} @click=${() => { this.load(); }}>${icon("refresh")}</button>
      <form @submit=${(event: Event) => { this.go(event); }}><span aria-hidden="true">:${port}</span><input aria-label=${this.t("previewPath")} .value=${this.path} spellcheck="false" autocapitalize="off" autocomplete="off" /></form>
      ${this.session && !this.readonly ? html`<button class="who ${this.port.audience}" title=${this.t("whoSees", { port })} aria-label="${this.t("whoSees", { port })}: ${left}" aria-expanded=${this.sharing} @click=${() => { this.sharing = !this.sharing; }}>${icon(picture)}<span class="num">${left}</span></button>` : nothing}
      <button class="icon quiet" title=${this.t("copyAddress")} aria-label=${this.t("copyAddress")} ?disabled=${!this.session} @click=${() => void this.copy()}>${icon("link")}</button>
      <a class="icon" href=${previewAddress(this.session, port, this.path)} target="_blank" rel="noopener" title=${this.t("newTab")} aria-label=${this.t("newTab")} ?hidden=${!this.session}>${icon("external")}</a>
      <span role="status" class="sr">${this.copied ? this.t("addressCopied") : ""}</span></div>`;
  }

  private frame(port: number): TemplateResult {
    return html`${keyed(this.round, html`<iframe src=${previewAddress(this.session, port, this.path, true)} title=${this.t("previewOf", { port })} sandbox=${SANDBOX} allow="fullscreen; clipboard-write"
      referrerpolicy="no-referrer" @load=${() => { this.answered = true; }}></iframe>`)}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-preview": MadangPreview;
  }
}
