/** Rename a symbol in all files of the project, open or not. */
import { LSPPlugin } from "@codemirror/lsp-client";
import { type ChangeSpec, Text } from "@codemirror/state";
import { type EditorView, showDialog } from "@codemirror/view";
import type { TextEdit, WorkspaceEdit } from "vscode-languageserver-protocol";

export interface Files {
  viewOf(uri: string): EditorView | null;
  read(uri: string): Promise<string>;
  write(uri: string, text: string): Promise<void>;
}

export async function renameSymbol(view: EditorView, label: string, submit: string, files: Files): Promise<void> {
  const plugin = LSPPlugin.get(view);
  const word = view.state.wordAt(view.state.selection.main.head);
  if (!plugin || !word) return;
  const { result } = showDialog(view, { label, input: { name: "name", value: view.state.sliceDoc(word.from, word.to) }, focus: true, submitLabel: submit });
  const form = await result;
  const newName = form?.querySelector<HTMLInputElement>("[name=name]")?.value.trim();
  if (!newName) return;
  plugin.client.sync();
  try {
    const params = { newName, textDocument: { uri: plugin.uri }, position: plugin.toPosition(word.from) };
    const edit = await plugin.client.request<typeof params, WorkspaceEdit | null>("textDocument/rename", params);
    for (const [uri, edits] of editsOf(edit)) await apply(uri, edits, files);
  } catch (error) {
    plugin.reportError(label, error);
  }
  view.focus();
}

export function editsOf(edit: WorkspaceEdit | null): [string, readonly TextEdit[]][] {
  const changes = Object.entries(edit?.changes ?? {});
  for (const change of edit?.documentChanges ?? []) {
    if ("textDocument" in change) changes.push([change.textDocument.uri, change.edits.filter((one): one is TextEdit => "newText" in one && "range" in one)]);
  }
  return changes;
}

async function apply(uri: string, edits: readonly TextEdit[], files: Files): Promise<void> {
  const view = files.viewOf(uri);
  if (view) {
    view.dispatch({ changes: changesFor(view.state.doc, edits), userEvent: "rename" });
    return;
  }
  await files.write(uri, edited(await files.read(uri), edits));
}

/** `text` with `edits` made, none of which overlap. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const doc = Text.of(text.split("\n"));
  const changes = changesFor(doc, edits).sort((a, b) => b.from - a.from);
  return changes.reduce((all, { from, to, insert }) => all.slice(0, from) + insert + all.slice(to), text);
}

function changesFor(doc: Text, edits: readonly TextEdit[]): (ChangeSpec & { from: number; to: number; insert: string })[] {
  const place = ({ line, character }: TextEdit["range"]["start"]): number => {
    const found = doc.line(Math.min(line + 1, doc.lines));
    return Math.min(found.from + character, found.to);
  };
  return edits.map(({ range, newText }) => ({ from: place(range.start), to: place(range.end), insert: newText }));
}
