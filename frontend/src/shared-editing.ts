/** A shared text in CodeMirror: others' cursors with their names, and an undo of one's own edits. */
import type { Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import * as Y from "yjs";
import type { SharedDocument } from "./shared-document.js";

export { ANOTHER, SharedDocument } from "./shared-document.js";

const theme = EditorView.theme({
  ".cm-ySelectionInfo": {
    fontFamily: "var(--sans)", fontSize: "10.5px", fontWeight: "600", lineHeight: "1.3", padding: "0 4px",
    borderRadius: "4px 4px 4px 0", color: "var(--surface)", top: "-1.25em", pointerEvents: "none",
  },
  ".cm-line:first-child .cm-ySelectionInfo": { top: "1.5em", borderRadius: "0 4px 4px 4px" },
});

export function sharedText(document: SharedDocument): Extension[] {
  const undoManager = new Y.UndoManager(document.text);
  return [yCollab(document.text, document.awareness, { undoManager }), keymap.of(yUndoManagerKeymap), theme];
}

/** Where in the text the person's cursor is; null when they have none in it. */
export function cursorOf(document: SharedDocument, client: number): number | null {
  const cursor = document.awareness.getStates().get(client)?.cursor as { head?: unknown } | null | undefined;
  if (!cursor?.head) return null;
  const place = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(cursor.head), document.doc);
  return place?.type === document.text ? place.index : null;
}
