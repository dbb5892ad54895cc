/** The bar above a notebook. */
import { html, nothing, type TemplateResult } from "lit";
import { icon, type IconName } from "../icons.js";
import { initials } from "../people.js";
import { onKey } from "./cell-menu.js";
import type { ExportForm } from "./export.js";
import type { Command } from "./keys.js";
import type { CellType } from "./model.js";
import type { Word } from "./words.js";

export type Panel = "outline" | "variables" | null;

export interface ToolbarState {
  readonly readOnly: boolean;
  readonly type: CellType;
  readonly kernel: string;
  /** Cells that wait for the kernel, without the one that runs. */
  readonly waiting: number;
  readonly others: readonly { name: string; color: string }[];
  readonly panel: Panel;
  readonly menu: boolean;
  readonly save: string;
  readonly ending: string;
}

export interface ToolbarActions {
  do: (command: Command) => void;
  setPanel: (panel: Panel) => void;
  setMenu: (open: boolean) => void;
  exportAs: (form: ExportForm) => void;
}

type Say = (word: Word, values?: Record<string, string | number>) => string;

export function toolbar(state: ToolbarState, actions: ToolbarActions, w: Say): TemplateResult {
  const tool = (name: IconName, word: Word, command: Command, keys = "", wide = false): TemplateResult =>
    html`<button class="icon quiet ${wide ? "wide" : ""}" title=${keys ? `${w(word)} (${keys})` : w(word)} aria-label=${w(word)} @click=${() => { actions.do(command); }}>${icon(name)}</button>`;
  const panel = (name: IconName, which: "outline" | "variables"): TemplateResult =>
    html`<button class="icon quiet wide" title=${w(which)} aria-label=${w(which)} aria-pressed=${state.panel === which} @click=${() => { actions.setPanel(state.panel === which ? null : which); }}>${icon(name)}</button>`;
  return html`<div class="bar" role="toolbar" aria-label=${w("toolbar")}>
    ${state.readOnly ? nothing : html`<button class="quiet add" title=${w("addCodeHere")} aria-label=${w("addCodeHere")} @click=${() => { actions.do("addCode"); }}>${icon("plus")}${w("addCode")}</button>
      <button class="quiet add" title=${w("addTextHere")} aria-label=${w("addTextHere")} @click=${() => { actions.do("addText"); }}>${icon("plus")}${w("addText")}</button><i class="rule"></i>
      ${tool("play", "run", "runAdvance", "Shift+Enter")}${tool("playAll", "runAll", "runAll")}
      ${tool("stop", "interrupt", "interrupt", "I I")}${tool("restart", "restart", "restart", "0 0", true)}<i class="rule"></i>
      <select aria-label=${w("cellType")} .value=${state.type} @change=${(event: Event) => { actions.do(TO[(event.target as HTMLSelectElement).value as CellType]); }}>
        ${(["code", "markdown", "raw"] as const).map((type) => html`<option value=${type} ?selected=${type === state.type}>${w(type)}</option>`)}</select>`}
    <span class="space"></span>
    ${state.others.map(({ name, color }) => html`<span class="who" role="img" style="background:${color}" title=${name} aria-label=${w("othersHere", { name })}>${initials(name)}</span>`)}
    <span class="status num" role="status"><i class="dot ${state.kernel}"></i><span class="words">${w(KERNEL[state.kernel] ?? "kernel_none")}${state.waiting > 0 ? html` · ${w("kernel_queue", { n: state.waiting })}` : nothing}</span></span>
    ${state.save ? html`<span class="status save">${state.save}</span>` : nothing}
    ${tool("search", "find", "find", "Ctrl+F", true)}${panel("list", "outline")}${panel("table", "variables")}
    <div class="more"><button class="icon quiet" title=${w("more")} aria-label=${w("more")} aria-haspopup="menu" aria-expanded=${state.menu} @click=${() => { actions.setMenu(!state.menu); }}>${icon("dots")}</button>
      ${state.menu ? menu(state, actions, w) : nothing}</div>
  </div>`;
}

const TO: Record<CellType, Command> = { code: "toCode", markdown: "toMarkdown", raw: "toRaw" };
const KERNEL: Readonly<Record<string, Word>> = {
  starting: "kernel_starting", idle: "kernel_idle", busy: "kernel_busy", restarting: "kernel_restarting", dead: "kernel_dead",
};

function menu(state: ToolbarState, actions: ToolbarActions, w: Say): TemplateResult {
  const item = (word: Word, act: () => void, keys = "", values = {}, narrow = false): TemplateResult =>
    html`<button role="menuitem" class=${narrow ? "narrow" : ""} @click=${() => { actions.setMenu(false); act(); }}>${w(word, values)}${keys ? html`<kbd aria-hidden="true">${keys}</kbd>` : nothing}</button>`;
  const command = (word: Word, which: Command, keys = ""): TemplateResult => item(word, () => { actions.do(which); }, keys);
  return html`<div class="menu" role="menu" aria-label=${w("more")} @keydown=${(event: KeyboardEvent) => { onKey(event, () => { actions.setMenu(false); }); }}>
    ${state.readOnly ? nothing : item("restart", () => { actions.do("restart"); }, "", {}, true)}${item("find", () => { actions.do("find"); }, "", {}, true)}
    ${item("outline", () => { actions.setPanel("outline"); }, "", {}, true)}${item("variables", () => { actions.setPanel("variables"); }, "", {}, true)}<hr class="narrow" />
    ${state.readOnly ? nothing : html`${command("runAbove", "runAbove")}${command("runBelow", "runBelow")}${command("restartRunAll", "restartRunAll")}${command("clearAll", "clearAll")}<hr />
      ${command("undoCells", "undo", "Z")}${command("redoCells", "redo", "Shift+Z")}<hr />`}
    ${command("lineNumbers", "allLineNumbers", "Shift+L")}
    ${item("exportPy", () => { actions.exportAs("code"); }, "", { ending: state.ending })}${item("exportHtml", () => { actions.exportAs("html"); })}${item("exportPdf", () => { actions.exportAs("print"); })}<hr />
    ${command("keys", "keys", "H")}</div>`;
}
