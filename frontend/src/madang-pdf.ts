/** A PDF of the project, page below page; a page is drawn when it comes into sight.
 *
 * Attributes: `path` (with the project's slug in front), `language`. CSS variables: those of tokens.css. */
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { downloadUrl } from "./contents.js";
import type * as Pdf from "./pdf.js";
import { shared } from "./styles.js";
import { Viewer, viewerStyle } from "./viewer.js";

const WIDEST = 900;
const ZOOMS = [0.5, 0.75, 1, 1.5, 2];

@customElement("madang-pdf")
export class MadangPdf extends Viewer {
  static override styles = [
    shared,
    viewerStyle,
    css`
      .body { background: var(--sunken); padding: 16px; display: grid; gap: 16px; justify-content: center; align-content: start; }
      .page { position: relative; background: #fff; box-shadow: var(--shadow); min-height: 200px; overflow: hidden; }
      canvas { width: 100%; height: 100%; display: block; }
      .textLayer { position: absolute; inset: 0; overflow: clip; line-height: 1; text-align: initial; transform-origin: 0 0; --scale-round-x: 1px; --scale-round-y: 1px; --min-font-size: 1; --text-scale-factor: calc(var(--total-scale-factor) * var(--min-font-size)); --min-font-size-inv: calc(1 / var(--min-font-size)); }
      .textLayer :is(span, br) { color: transparent; position: absolute; white-space: pre; cursor: text; transform-origin: 0% 0%; }
      .textLayer > :not(.markedContent), .textLayer .markedContent span:not(.markedContent) { --font-height: 0; --scale-x: 1; --rotate: 0deg; font-size: calc(var(--text-scale-factor) * var(--font-height)); transform: rotate(var(--rotate)) scaleX(var(--scale-x)) scale(var(--min-font-size-inv)); }
      .textLayer .markedContent { display: contents; }
      .textLayer ::selection { background: #b8431c4d; }
    `,
  ];

  @state() private pages = 0;
  @state() private zoom = 1;
  private pdf: typeof Pdf | null = null;
  private opened: Pdf.PDFDocumentProxy | null = null;
  private observer: IntersectionObserver | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => { this.close(); });
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (changed.has("zoom") && !changed.has("path")) this.watch();
  }

  private close(): void {
    this.observer?.disconnect();
    this.observer = null;
    void this.opened?.loadingTask.destroy();
    this.opened = null;
  }

  async look(): Promise<void> {
    const { path } = this;
    try {
      this.pdf ??= await import("./pdf.js");
      const opened = await this.pdf.openPdf(downloadUrl(path));
      if (path !== this.path || !this.isConnected) {
        void opened.loadingTask.destroy();
        return;
      }
      this.close();
      this.opened = opened;
      this.pages = opened.numPages;
      this.problem = "";
      await this.updateComplete;
      this.watch();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Draw what comes into sight, from now on. */
  private watch(): void {
    this.observer?.disconnect();
    const observer = (this.observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        void this.draw(target as HTMLElement);
      }
    }, { root: this.renderRoot.querySelector(".body"), rootMargin: "400px" }));
    this.renderRoot.querySelectorAll(".page").forEach((page) => { observer.observe(page); });
  }

  private async draw(place: HTMLElement): Promise<void> {
    const { opened, pdf } = this;
    if (!opened || !pdf) return;
    try {
      await pdf.drawPage(opened, Number(place.dataset.page), place, place.clientWidth);
    } catch (error) {
      if (this.opened === opened) this.fail(error);
    }
  }

  private step(by: number): void {
    this.zoom = ZOOMS[Math.min(Math.max(ZOOMS.indexOf(this.zoom) + by, 0), ZOOMS.length - 1)] ?? 1;
  }

  override render(): TemplateResult {
    if (this.problem) return this.sorry();
    const width = `min(${String(WIDEST * this.zoom)}px, ${String(100 * Math.max(1, this.zoom))}cqw - 32px)`;
    return html`<div class="bar"><span class="num" role="status">${this.pages ? this.t("pagesN", { n: this.pages }) : this.t("loading")}</span><span class="space"></span>
        <button ?disabled=${this.zoom === ZOOMS[0]} aria-label=${this.t("smaller")} @click=${() => { this.step(-1); }}>−</button><span class="num">${Math.round(this.zoom * 100)} %</span>
        <button ?disabled=${this.zoom === ZOOMS.at(-1)} aria-label=${this.t("larger")} @click=${() => { this.step(1); }}>+</button>
        <a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>
      <div class="body" tabindex="0" role="region" aria-label=${this.name} style="container-type:inline-size">${Array.from({ length: this.pages }, (_, at) =>
        html`<div class="page" data-page=${at + 1} role="group" aria-label=${this.t("pageN", { n: at + 1 })} style="width:${width}"></div>`)}</div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-pdf": MadangPdf;
  }
}
