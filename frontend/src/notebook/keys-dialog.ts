/** The list of the notebook's keys. */
import { html, type TemplateResult } from "lit";
import type { Word } from "./words.js";

const LIST: readonly [string, Word][] = [
  ["Esc", "k_mode"], ["Enter", "k_edit"], ["Shift+Enter", "k_runAdvance"], ["Ctrl+Enter", "k_runStay"], ["Alt+Enter", "k_runInsert"],
  ["A, B", "k_insert"], ["D D", "k_dd"], ["Z, Shift+Z", "k_z"], ["X, C, V, Shift+V", "k_xcv"], ["Y, M, R", "k_type"], ["1 … 6", "k_heading"],
  ["K ↑, J ↓", "k_move"], ["Shift+↑, Shift+↓", "k_extend"], ["Ctrl+A", "k_all"], ["Ctrl+Shift+−", "k_split"], ["Shift+M", "k_merge"],
  ["Ctrl+Shift+↑, Ctrl+Shift+↓", "k_order"], ["I I", "k_ii"], ["0 0", "k_00"], ["L, Shift+L", "k_l"], ["←, →", "k_fold"], ["O, Shift+O", "k_o"],
  ["Ctrl+F", "k_find"], ["Tab", "k_complete"], ["Shift+Tab", "k_inspect"], ["H", "k_h"],
];

export function keysDialog(w: (word: Word) => string): TemplateResult {
  return html`<dialog aria-labelledby="keys-title" @keydown=${(event: Event) => { event.stopPropagation(); }}>
    <form method="dialog"><h2 id="keys-title">${w("keys")}</h2>
      <dl>${LIST.map(([keys, word]) => html`<dt>${keys.split(", ").map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${w(word)}</dd>`)}</dl>
      <button autofocus>${w("close")}</button></form></dialog>`;
}
