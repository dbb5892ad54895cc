/** What elements share that show a file without changing it: they look at it, and again where it has another name. */
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { downloadUrl } from "./contents.js";
import { MadangElement } from "./element.js";
import type { FileView } from "./openers.js";

export const viewerStyle = css`
  :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; background: var(--surface); }
  .bar { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; padding: 4px 12px; min-height: 34px; border-bottom: 1px solid var(--line); font-size: 12px; color: var(--muted); grid-row: 1; }
  .bar .space { flex: 1; } .bar a { color: var(--sky); } .bar button { font-size: 12px; }
  .body { grid-row: 2; overflow: auto; min-height: 0; }
  .empty { grid-row: 2; align-content: start; }
`;

export abstract class Viewer extends MadangElement implements FileView {
  @property() path = "";
  /** Why it cannot be shown; "" while it can. */
  @state() protected problem = "";

  /** Show what is on disk now. */
  abstract look(): Promise<void>;

  moveTo(path: string): void {
    this.path = path;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.look();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("path") && this.path) void this.look();
  }

  /** The file's own name. */
  protected get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Instead of the file, while there is a problem. */
  protected sorry(): TemplateResult {
    return html`<div class="empty" role="alert"><b>${this.t("openFailed", { name: this.name })}</b><span>${this.problem}</span>
      <button @click=${() => void this.look()}>${this.t("tryAgain")}</button><a href=${downloadUrl(this.path)} download>${this.t("download")}</a></div>`;
  }

  protected fail(error: unknown): void {
    this.problem = (error instanceof Error ? error.message : String(error)) || this.t("offline");
  }
}
