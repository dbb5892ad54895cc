/** Who may see a port: private, shared with the project, or public for a time; and how much of that time is left.
 *
 * Attributes: `session` (id), `manages` (the person may share it), `language`. Property: `port` (SharedPort).
 * Events: `madang-done` when it was changed or left alone. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError, request } from "./api.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { AUDIENCES, type Audience, portOf, type SharedPort, timeLeft } from "./ports.js";
import { shared } from "./styles.js";

const LOOK_MS = 10_000;

@customElement("madang-port-sharing")
export class MadangPortSharing extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: block; background: var(--surface); border-bottom: 1px solid var(--line); padding: 12px 16px; font-size: 13px; }
      form { display: grid; gap: 10px; max-width: 62ch; }
      fieldset { border: 0; margin: 0; padding: 0; display: grid; gap: 6px; }
      legend { padding: 0 0 4px; font-weight: 600; }
      label.choice { display: grid; grid-template-columns: auto auto 1fr; gap: 2px 8px; align-items: center; cursor: pointer; }
      label.choice small { grid-column: 3; color: var(--muted); font-size: 12px; }
      label.choice input { min-height: 0; margin: 0; accent-color: var(--accent); width: 16px; height: 16px; }
      input:disabled ~ * { color: var(--muted); }
      .terms { display: flex; gap: 6px; align-items: center; margin-left: 48px; color: var(--muted); }
      select { font: inherit; color: inherit; min-height: 28px; padding: 2px 8px; border: 1px solid var(--control-line); border-radius: 6px; background: var(--surface); }
      .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
      p { margin: 0; } .now { color: var(--amber); font-weight: 600; font-variant-numeric: tabular-nums; }
      .bad { color: var(--red); }
      @media (pointer: coarse) { label.choice { min-height: 44px; } select { min-height: 44px; } }
    `,
  ];

  @property() session = "";
  @property({ type: Boolean }) manages = false;
  @property({ attribute: false }) port: SharedPort = portOf(0, [], []);
  @state() private terms: readonly number[] | null = null;
  @state() private chosen: Audience | null = null;
  @state() private problem = "";
  @state() private working = false;
  @state() private now = Date.now();
  @query("input:checked") private first!: HTMLInputElement | null;

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => { this.now = Date.now(); }, LOOK_MS);
    this.onLeave(() => { clearInterval(timer); });
    void this.look();
    void this.updateComplete.then(() => this.first?.focus());
  }

  private async look(): Promise<void> {
    try {
      this.terms = (await request<{ terms: number[] }>(`/api/v1/sessions/${this.session}/ports`)).terms;
    } catch (error) {
      this.tell(error);
    }
  }

  private tell(error: unknown): void {
    this.problem = error instanceof ApiError && error.status !== 0 ? [error.message, error.hint].filter(Boolean).join(" ") : this.t("offline");
  }

  private async share(audience: Audience, seconds: number | null = null): Promise<void> {
    this.working = true;
    this.problem = "";
    try {
      await request(`/api/v1/sessions/${this.session}/ports/${String(this.port.port)}`, { method: "PUT", body: { audience, ...(seconds ? { seconds } : {}) } });
      this.emit("madang-done");
    } catch (error) {
      this.tell(error);
    } finally {
      this.working = false;
    }
  }

  private onSubmit(event: Event): void {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const audience = data.get("audience") as Audience;
    void this.share(audience, audience === "public" ? Number(data.get("seconds")) : null);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.emit("madang-done");
  }

  override render(): TemplateResult {
    const { audience, port } = this.port;
    const choice = this.chosen ?? audience;
    return html`<form @submit=${(event: Event) => { this.onSubmit(event); }} @keydown=${(event: KeyboardEvent) => { this.onKey(event); }}>
      ${audience === "public" ? html`<p class="now">${this.until()}</p>` : nothing}
      <fieldset ?disabled=${!this.manages || this.working}><legend>${this.t("whoSees", { port })}</legend>
        ${(Object.keys(AUDIENCES) as Audience[]).map((one) => this.choice(one, choice))}</fieldset>
      ${choice === "public" && this.manages ? this.lengths() : nothing}
      ${this.manages ? nothing : html`<p class="muted">${this.t("ownerShares")}</p>`}
      ${this.problem ? html`<p class="bad" role="alert">${this.problem}</p>` : nothing}
      <div class="row">${this.manages && (choice !== audience || choice === "public") ? html`<button class="primary" ?disabled=${this.working}>${this.t(choice === "private" ? "seenByPrivate" : "shareNow")}</button>` : nothing}
        ${audience === "private" ? nothing : html`<button type="button" class="danger" ?disabled=${this.working} @click=${() => void this.share("private")}>${this.t("endNow")}</button>`}
        <button type="button" @click=${() => { this.emit("madang-done"); }}>${this.t("close")}</button></div></form>`;
  }

  private choice(one: Audience, choice: Audience): TemplateResult {
    const { icon: picture, label, hint } = AUDIENCES[one];
    const shut = one === "public" && this.terms?.length === 0;
    return html`<label class="choice"><input type="radio" name="audience" value=${one} .checked=${one === choice} ?disabled=${shut} @change=${() => { this.chosen = one; }} />
      ${icon(picture)}<span>${this.t(label)}</span><small>${this.t(shut ? "noPublic" : hint)}</small></label>`;
  }

  private lengths(): TemplateResult {
    return html`<label class="terms">${this.t("publicFor")}<select name="seconds">${(this.terms ?? []).map((seconds) => html`<option value=${seconds}>${timeLeft(seconds * 1000, this.t.bind(this))}</option>`)}</select></label>`;
  }

  /** When it ends, on this person's own clock. */
  private until(): string {
    const end = new Date(this.port.until ?? 0);
    const time = new Intl.DateTimeFormat(this.languageCode, { hour: "numeric", minute: "2-digit" }).format(end);
    return this.t("publicUntil", { time, left: timeLeft(end.getTime() - this.now, this.t.bind(this)) });
  }
}
