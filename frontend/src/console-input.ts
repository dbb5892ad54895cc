/** The console's input cell: CodeMirror with the kernel's completion, earlier code and explanations. */
import {
  acceptCompletion, autocompletion, basics, destroyView, EditorState, EditorView, keymap, languageFor, Prec,
} from "./codemirror.js";
import { insertNewlineAndIndent, indentLess } from "@codemirror/commands";
import { type Complete, kernelCompletion, tabCompletes } from "./kernel-completion.js";

export interface ConsoleInputHooks {
  /** False: it cannot run now, keep it. */
  run: (code: string) => boolean;
  complete: Complete;
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
      { key: "Tab", run: (view) => acceptCompletion(view) || tabCompletes(view), shift: (view) => input.explain() || indentLess(view) },
      { key: "ArrowUp", run: () => input.earlier() },
      { key: "ArrowDown", run: () => input.later() },
    ]));
    const view = new EditorView({
      parent,
      root,
      state: EditorState.create({
        extensions: [
          keys, ...basics(), autocompletion({ override: [kernelCompletion(hooks.complete, /\.\w*/)], activateOnTyping: false, icons: false }),
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
    destroyView(this.view);
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
