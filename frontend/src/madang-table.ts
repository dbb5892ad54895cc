/** A table in a text file (CSV, TSV), a page at a time: of a large file only what is looked at is fetched.
 *
 * Attributes: `path` (with the project's slug in front), `language`. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { ApiError } from "./api.js";
import { downloadUrl, readPart } from "./contents.js";
import { CsvReader, separatorOf } from "./csv.js";
import { shared } from "./styles.js";
import { bytes } from "./usage-model.js";
import { Viewer, viewerStyle } from "./viewer.js";

const PIECE = 1024 * 1024;
const PAGE = 200;
const MOST_ROWS = 200_000;
const MOST_COLUMNS = 200;

@customElement("madang-table")
export class MadangTable extends Viewer {
  static override styles = [
    shared,
    viewerStyle,
    css`
      table { border-collapse: separate; border-spacing: 0; font: 12.5px/1.5 var(--mono); font-variant-numeric: tabular-nums; }
      th, td { padding: 2px 12px; text-align: left; white-space: pre; max-width: 40ch; overflow: hidden; text-overflow: ellipsis; border-bottom: 1px solid var(--line); border-right: 1px solid var(--line); }
      thead th { position: sticky; top: 0; background: var(--sunken); font-weight: 600; z-index: 1; }
      tbody th { position: sticky; left: 0; background: var(--sunken); color: var(--muted); font-weight: 400; text-align: right; }
      td.n { text-align: right; }
      tbody tr:hover td { background: var(--accent-ground); }
    `,
  ];

  @state() private rows: string[][] = [];
  @state() private page = 0;
  @state() private done = false;
  @state() private size = 0;
  @state() private loading = false;
  private read = 0;
  private reader: CsvReader | null = null;
  private decoder = new TextDecoder();
  private asking = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.onLeave(() => { this.asking.abort(); });
  }

  /** From the start again: the file may have changed. */
  async look(): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    this.rows = [];
    this.read = 0;
    this.reader = null;
    this.decoder = new TextDecoder();
    this.done = false;
    this.problem = "";
    await this.need(this.page);
    this.page = Math.min(this.page, this.pages - 1);
  }

  private get pages(): number {
    return Math.max(1, Math.ceil((this.rows.length - 1) / PAGE));
  }

  /** Fetch until the page `page` is there, or the file has ended. */
  private async need(page: number): Promise<void> {
    const { asking } = this;
    this.loading = true;
    try {
      while (!this.done && this.rows.length <= (page + 1) * PAGE + 1) {
        const { bytes: piece, size } = await readPart(this.path, this.read, PIECE, asking.signal);
        if (asking !== this.asking) return;
        this.size = size;
        this.take(piece);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 416) this.done = true; // an empty file
      else if (!asking.signal.aborted) this.fail(error);
    } finally {
      if (asking === this.asking) this.loading = false;
    }
  }

  private take(piece: Uint8Array): void {
    this.read += piece.length;
    const last = piece.length === 0 || this.read >= this.size;
    const text = this.decoder.decode(piece, { stream: !last });
    this.reader ??= new CsvReader(separatorOf(text));
    const fresh = [...this.reader.take(text), ...(last ? this.reader.end() : [])];
    this.rows = [...this.rows, ...fresh].slice(0, MOST_ROWS);
    this.done = last || this.rows.length >= MOST_ROWS;
  }

  private async go(page: number): Promise<void> {
    if (page >= this.pages) await this.need(page);
    this.page = Math.min(Math.max(page, 0), this.pages - 1);
    this.renderRoot.querySelector(".body")?.scrollTo({ top: 0 });
  }

  override render(): TemplateResult {
    if (this.problem) return this.sorry();
    const [head = [], ...body] = this.rows;
    const first = this.page * PAGE;
    const shown = body.slice(first, first + PAGE);
    const total = this.done ? String(body.length) : `${String(body.length)}+`;
    return html`<div class="bar"><span class="num" role="status">${this.t("rowsOf", { from: shown.length ? first + 1 : 0, to: first + shown.length, n: total })} · ${this.t("columnsN", { n: head.length })} · ${bytes(this.size)}</span><span class="space"></span>
        <button ?disabled=${this.page === 0 || this.loading} @click=${() => void this.go(this.page - 1)}>${this.t("before")}</button>
        <button ?disabled=${this.loading || (this.done && this.page >= this.pages - 1)} @click=${() => void this.go(this.page + 1)}>${this.t("next")}</button>
        <a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>
      ${this.rows.length === 0 && this.done ? html`<div class="empty">${this.t("emptyFile")}</div>` : html`<div class="body" tabindex="0" role="region" aria-label=${this.name}><table>
        <thead><tr><th scope="col"><span class="sr">${this.t("row")}</span></th>${head.slice(0, MOST_COLUMNS).map((cell) => html`<th scope="col" title=${cell}>${cell}</th>`)}${head.length > MOST_COLUMNS ? html`<th>…</th>` : nothing}</tr></thead>
        <tbody>${shown.map((row, at) => html`<tr><th scope="row">${first + at + 1}</th>${row.slice(0, MOST_COLUMNS).map((cell) => html`<td class=${/^-?[\d.,]+(e-?\d+)?$/i.test(cell) ? "n" : ""} title=${cell.length > 40 ? cell.slice(0, 500) : nothing}>${cell.slice(0, 500)}</td>`)}</tr>`)}</tbody></table></div>`}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-table": MadangTable;
  }
}
