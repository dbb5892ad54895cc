/** The list of keyboard shortcuts, as a dialog. */
import { html, type TemplateResult } from "lit";
import type { Key } from "./i18n.js";

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
const mod = mac ? "⌘" : "Ctrl";

const LIST: readonly [string, Key][] = [
  [`${mod}+S`, "keySave"],
  ["Shift+Enter, Ctrl+Enter", "keyRun"],
  ["F6", "keyPanels"],
  ["Ctrl+Alt+1", "keyFiles"],
  ["Ctrl+Alt+2", "keyEditor"],
  ["Ctrl+Alt+3", "keyConsole"],
  ["Ctrl+Alt+4", "keyTerminal"],
  ["Ctrl+C", "keyInterruptC"],
  ["I I", "keyInterrupt"],
  ["↑ ↓", "keyHistory"],
  ["Tab", "keyComplete"],
  ["Shift+Tab", "keyInspect"],
  ["Esc Tab", "keyTabOut"],
  ["?", "keyHelp"],
];

export function shortcutList(t: (key: Key) => string): TemplateResult {
  return html`<dialog id="shortcuts" aria-labelledby="shortcuts-title">
    <form method="dialog"><h2 id="shortcuts-title">${t("shortcuts")}</h2>
      <dl>${LIST.map(([keys, key]) => html`<dt>${keys.split(", ").map((one, at) => html`${at ? " " : ""}<kbd>${one}</kbd>`)}</dt><dd>${t(key)}</dd>`)}</dl>
      <button autofocus>${t("close")}</button></form></dialog>`;
}
