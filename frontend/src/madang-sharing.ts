/** Who is in a project, as a dialog over the workspace: the page of its people in a frame, which has all of it.
 *
 * Attributes: `project` (id), `language`. Method: `show()`. Events: none. CSS variables: those of tokens.css.
 * The page asks to be closed by the message "madang-close" (portal/static/portal/site.js). */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { shared } from "./styles.js";

@customElement("madang-sharing")
export class MadangSharing extends MadangElement {
  static override styles = [
    shared,
    css`
      dialog { width: min(780px, 94vw); height: min(680px, 86vh); max-width: none; max-height: none; padding: 0; border: 1px solid var(--line); border-radius: var(--radius); background: var(--paper); color: var(--ink); box-shadow: var(--shadow); overflow: hidden; }
      dialog[open] { display: grid; grid-template: 44px minmax(0, 1fr) / minmax(0, 1fr); }
      dialog::backdrop { background: #0005; }
      header { display: flex; align-items: center; justify-content: space-between; padding: 0 8px 0 20px; border-bottom: 1px solid var(--line); background: var(--surface); }
      h2 { margin: 0; font-size: 15px; font-weight: 600; }
      .stage { position: relative; }
      iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; }
      .bones { display: grid; gap: 12px; padding: 20px; } .bones .bone { height: 34px; }
      @media (max-width: 720px) { dialog { width: 100vw; height: 100dvh; margin: 0; border: 0; border-radius: 0; } }
    `,
  ];

  @property() project = "";
  @state() private open = false;
  @state() private loaded = false;
  @query("dialog") private dialog!: HTMLDialogElement;
  @query("iframe") private frame!: HTMLIFrameElement | null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(window, "message", (event) => {
      const { source, origin, data } = event as MessageEvent;
      if (source === this.frame?.contentWindow && origin === location.origin && data === "madang-close") this.dialog.close();
    });
  }

  async show(): Promise<void> {
    this.loaded = false;
    this.open = true;
    await this.updateComplete;
    this.dialog.showModal();
  }

  private onLoad(): void {
    this.loaded = true;
    this.frame?.focus();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title" @close=${() => { this.open = false; }}>
      <header><h2 id="title">${this.t("share")}</h2><button class="icon quiet" aria-label=${this.t("close")} title=${this.t("close")} @click=${() => { this.dialog.close(); }}>${icon("close")}</button></header>
      <div class="stage">${this.loaded ? nothing : html`<div class="bones" aria-hidden="true">${[1, 2, 3, 4].map(() => html`<div class="bone"></div>`)}</div>`}
        ${this.open ? html`<iframe src="/projects/${this.project}/people" title=${this.t("share")} @load=${() => { this.onLoad(); }}></iframe>` : nothing}</div></dialog>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-sharing": MadangSharing;
  }
}
