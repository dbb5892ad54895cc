/** Marks what the search in the notebook finds, in one cell's editor. */
import { Decoration, type DecorationSet, type EditorView, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Extension } from "@codemirror/state";

const mark = Decoration.mark({ class: "cm-searchMatch" });

export function findHighlights(pattern: RegExp | null): Extension {
  if (!pattern) return [];
  const matcher = new MatchDecorator({ regexp: pattern, decoration: (match) => (match[0] ? mark : null) });
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = matcher.createDeco(view);
      }
      update(update: ViewUpdate): void {
        this.decorations = matcher.updateDeco(update, this.decorations);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}
