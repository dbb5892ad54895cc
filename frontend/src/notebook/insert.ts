/** Where cells are added: below the active one, and at the end. */
import { html, type TemplateResult } from "lit";
import { icon } from "../icons.js";
import type { Word } from "./words.js";

export function insertBar(end: boolean, w: (word: Word) => string, add: (command: "addCode" | "addText") => void): TemplateResult {
  const button = (command: "addCode" | "addText", label: Word): TemplateResult =>
    html`<button aria-label=${w(label)} tabindex=${end ? 0 : -1} @click=${() => { add(command); }}>${icon("plus")}${w(command)}</button>`;
  return html`<div class="insert ${end ? "end" : ""}">${button("addCode", "addCodeHere")}${button("addText", "addTextHere")}</div>`;
}
