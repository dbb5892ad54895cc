/** What was deleted from a project, and how to have it back.
 *
 * Attributes: `project` (id), `language`. `look()` asks again.
 * Events: `madang-restored` {path} (no slug in front). CSS variables: those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "./api.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { forget, putBack, type Thrown, trash } from "./project-files.js";
import { shared } from "./styles.js";
import { bytes } from "./usage-model.js";

@customElement("madang-trash")
export class MadangTrash extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr); min-height: 0; background: var(--paper); font-size: 13px; }
      .head { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; padding: 8px 12px; color: var(--muted); font-size: 12px; } .head span { flex: 1 1 14ch; }
      ul { grid-row: 3; list-style: none; margin: 0; padding: 0 8px 16px; overflow: auto; }
      li { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; align-items: center; gap: 2px 4px; padding: 3px 4px 3px 8px; border-radius: 6px; }
      li:hover { background: var(--sunken); }
      .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      li small { color: var(--muted); font-size: 11.5px; display: block; }
    `,
  ];

  @property() project = "";
  @state() private things: readonly Thrown[] | null = null;
  @state() private problem = "";
  @state() private sure = false;

  protected override updated(changed: PropertyValues): void {
    if (changed.has("project") && this.project) void this.look();
  }

  look(): Promise<void> {
    return this.attempt(() => Promise.resolve());
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
    this.problem = "";
    try {
      await work();
      this.things = await trash(this.project);
    } catch (error) {
      this.problem = error instanceof ApiError ? (error.status === 0 ? this.t("offline") : [error.message, error.hint].filter(Boolean).join(" ")) : String(error);
    }
  }

  private restore(thing: Thrown): Promise<void> {
    return this.attempt(async () => {
      this.emit("madang-restored", await putBack(this.project, thing.id));
    });
  }

  override render(): TemplateResult {
    const { things } = this;
    return html`<div class="head"><span>${this.t("trashHint")}</span>
        ${things?.length ? this.sure
          ? html`<button class="danger" @click=${() => { this.sure = false; void this.attempt(() => forget(this.project)); }}>${this.t("emptySure", { n: things.length })}</button><button @click=${() => (this.sure = false)}>${this.t("cancel")}</button>`
          : html`<button class="quiet" @click=${() => (this.sure = true)}>${this.t("emptyTrash")}</button>` : nothing}</div>
      ${this.problem ? html`<div class="note bad" role="alert"><span>${this.problem}</span></div>` : nothing}
      ${things?.length === 0 ? html`<div class="empty">${this.t("trashEmpty")}</div>` : nothing}
      <ul aria-label=${this.t("trash")}>${things?.map((thing) => this.row(thing))}</ul>`;
  }

  private row(thing: Thrown): TemplateResult {
    const name = thing.path.slice(thing.path.lastIndexOf("/") + 1);
    const when = new Intl.DateTimeFormat(this.languageCode, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
    return html`<li><span class="name" title=${thing.path}>${name}<small class="num">${when.format(new Date(thing.at))} · ${bytes(thing.size)}</small></span>
      <button class="icon quiet" title=${this.t("restore")} aria-label=${this.t("restoreName", { name })} @click=${() => void this.restore(thing)}>${icon("back")}</button>
      <button class="icon quiet" title=${this.t("forGood")} aria-label=${this.t("forGoodName", { name })} @click=${() => void this.attempt(() => forget(this.project, thing.id))}>${icon("close")}</button></li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-trash": MadangTrash;
  }
}
