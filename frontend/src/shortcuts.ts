/** The list of keyboard shortcuts, as a dialog. */
import { html, type TemplateResult } from "lit";
import type { Key } from "./i18n.js";

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
export const MOD = mac ? "⌘" : "Ctrl";

const LIST: readonly [string, Key][] = [
  [`${MOD}+S`, "keySave"],
  ["Shift+Enter, Ctrl+Enter", "keyRun"],
  ["F5", "keyRunHere"],
  ["Shift+Alt+F", "keyFormat"],
  ["Shift+Alt+H", "fileHistory"],
  ["F12", "keyDefinition"],
  ["Shift+F12", "keyReferences"],
  ["F2", "keyRename"],
  ["Ctrl+Shift+Space", "keySignature"],
  [`${MOD}+Shift+P`, "keyPalette"],
  [`${MOD}+P`, "keyOpen"],
  [`${MOD}+Shift+F`, "keySearch"],
  [`${MOD}+\\`, "keySplit"],
  ["Alt+Shift+← →", "keyMoveTab"],
  [`${MOD}+X ${MOD}+V`, "keyTree"],
  ["Shift+F10", "keyMenu"],
  ["Delete", "keyDelete"],
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
