/** Another image for a project, with what that ends and what stays.
 *
 * Attributes: `image` (the present one's name), `busy` (it is being changed), `language`. Property: `problem` (why it was not).
 * Events: `madang-image` {image} when somebody wants that one, `madang-done` when they leave it. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError, request } from "./api.js";
import { MadangElement } from "./element.js";
import { shared } from "./styles.js";

interface Image {
  name: string;
  title: string;
  summary: string;
}

@customElement("madang-image-choice")
export class MadangImageChoice extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: block; padding: 10px 16px; border-bottom: 1px solid var(--line); font-size: 12.5px; }
      form { display: grid; gap: 6px; max-width: 68ch; line-height: 1.4; }
      label { display: grid; gap: 2px; color: var(--muted); justify-items: start; }
      select { font: inherit; color: var(--ink); min-height: 28px; max-width: 100%; padding: 2px 8px; border: 1px solid var(--control-line); border-radius: 6px; background: var(--surface); }
      dl { display: grid; grid-template-columns: auto 1fr; gap: 3px 12px; margin: 0; } dt { font-weight: 600; } dd { margin: 0; color: var(--muted); }
      p { margin: 0; } .bad { color: var(--red); }
      .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; }
      .bone { height: 96px; }
      @media (pointer: coarse) { select { min-height: 44px; } }
    `,
  ];

  @property() image = "";
  @property({ type: Boolean }) busy = false;
  @property() problem = "";
  @state() private images: readonly Image[] | null = null;
  @state() private chosen = "";
  @query("select") private select!: HTMLSelectElement | null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.look();
  }

  private async look(): Promise<void> {
    try {
      this.images = await request<Image[]>("/api/v1/images");
      await this.updateComplete;
      this.select?.focus();
    } catch (error) {
      this.problem = error instanceof ApiError && error.status !== 0 ? error.message : this.t("offline");
    }
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.emit("madang-done");
  }

  override render(): TemplateResult {
    if (!this.images) return this.problem ? html`<p class="bad" role="alert">${this.problem}</p>` : html`<div class="bone" aria-hidden="true"></div>`;
    const wanted = this.images.find(({ name }) => name === (this.chosen || this.image));
    const other = wanted !== undefined && wanted.name !== this.image;
    return html`<form @keydown=${(event: KeyboardEvent) => { this.onKey(event); }} @submit=${(event: Event) => { event.preventDefault(); if (other) this.emit("madang-image", { image: wanted.name }); }}>
      <div class="row"><label>${this.t("image")}<select ?disabled=${this.busy} @change=${(event: Event) => { this.chosen = (event.target as HTMLSelectElement).value; }}>
        ${this.images.map(({ name, title }) => html`<option value=${name} ?selected=${name === wanted?.name}>${title}${name === this.image ? ` · ${this.t("imageNow")}` : ""}</option>`)}</select></label>
        <button class="primary" ?disabled=${!other || this.busy}>${this.busy ? this.t("imageChanging") : this.t("imageApply")}</button>
        <button type="button" ?disabled=${this.busy} @click=${() => { this.emit("madang-done"); }}>${this.t("cancel")}</button></div>
      ${this.problem ? html`<p class="bad" role="alert">${this.problem}</p>` : nothing}
      ${wanted ? html`<p class="muted">${wanted.summary}</p>` : nothing}
      <dl><dt>${this.t("imageEnds")}</dt><dd>${this.t("imageEndsWhat")}</dd><dt>${this.t("imageStays")}</dt><dd>${this.t("imageStaysWhat")}</dd><dt>${this.t("imageMayNot")}</dt><dd>${this.t("imageMayNotWhat")}</dd></dl></form>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-image-choice": MadangImageChoice;
  }
}
