/** A picture of the project. A drawing (SVG) is shown as a picture too: nothing in it runs.
 *
 * Attributes: `path` (with the project's slug in front), `language`. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { send } from "./api.js";
import { downloadUrl } from "./contents.js";
import { shared } from "./styles.js";
import { bytes } from "./usage-model.js";
import { Viewer, viewerStyle } from "./viewer.js";

const TYPES: Partial<Record<string, string>> = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", avif: "image/avif", bmp: "image/bmp", ico: "image/x-icon", svg: "image/svg+xml",
};

@customElement("madang-image")
export class MadangImage extends Viewer {
  static override styles = [
    shared,
    viewerStyle,
    css`
      .body { display: grid; place-items: center; padding: 16px; background: repeating-conic-gradient(var(--sunken) 0 25%, transparent 0 50%) 0 0 / 20px 20px; }
      img { max-width: 100%; max-height: 100%; min-height: 0; object-fit: contain; cursor: zoom-in; }
      .body.whole { place-items: start; } .whole img { max-width: none; max-height: none; cursor: zoom-out; }
    `,
  ];

  @state() private url = "";
  @state() private size = 0;
  @state() private measure = "";
  @state() private whole = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => { this.take(""); });
  }

  async look(): Promise<void> {
    const { path } = this;
    try {
      const blob = await (await send(downloadUrl(path))).blob();
      if (path !== this.path || !this.isConnected) return;
      this.size = blob.size;
      this.problem = "";
      this.take(URL.createObjectURL(new Blob([blob], { type: TYPES[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "" })));
    } catch (error) {
      this.fail(error);
    }
  }

  private take(url: string): void {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url;
  }

  override render(): TemplateResult {
    if (this.problem) return this.sorry();
    return html`<div class="bar"><span class="num">${this.measure} ${this.size ? bytes(this.size) : ""}</span><span class="space"></span><a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>
      <div class="body ${this.whole ? "whole" : ""}">${this.url ? html`<img src=${this.url} alt=${this.name} @click=${() => (this.whole = !this.whole)}
        @load=${(event: Event) => { const { naturalWidth, naturalHeight } = event.target as HTMLImageElement; this.measure = `${String(naturalWidth)} × ${String(naturalHeight)} ·`; }}
        @error=${() => (this.problem = this.t("notAPicture"))} />` : nothing}</div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-image": MadangImage;
  }
}
