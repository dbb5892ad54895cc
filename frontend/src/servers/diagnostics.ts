/** Problems in files: what a server says of them, and what a program that ran said. */
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import { LSPPlugin } from "@codemirror/lsp-client";
import type { Text } from "@codemirror/state";
import { type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Diagnostic as Said, DiagnosticSeverity } from "vscode-languageserver-protocol";
import type { Mark } from "./places.js";

const PAUSE_MS = 400;

/** Tells the server of changes a moment after the last one. */
export const keepDiagnosticsFresh = ViewPlugin.fromClass(class {
  private timer: ReturnType<typeof setTimeout> | undefined;

  update(update: ViewUpdate): void {
    if (!update.docChanged) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { LSPPlugin.get(update.view)?.client.sync(); }, PAUSE_MS);
  }

  destroy(): void {
    clearTimeout(this.timer);
  }
});

const SEVERITY: Record<DiagnosticSeverity, Mark["severity"]> = { 1: "error", 2: "warning", 3: "info", 4: "info" };

export interface Problem extends Mark {
  /** "" for what a program said that ran, else the server's name for itself. */
  source: string;
  code: string;
}

export function problemOf(path: string, said: Said): Problem {
  return {
    path, line: said.range.start.line + 1, column: said.range.start.character + 1, message: wordsOf(said), severity: SEVERITY[said.severity ?? 1],
    source: said.source ?? "server", code: String(said.code ?? ""),
  };
}

function wordsOf({ message }: Said): string {
  return typeof message === "string" ? message : message.value;
}

/** The nearest place that `text` has: the server may have meant the longer text of another page. */
export function offsetIn(text: Text, { line, character }: Said["range"]["start"]): number {
  const { from, to } = text.line(Math.min(line + 1, text.lines));
  return Math.min(from + character, to);
}

/** Show them in `view`, whose text is the one that they are about. */
export function showProblems(view: EditorView, said: readonly Said[], marks: readonly Mark[]): void {
  const plugin = LSPPlugin.get(view);
  const found: Diagnostic[] = marks.map((mark) => {
    const line = view.state.doc.line(Math.min(mark.line, view.state.doc.lines));
    return { from: line.from, to: line.to, severity: mark.severity, message: mark.message, markClass: "cm-run-mark" };
  });
  if (plugin) {
    for (const one of said) {
      const place = (position: Said["range"]["start"]): number => plugin.unsyncedChanges.mapPos(offsetIn(plugin.syncedDoc, position));
      found.push({ from: place(one.range.start), to: place(one.range.end), severity: SEVERITY[one.severity ?? 1], message: wordsOf(one), ...(one.source ? { source: one.source } : {}) });
    }
  }
  view.dispatch(setDiagnostics(view.state, found.sort((a, b) => a.from - b.from)));
}
