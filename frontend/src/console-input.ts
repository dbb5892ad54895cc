/** The console's input cell: CodeMirror with the kernel's completion, earlier code and explanations. */
import {
  acceptCompletion, autocompletion, basics, type CompletionSource, EditorState, EditorView, keymap, languageFor, Prec,
} from "./codemirror.js";
import { startCompletion } from "@codemirror/autocomplete";
import { insertNewlineAndIndent, indentLess, indentMore } from "@codemirror/commands";

/** A kernel that computes answers nothing: do not wait longer for a completion. */
const PATIENCE_MS = 2500;

export interface ConsoleInputHooks {
  /** False: it cannot run now, keep it. */
  run: (code: string) => boolean;
  complete: (code: string, at: number) => Promise<{ matches: string[]; start: number; end: number } | null>;
  explain: (code: string, at: number) => void;
}

export class ConsoleInput {
  private history: string[] = [];
  /** Position in the history; its length means: what is being written. */
  private at = 0;
  private draft = "";

  private constructor(
    private readonly view: EditorView,
    private readonly hooks: ConsoleInputHooks,
  ) {}

  static async open(parent: HTMLElement, root: ShadowRoot, label: string, file: string, hooks: ConsoleInputHooks): Promise<ConsoleInput> {
    const language = await languageFor(file);
    // eslint-disable-next-line prefer-const -- the keys need the input, the input needs the view
    let input: ConsoleInput;
    const keys = Prec.highest(keymap.of([
      { key: "Shift-Enter", run: () => input.submit() },
      { key: "Mod-Enter", run: () => input.submit() },
      { key: "Ctrl-Enter", run: () => input.submit() },
      { key: "Enter", run: (view) => acceptCompletion(view) || insertNewlineAndIndent(view) },
      { key: "Tab", run: (view) => acceptCompletion(view) || tab(view), shift: (view) => input.explain() || indentLess(view) },
      { key: "ArrowUp", run: () => input.earlier() },
      { key: "ArrowDown", run: () => input.later() },
    ]));
    const source: CompletionSource = async (context) => {
      if (!context.explicit && !context.matchBefore(/\.\w*/)) return null;
      const code = context.state.doc.toString();
      const patience = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null));
      const found = await Promise.race([hooks.complete(code, context.pos), patience]);
      if (!found || found.matches.length === 0) return null;
      return { from: found.start, to: found.end, options: found.matches.map((match) => ({ label: match })), filter: false };
    };
    const view = new EditorView({
      parent,
      root,
      state: EditorState.create({
        extensions: [
          keys, ...basics(), autocompletion({ override: [source], activateOnTyping: false, icons: false }),
          EditorView.lineWrapping, EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.theme({ ".cm-content": { padding: "7px 0" }, ".cm-line": { padding: "0 12px" } }),
          ...(language ? [language] : []),
        ],
      }),
    });
    input = new ConsoleInput(view, hooks);
    return input;
  }

  focus(): void {
    this.view.focus();
  }

  destroy(): void {
    this.view.destroy();
  }

  /** The code that ran so far, oldest first. */
  learn(history: string[]): void {
    const writing = this.at === this.history.length;
    this.history = history;
    if (writing) this.at = history.length;
  }

  fill(code: string): void {
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: code },
      selection: { anchor: code.length },
    });
    this.view.focus();
  }

  submit(): boolean {
    const code = this.view.state.doc.toString();
    if (!code.trim()) return true;
    if (!this.hooks.run(code)) return true;
    this.draft = "";
    this.at = this.history.length;
    this.fill("");
    return true;
  }

  private explain(): boolean {
    const { doc, selection } = this.view.state;
    const line = doc.lineAt(selection.main.head);
    if (!line.text.slice(0, selection.main.head - line.from).trim()) return false;
    this.hooks.explain(doc.toString(), selection.main.head);
    return true;
  }

  private earlier(): boolean {
    const { doc, selection } = this.view.state;
    if (doc.lineAt(selection.main.head).number !== 1 || this.at === 0) return false;
    if (this.at === this.history.length) this.draft = doc.toString();
    this.at -= 1;
    this.fill(this.history[this.at] ?? "");
    return true;
  }

  private later(): boolean {
    const { doc, selection } = this.view.state;
    if (doc.lineAt(selection.main.head).number !== doc.lines || this.at >= this.history.length) return false;
    this.at += 1;
    this.fill(this.at === this.history.length ? this.draft : (this.history[this.at] ?? ""));
    return true;
  }
}

/** Tab indents where nothing stands before it, and completes elsewhere. */
function tab(view: EditorView): boolean {
  const { head, empty } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  if (!empty || !line.text.slice(0, head - line.from).trim()) return indentMore(view);
  return startCompletion(view);
}
