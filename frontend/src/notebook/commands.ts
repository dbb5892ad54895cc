/** What keys, buttons and menus do to a notebook: each command once, by the habits of Jupyter. */
import { type Folds, placeAfter, withFolded } from "./folds.js";
import type { Command } from "./keys.js";
import { type CellData, type CellType, metadataOf, type NotebookModel, sourceOf, typeOf } from "./model.js";
import { extendTo, neighbour, only, selected, type Selection } from "./selection.js";

/** What commands need of the notebook that is shown. */
export interface NotebookView {
  readonly model: NotebookModel;
  readonly selection: Selection;
  readonly folds: Folds;
  /** Fold the section of a heading, or unfold it. */
  fold(id: string, folded: boolean): void;
  /** Select, and put the focus on the active cell or, with "edit", into its text. */
  select(selection: Selection, mode: "command" | "edit", at?: "start" | "end"): void;
  /** Run the cells, in this order. */
  run(ids: readonly string[]): void;
  interrupt(): void;
  askToRestart(thenRunAll: boolean): void;
  openFind(): void;
  showKeys(): void;
  /** Begin to write a new tag at the active cell. */
  addTag(): void;
  scrollPage(direction: 1 | -1): void;
  toggleLineNumbers(all: boolean): void;
  /** Show a text cell as text, not as it is rendered. */
  unrender(ids: readonly string[]): void;
  /** Cells were removed: offer to undo it. */
  tellRemoved(count: number): void;
}

/** What somebody may do who only reads. */
export const READING: ReadonlySet<Command> = new Set<Command>([
  "previous", "next", "extendPrevious", "extendNext", "selectAll", "first", "last", "copy", "lineNumbers", "allLineNumbers", "pageDown", "pageUp", "find", "keys", "edit", "fold", "unfold",
]);

/** What was cut or copied: for all notebooks of the page. */
let clipboard: CellData[] = [];

export function perform(view: NotebookView, command: Command): void {
  const { model } = view;
  const ids = model.ids();
  const { active } = view.selection;
  const { folds } = view;
  const { shown } = folds;
  const chosen = selected(view.selection, shown);
  // What is folded under a heading runs, moves and goes with it.
  const whole = withFolded(model, folds, chosen);
  const after = (id: string): number => placeAfter(model, folds, id);
  const at = ids.indexOf(active);
  const go = (id: string): void => { view.select(only(id), "command"); };
  const step = (by: number): void => { go(neighbour(shown, active, by)); };
  const extend = (by: number): void => { view.select(extendTo(view.selection, neighbour(shown, active, by)), "command"); };
  const put = (position: number, mode: "command" | "edit", ...cells: CellData[]): void => {
    const fresh = model.insert(position, ...cells);
    view.select({ anchor: fresh[0] ?? active, active: fresh.at(-1) ?? active }, mode);
  };
  const remove = (): void => {
    model.remove(whole);
    view.tellRemoved(whole.length);
  };

  switch (command) {
    case "edit": view.select(only(active), "edit"); break;
    case "runStay": view.run(whole); view.select(view.selection, "command"); break;
    case "runAdvance": {
      view.run(whole);
      const last = shown.indexOf(chosen.at(-1) ?? active);
      if (last < shown.length - 1) go(shown[last + 1] ?? active);
      else put(ids.length, "edit", empty("code"));
      break;
    }
    case "runInsert": view.run(whole); put(after(chosen.at(-1) ?? active), "edit", empty("code")); break;
    case "runAll": view.run(ids); break;
    case "runAbove": view.run(ids.slice(0, at)); break;
    case "runBelow": view.run(ids.slice(Math.max(at, 0))); break;
    case "previous": step(-1); break;
    case "next": step(1); break;
    case "extendPrevious": extend(-1); break;
    case "extendNext": extend(1); break;
    case "selectAll": view.select({ anchor: shown[0] ?? active, active: shown.at(-1) ?? active }, "command"); break;
    case "first": go(shown[0] ?? active); break;
    case "last": go(shown.at(-1) ?? active); break;
    case "insertAbove": put(Math.max(at, 0), "command", empty("code")); break;
    case "insertBelow": put(after(active), "command", empty("code")); break;
    case "addCode": put(after(active), "edit", empty("code")); break;
    case "addText": put(after(active), "edit", empty("markdown")); break;
    case "remove": remove(); break;
    case "undo": model.undo(); break;
    case "redo": model.redo(); break;
    case "cut": clipboard = whole.map((id) => model.data(id)); remove(); break;
    case "copy": clipboard = whole.map((id) => model.data(id)); break;
    case "pasteBelow": if (clipboard.length > 0) put(after(chosen.at(-1) ?? active), "command", ...clipboard); break;
    case "pasteAbove": if (clipboard.length > 0) put(ids.indexOf(chosen[0] ?? active), "command", ...clipboard); break;
    case "duplicate": put(after(chosen.at(-1) ?? active), "command", ...whole.map((id) => model.data(id))); break;
    case "toCode": changeType(view, chosen, "code"); break;
    case "toMarkdown": changeType(view, chosen, "markdown"); break;
    case "toRaw": changeType(view, chosen, "raw"); break;
    case "heading1": case "heading2": case "heading3": case "heading4": case "heading5": case "heading6":
      heading(view, active, Number(command.slice(-1)));
      break;
    case "mergeBelow": {
      const merging = chosen.length > 1 ? chosen : ids.slice(at, at + 2);
      if (merging.length > 1) go(model.merge(merging));
      break;
    }
    case "fold": view.fold(active, true); break;
    case "unfold": view.fold(active, false); break;
    case "moveUp": case "moveDown": move(view, chosen, command === "moveUp" ? -1 : 1); break;
    case "toggleInput": toggle(model, chosen, "source_hidden"); break;
    case "toggleOutput": toggle(model, chosen, "outputs_hidden"); break;
    case "scrollOutput": for (const id of chosen) model.setMetadata(id, "scrolled", metadataOf(model.cell(id)).scrolled === true ? undefined : true); break;
    case "clearOutput": model.clearOutputs(chosen); break;
    case "clearAll": model.clearOutputs(ids); break;
    case "interrupt": view.interrupt(); break;
    case "restart": view.askToRestart(false); break;
    case "restartRunAll": view.askToRestart(true); break;
    case "lineNumbers": view.toggleLineNumbers(false); break;
    case "allLineNumbers": view.toggleLineNumbers(true); break;
    case "pageDown": view.scrollPage(1); break;
    case "pageUp": view.scrollPage(-1); break;
    case "find": view.openFind(); break;
    case "addTag": view.addTag(); break;
    case "keys": view.showKeys(); break;
  }
}

function empty(cell_type: CellType): CellData {
  return { cell_type, source: "", metadata: {} };
}

function changeType(view: NotebookView, ids: readonly string[], type: CellType): void {
  view.model.setType(ids, type);
  if (type === "markdown") view.unrender(ids);
  view.select(view.selection, "command");
}

function heading(view: NotebookView, id: string, level: number): void {
  const { model } = view;
  model.change(() => {
    model.setType([id], "markdown");
    const marks = /^#*\s*/.exec(sourceOf(model.cell(id)).toString())?.[0] ?? "";
    model.replace(id, 0, marks.length, `${"#".repeat(level)} `);
  });
  view.unrender([id]);
  view.select(only(id), "edit", "end");
}

function move(view: NotebookView, chosen: readonly string[], by: 1 | -1): void {
  const { model, folds, selection } = view;
  const { shown } = folds;
  const [first, last] = [shown.indexOf(chosen[0] ?? ""), shown.indexOf(chosen.at(-1) ?? "")];
  const over = shown[by < 0 ? first - 1 : last + 1];
  if (first < 0 || over === undefined) return;
  model.move(withFolded(model, folds, chosen), by < 0 ? over : (model.ids()[placeAfter(model, folds, over)] ?? null));
  view.select(selection, "command");
}

/** Hide what any of the cells shows, or show it again where none does. JupyterLab keeps it under `jupyter`. */
function toggle(model: NotebookModel, ids: readonly string[], key: "source_hidden" | "outputs_hidden"): void {
  const hide = ids.some((id) => !hidden(metadataOf(model.cell(id)), key));
  model.change(() => {
    for (const id of ids) {
      if (key === "outputs_hidden" && typeOf(model.cell(id)) !== "code") continue;
      const jupyter = { ...(metadataOf(model.cell(id)).jupyter ?? {}), [key]: true };
      if (!hide) Reflect.deleteProperty(jupyter, key);
      model.setMetadata(id, "jupyter", Object.keys(jupyter).length > 0 ? jupyter : undefined);
      if (key === "outputs_hidden") model.setMetadata(id, "collapsed", hide ? true : undefined);
    }
  });
}

export function hidden(metadata: Record<string, unknown>, key: "source_hidden" | "outputs_hidden"): boolean {
  const jupyter = metadata.jupyter as Record<string, unknown> | undefined;
  return jupyter?.[key] === true || (key === "outputs_hidden" && metadata.collapsed === true);
}
