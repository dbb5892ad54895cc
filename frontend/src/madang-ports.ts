/** What the session's programs listen on, who may see it, and a way to its preview.
 *
 * Attributes: `language`. Property: `ports` (SharedPort[]). Nothing is shown while there are none.
 * Events: `madang-preview` {port} when somebody wants to see one. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { AUDIENCES, type SharedPort } from "./ports.js";
import { shared } from "./styles.js";

@customElement("madang-ports")
export class MadangPorts extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: block; background: var(--paper); font-size: 13px; }
      section { padding: 4px 8px 10px; border-top: 1px solid var(--line); max-height: 30vh; overflow: auto; }
      h2 { margin: 0; padding: 6px 8px 2px; font-size: 11px; letter-spacing: 0.06em; text-transform: uppercase; color: var(--muted); font-weight: 600; }
      ul { margin: 0; padding: 0; list-style: none; }
      button { display: flex; width: 100%; justify-content: flex-start; gap: 8px; min-height: 28px; padding: 2px 8px; border-color: transparent; border-radius: 6px; background: none; }
      button:hover { background: var(--sunken); border-color: transparent; }
      .program { overflow: hidden; text-overflow: ellipsis; color: var(--muted); flex: 1; text-align: start; }
      small { display: flex; align-items: center; gap: 4px; color: var(--muted); font-size: 11.5px; } small svg.i { width: 13px; height: 13px; }
      small.public { color: var(--amber); font-weight: 600; }
      .quiet { color: var(--muted); }
      @media (pointer: coarse) { button { min-height: 44px; } }
    `,
  ];

  @property({ attribute: false }) ports: readonly SharedPort[] = [];

  override render(): TemplateResult | typeof nothing {
    if (!this.ports.length) return nothing;
    return html`<section aria-label=${this.t("ports")}><h2>${this.t("ports")}</h2>
      <ul>${this.ports.map((one) => this.row(one))}</ul></section>`;
  }

  private row({ port, program, listening, audience }: SharedPort): TemplateResult {
    const { word, icon: picture } = AUDIENCES[audience];
    return html`<li><button aria-label="${this.t("previewOf", { port })}, ${this.t(word)}" @click=${() => { this.emit("madang-preview", { port }); }}>
      <b class="num ${listening ? "" : "quiet"}">${port}</b><span class="program">${program}</span><small class=${audience}>${icon(picture)}${this.t(word)}</small></button></li>`;
  }
}
