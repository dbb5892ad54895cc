/** A part of a file that is too large to be edited, or is no text: its bytes are shown then, and said to be that.
 *
 * Attributes: `path` (with the project's slug in front), `language`. CSS variables: those of tokens.css. */
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { ApiError } from "./api.js";
import { downloadUrl, readPart } from "./contents.js";
import { hexDump, isText, wholeLines } from "./file-parts.js";
import { shared } from "./styles.js";
import { bytes } from "./usage-model.js";
import { Viewer, viewerStyle } from "./viewer.js";

const TEXT_PART = 128 * 1024;
const BYTES_PART = 8 * 1024;

@customElement("madang-part")
export class MadangPart extends Viewer {
  static override styles = [
    shared,
    viewerStyle,
    css`
      pre { margin: 0; padding: 10px 16px; font: 12.5px/1.6 var(--mono); white-space: pre; color: var(--ink); }
      input[type="range"] { flex: 1 1 80px; max-width: 240px; padding: 0; accent-color: var(--accent); }
    `,
  ];

  @state() private data: Uint8Array = new Uint8Array();
  @state() private first = 0;
  @state() private size = 0;
  @state() private text = true;
  @state() private ready = false;

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("path")) [this.ready, this.first] = [false, 0];
  }

  async look(): Promise<void> {
    await this.go(this.first);
  }

  private get span(): number {
    return this.text ? TEXT_PART : BYTES_PART;
  }

  private async go(first: number): Promise<void> {
    const { path } = this;
    const from = Math.max(0, Math.min(first, Math.max(0, this.size - 1)));
    try {
      const { bytes: data, size } = await readPart(path, from, this.span);
      if (path !== this.path) return;
      if (!this.ready) this.text = isText(data);
      [this.data, this.first, this.size, this.problem, this.ready] = [data, from, size, "", true];
      this.renderRoot.querySelector(".body")?.scrollTo({ top: 0 });
    } catch (error) {
      if (error instanceof ApiError && error.status === 416) [this.data, this.size, this.ready] = [new Uint8Array(), 0, true];
      else this.fail(error);
    }
  }

  override render(): TemplateResult {
    if (this.problem) return this.sorry();
    const shown = this.text ? wholeLines(this.data, this.first, this.size) : { text: hexDump(this.data.subarray(0, BYTES_PART), this.first), used: Math.min(this.data.length, BYTES_PART) };
    const end = this.first + shown.used;
    return html`<div class="bar"><span role="status">${this.t(this.text ? "partOf" : "binaryPart", { from: bytes(this.first), to: bytes(end), size: bytes(this.size) })}</span><span class="space"></span>
        <input type="range" min="0" max="1000" aria-label=${this.t("place")} .value=${String(this.size ? Math.round((1000 * this.first) / this.size) : 0)} @change=${(event: Event) => void this.go(Math.floor((Number((event.target as HTMLInputElement).value) / 1000) * this.size))} />
        <button ?disabled=${this.first === 0} @click=${() => void this.go(this.first - this.span)}>${this.t("before")}</button>
        <button ?disabled=${end >= this.size} @click=${() => void this.go(end)}>${this.t("next")}</button>
        <a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>
      <div class="body" tabindex="0" role="region" aria-label=${this.name}><pre>${shown.text}</pre></div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-part": MadangPart;
  }
}
