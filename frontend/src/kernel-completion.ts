/** Completion in CodeMirror by what a kernel knows. */
import { startCompletion } from "@codemirror/autocomplete";
import { indentMore } from "@codemirror/commands";
import type { CompletionSource, EditorView } from "./codemirror.js";

/** A kernel that computes answers nothing: do not wait longer for a completion. */
const PATIENCE_MS = 2500;

export type Complete = (code: string, at: number) => Promise<{ matches: string[]; start: number; end: number } | null>;

/** Asks the kernel when told to, and by itself after what `typed` matches. */
export function kernelCompletion(complete: Complete, typed: RegExp): CompletionSource {
  return async (context) => {
    if (!context.explicit && !context.matchBefore(typed)) return null;
    const code = context.state.doc.toString();
    const patience = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null));
    const found = await Promise.race([complete(code, context.pos), patience]);
    if (!found || found.matches.length === 0) return null;
    return { from: found.start, to: found.end, options: found.matches.map((match) => ({ label: match })), filter: false };
  };
}

/** Tab indents where nothing stands before it, and completes elsewhere. */
export function tabCompletes(view: EditorView): boolean {
  const { head, empty } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  if (!empty || !line.text.slice(0, head - line.from).trim()) return indentMore(view);
  return startCompletion(view);
}
