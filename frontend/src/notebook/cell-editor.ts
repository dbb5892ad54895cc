/** The editor of one cell: CodeMirror on the cell's text in the shared document. */
import { closeCompletion, completionStatus } from "@codemirror/autocomplete";
import { indentLess, insertNewlineAndIndent, toggleComment } from "@codemirror/commands";
import { closeHoverTooltips, lineNumbers, showTooltip, type Tooltip } from "@codemirror/view";
import { StateEffect, StateField } from "@codemirror/state";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  acceptCompletion, autocompletion, basics, Compartment, destroyView, EditorState, EditorView, type Extension, keymap, languageFor, Prec,
} from "../codemirror.js";
import { type Complete, kernelCompletion, tabCompletes } from "../kernel-completion.js";
import { findHighlights } from "./find-highlights.js";

export interface CellEditorOptions {
  parent: HTMLElement;
  root: ShadowRoot;
  text: Y.Text;
  awareness: Awareness;
  /** A file's name whose language the text is in. */
  file: string;
  label: string;
  wrap: boolean;
  readOnly: boolean;
  /** Asks the kernel; null where it has nothing to say to this text. */
  kernel: { complete: Complete; inspect: (code: string, at: number) => Promise<HTMLElement | null> } | null;
  onCommand: (command: EditorCommand) => void;
  onCursor: (line: number, column: number) => void;
  onFocus: () => void;
}

/** What its keys ask of the notebook. */
export type EditorCommand = "leave" | "runAdvance" | "runStay" | "runInsert" | "split" | "up" | "down" | "find";

export class CellEditor {
  private constructor(
    private readonly view: EditorView,
    private readonly undo: Y.UndoManager,
    private readonly numbers: Compartment,
    private readonly finding: Compartment,
  ) {}

  /** Load the language of such files. */
  static async prepare(file: string): Promise<void> {
    await languageFor(file);
  }

  static async open(options: CellEditorOptions): Promise<CellEditor> {
    const language = await languageFor(options.file);
    const [numbers, finding] = [new Compartment(), new Compartment()];
    const undo = new Y.UndoManager(options.text);
    const view = new EditorView({
      parent: options.parent,
      root: options.root,
      state: EditorState.create({
        doc: options.text.toString(),
        extensions: [
          Prec.highest(keymap.of([...cellKeys(options), ...yUndoManagerKeymap])),
          ...basics(), ...completion(options), inspection, cellTheme,
          numbers.of([]), finding.of([]),
          ...(options.wrap ? [EditorView.lineWrapping] : []), ...(language ? [language] : []),
          EditorView.contentAttributes.of({ "aria-label": options.label }),
          EditorState.readOnly.of(options.readOnly),
          yCollab(options.text, options.awareness, { undoManager: undo }),
          EditorView.updateListener.of((update) => {
            if (!update.view.hasFocus || !(update.selectionSet || update.docChanged || update.focusChanged)) return;
            const { head } = update.state.selection.main;
            const line = update.state.doc.lineAt(head);
            options.onCursor(line.number, head - line.from + 1);
          }),
          EditorView.domEventHandlers({ focus: () => { options.onFocus(); } }),
        ],
      }),
    });
    return new CellEditor(view, undo, numbers, finding);
  }

  get hasFocus(): boolean {
    return this.view.hasFocus;
  }

  /** Where the cursor and the selections are: positions in the text. */
  get positions(): number[] {
    return this.view.state.selection.ranges.flatMap(({ from, to }) => [from, to]);
  }

  focus(at?: "start" | "end" | number): void {
    this.view.focus();
    if (at === undefined) return;
    const { length } = this.view.state.doc;
    const anchor = at === "start" ? 0 : at === "end" ? length : Math.min(at, length);
    this.view.dispatch({ selection: { anchor }, scrollIntoView: true });
  }

  /** Put the cursor on a line, counted from 1. */
  focusLine(line: number): void {
    this.focus(this.view.state.doc.line(Math.min(Math.max(line, 1), this.view.state.doc.lines)).from);
  }

  select(from: number, to: number): void {
    this.view.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true });
  }

  showLineNumbers(shown: boolean): void {
    this.view.dispatch({ effects: this.numbers.reconfigure(shown ? lineNumbers() : []) });
  }

  showFound(pattern: RegExp | null): void {
    this.view.dispatch({ effects: this.finding.reconfigure(findHighlights(pattern)) });
  }

  destroy(): void {
    destroyView(this.view);
    this.undo.destroy();
  }
}

function cellKeys(options: CellEditorOptions): { key: string; run: (view: EditorView) => boolean; shift?: (view: EditorView) => boolean; preventDefault?: boolean }[] {
  const tell = (command: EditorCommand) => (): boolean => {
    options.onCommand(command);
    return true;
  };
  return [
    { key: "Escape", run: (view) => closeTip(view) || (completionStatus(view.state) === "active" && closeCompletion(view)) || tell("leave")() },
    { key: "Ctrl-m", run: tell("leave") },
    { key: "Shift-Enter", run: tell("runAdvance") },
    { key: "Ctrl-Enter", run: tell("runStay") },
    { key: "Mod-Enter", run: tell("runStay") },
    { key: "Alt-Enter", run: tell("runInsert") },
    { key: "Ctrl-Shift--", run: tell("split") },
    { key: "Ctrl-Shift-_", run: tell("split") },
    { key: "Mod-f", run: tell("find"), preventDefault: true },
    { key: "Mod-/", run: toggleComment },
    { key: "Enter", run: (view) => acceptCompletion(view) || insertNewlineAndIndent(view) },
    { key: "Tab", run: (view) => acceptCompletion(view) || tabCompletes(view), shift: (view) => inspect(view, options) || indentLess(view) },
    { key: "ArrowUp", run: (view) => atEdge(view, -1) && tell("up")() },
    { key: "ArrowDown", run: (view) => atEdge(view, 1) && tell("down")() },
  ];
}

/** Does the cursor stand in the first or the last line, with nothing selected? */
function atEdge(view: EditorView, direction: 1 | -1): boolean {
  const { main, ranges } = view.state.selection;
  if (!main.empty || ranges.length > 1 || view.dom.querySelector(".cm-tooltip-autocomplete")) return false;
  const line = view.state.doc.lineAt(main.head).number;
  return direction < 0 ? line === 1 : line === view.state.doc.lines;
}

function completion({ kernel }: CellEditorOptions): Extension[] {
  if (!kernel) return [];
  return [autocompletion({ override: [kernelCompletion(kernel.complete, /[\w.]{2,}|\.\w*/)], icons: false, activateOnTypingDelay: 150 })];
}

// The explanation of what stands at the cursor, as a tooltip that goes when one types on.

const setTip = StateEffect.define<Tooltip | null>();
const inspection = StateField.define<Tooltip | null>({
  create: () => null,
  update: (tip, transaction) => {
    for (const effect of transaction.effects) if (effect.is(setTip)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : tip;
  },
  provide: (field) => showTooltip.from(field),
});

function inspect(view: EditorView, { kernel }: CellEditorOptions): boolean {
  const { doc, selection } = view.state;
  const { head } = selection.main;
  const line = doc.lineAt(head);
  if (!kernel || !line.text.slice(0, head - line.from).trim()) return false;
  void kernel.inspect(doc.toString(), head).then((dom) => {
    if (!dom || view.state.doc !== doc) return;
    view.dispatch({ effects: setTip.of({ pos: head, above: false, create: () => ({ dom }) }) });
  });
  return true;
}

function closeTip(view: EditorView): boolean {
  if (!view.state.field(inspection)) return false;
  view.dispatch({ effects: [setTip.of(null), closeHoverTooltips] });
  return true;
}

const cellTheme = EditorView.theme({
  "&": { height: "auto" },
  ".cm-content": { padding: "7px 0" },
  ".cm-line": { padding: "0 12px" },
  ".cm-scroller": { overflowX: "auto" },
  ".cm-inspect": { maxWidth: "min(680px, 80vw)", maxHeight: "300px", overflow: "auto", padding: "8px 12px", fontFamily: "var(--mono)", fontSize: "12.5px", whiteSpace: "pre-wrap" },
  ".cm-ySelectionInfo": { fontFamily: "var(--sans)", fontSize: "11px", padding: "0 4px", borderRadius: "3px 3px 3px 0", top: "1.6em" },
  ".cm-ySelectionCaret": { borderLeftWidth: "2px", borderRight: "none" },
});
