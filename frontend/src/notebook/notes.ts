/** What the notebook says above its cells: questions, and what is wrong with the document. */
import { html, nothing, type TemplateResult } from "lit";
import { downloadUrl } from "../contents.js";
import type { DocumentStatus } from "./document.js";
import type { Word } from "./words.js";

export interface Notes {
  /** The code with which the server closed the document, or 0. */
  readonly closed: number;
  readonly asking: "restart" | "restartAll" | null;
  readonly problem: string;
  readonly kernel: { state: string; reason: string };
}

export interface NoteActions {
  restart: (thenRunAll: boolean) => void;
  cancel: () => void;
  forget: () => void;
  asText: () => void;
}

/** Close codes of docs/developers/documents.md. */
const NOT_A_NOTEBOOK = 4415;
const TOO_LARGE = 4413;

export function notebookNotes(status: DocumentStatus | null, path: string, notes: Notes, actions: NoteActions, w: (word: Word, values?: Record<string, string>) => string): TemplateResult | typeof nothing {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (notes.asking) {
    const all = notes.asking === "restartAll";
    return html`<div class="note" role="alertdialog" aria-label=${w("restart")}><span>${w(all ? "restartAllSure" : "restartSure")}</span>
      <button id="sure" class="primary" @click=${() => { actions.restart(all); }}>${w(all ? "restartRunAll" : "restart")}</button>
      <button @click=${actions.cancel}>${w("cancel")}</button></div>`;
  }
  if (notes.closed === NOT_A_NOTEBOOK || notes.closed === TOO_LARGE) {
    return html`<div class="empty" role="alert"><b>${w(notes.closed === TOO_LARGE ? "tooLarge" : "noNotebook", { name })}</b><span>${w("noNotebookHint")}</span>
      <button class="primary" @click=${actions.asText}>${w("openAsText")}</button></div>`;
  }
  if (notes.closed) return html`<div class="empty" role="alert"><b>${w("openFailed", { name })}</b></div>`;
  if (status?.gone) return html`<div class="note bad" role="alert"><span>${w("gone")}</span><a href=${downloadUrl(path)} download>${w("goneBack")}</a></div>`;
  const problem = notes.problem || (status?.save === "failed" ? `${w("saveFailed")} ${status.problem}` : "") || (["none", "dead"].includes(notes.kernel.state) ? notes.kernel.reason : "");
  if (problem) {
    return html`<div class="note bad" role="alert"><span>${problem}</span>${notes.problem ? html`<button class="quiet" @click=${actions.forget}>${w("close")}</button>` : nothing}</div>`;
  }
  return status?.readOnly ? html`<div class="note" role="status"><span>${w("readOnly")}</span></div>` : nothing;
}

/** Does this key go into a text field? */
export function isTyped(event: Event): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
