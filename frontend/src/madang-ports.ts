/** What the session's programs listen on, each with its preview, which has an origin of its own.
 *
 * Attributes: `session` (id), `language`. Property: `ports`. Nothing is shown while there are none. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { shared } from "./styles.js";
import type { Port } from "./usage-model.js";

@customElement("madang-ports")
export class MadangPorts extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: block; background: var(--paper); font-size: 13px; }
      section { padding: 4px 8px 10px; border-top: 1px solid var(--line); max-height: 30vh; overflow: auto; }
      h2 { margin: 0; padding: 6px 8px 2px; font-size: 11px; letter-spacing: 0.06em; text-transform: uppercase; color: var(--muted); font-weight: 600; }
      ul { margin: 0; padding: 0; list-style: none; }
      li { display: flex; align-items: baseline; gap: 4px 8px; flex-wrap: wrap; min-height: 26px; padding: 2px 8px; }
      .program { overflow: hidden; text-overflow: ellipsis; color: var(--muted); }
      small { color: var(--muted); font-size: 11.5px; }
      a { margin-left: auto; color: var(--accent); }
      @media (pointer: coarse) { li { align-items: center; } a { min-height: 44px; display: inline-flex; align-items: center; } }
    `,
  ];

  @property() session = "";
  @property({ attribute: false }) ports: readonly Port[] = [];

  override render(): TemplateResult {
    // The region that tells of news is there before the news.
    return html`<div role="status" class="sr">${this.ports.map(({ port }) => this.t("portOpen", { port })).join(" ")}</div>${this.list()}`;
  }

  private list(): TemplateResult | typeof nothing {
    if (!this.ports.length) return nothing;
    return html`<section aria-label=${this.t("ports")}><h2>${this.t("ports")}</h2>
      <ul>${this.ports.map((one) => this.row(one))}</ul></section>`;
  }

  private row({ port, program }: Port): TemplateResult {
    const address = `/sessions/${encodeURIComponent(this.session)}/ports/${port}/`;
    return html`<li><b class="num">${port}</b><span class="program">${program}</span><small>${this.t("private")}</small>
      <a href=${address} target="_blank" rel="noopener" aria-label=${this.t("openPreviewOf", { port })}>${this.t("openPreview")}</a></li>`;
  }
}
