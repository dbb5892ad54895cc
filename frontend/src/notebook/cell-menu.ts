/** The menu of a cell. */
import { html, nothing, type TemplateResult } from "lit";
import { hidden } from "./commands.js";
import type { Command } from "./keys.js";
import type { CellType } from "./model.js";
import type { Word } from "./words.js";

/** `choose` is called with null where the menu is left without a choice. */
export function cellMenu(type: CellType, metadata: Record<string, unknown>, fold: "fold" | "unfold" | null, w: (word: Word) => string, choose: (command: Command | null) => void): TemplateResult {
  const item = (word: Word, command: Command, key = ""): TemplateResult =>
    html`<button role="menuitem" @click=${() => { choose(command); }}>${w(word)}${key ? html`<kbd aria-hidden="true">${key}</kbd>` : nothing}</button>`;
  const code = type === "code";
  return html`<div class="menu" role="menu" aria-label=${w("more")} @keydown=${(event: KeyboardEvent) => { onKey(event, choose); }}>
    ${code ? html`${item("runAbove", "runAbove")}${item("runBelow", "runBelow")}<hr />` : nothing}
    ${type === "code" ? nothing : item("code", "toCode", "Y")}${type === "markdown" ? nothing : item("markdown", "toMarkdown", "M")}${type === "raw" ? nothing : item("raw", "toRaw", "R")}<hr />
    ${fold ? item(fold, fold, fold === "fold" ? "←" : "→") : nothing}
    ${item("duplicate", "duplicate")}${item("mergeBelow", "mergeBelow", "Shift+M")}${item("addTag", "addTag")}
    ${item(hidden(metadata, "source_hidden") ? "showInput" : "hideInput", "toggleInput")}
    ${code ? html`${item(hidden(metadata, "outputs_hidden") ? "showOutput" : "hideOutput", "toggleOutput", "O")}${item("scrollOutput", "scrollOutput", "Shift+O")}${item("clearOutput", "clearOutput")}` : nothing}
    <hr />${item("remove", "remove", "D D")}</div>`;
}

/** Arrows go through the items of a menu, Escape leaves it. */
export function onKey(event: KeyboardEvent, choose: (command: null) => void): void {
  event.stopPropagation();
  const menu = event.currentTarget as HTMLElement;
  const items = [...menu.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = items.indexOf((menu.getRootNode() as ShadowRoot).activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Escape") choose(null);
  else if (to !== undefined) items[to % items.length]?.focus();
  else return;
  event.preventDefault();
}
