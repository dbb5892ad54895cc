/** Two texts, one above the other or side by side. Its own chunk. */
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { basics, destroyView, languageFor } from "../codemirror.js";

const WIDE = 760;
const COLLAPSE = { margin: 3, minSize: 6 };

// What changed in a line is underlined: on one more ground, comments would be too faint to read.
const theme = EditorView.theme({
  "&.cm-merge-b .cm-changedText, .cm-insertedLine .cm-changedText": { background: "none", boxShadow: "inset 0 -2px var(--pine)" },
  ".cm-deletedChunk .cm-deletedText, &.cm-merge-a .cm-changedText": { background: "none", boxShadow: "inset 0 -2px var(--red)" },
  "&.cm-merge-b .cm-changedLine, .cm-insertedLine, &.cm-merge-b .cm-inlineChangedLine": { backgroundColor: "var(--pine-ground)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--red-ground)" },
  ".cm-collapsedLines": { color: "var(--muted)", background: "var(--sunken)", borderBlock: "1px solid var(--line)", padding: "3px 12px" },
});

/** Show them in `parent`; returns what takes them away. */
export async function showDiff(parent: HTMLElement, root: ShadowRoot, path: string, before: string, after: string, label: string): Promise<() => void> {
  const language = await languageFor(path.slice(path.lastIndexOf("/") + 1));
  const extensions: Extension[] = [
    lineNumbers(), EditorState.readOnly.of(true), EditorView.contentAttributes.of({ "aria-label": label }), ...basics(), theme, ...(language ? [language] : []),
  ];
  parent.replaceChildren();
  if (parent.clientWidth >= WIDE) {
    const view = new MergeView({ parent, root, a: { doc: before, extensions }, b: { doc: after, extensions }, collapseUnchanged: COLLAPSE });
    return () => { destroyView(view); };
  }
  const unified = unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: COLLAPSE });
  const view = new EditorView({ parent, root, state: EditorState.create({ doc: after, extensions: [extensions, unified] }) });
  return () => { destroyView(view); };
}
