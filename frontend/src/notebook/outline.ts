/** The headings of a notebook's text cells. Pure. */
import { idOf, type NotebookModel, sourceOf, typeOf } from "./model.js";

export interface Heading {
  readonly id: string;
  readonly level: number;
  readonly text: string;
}

export function headingsOf(model: NotebookModel): Heading[] {
  return model.cells.map((cell) => (typeOf(cell) === "markdown" ? headingsIn(idOf(cell), sourceOf(cell).toString()) : [])).flat();
}

export function headingsIn(id: string, source: string): Heading[] {
  const found: Heading[] = [];
  let fence = "";
  let before = "";
  for (const line of source.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark && (fence === "" || (mark.startsWith(fence) && line.trim() === mark))) fence = fence === "" ? mark : "";
    else if (fence === "") {
      const [, marks, text] = /^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$/.exec(line) ?? [];
      const under = /^ {0,3}(=+|-+)\s*$/.exec(line)?.[1];
      if (marks && text) found.push({ id, level: marks.length, text: plain(text) });
      else if (under && before.trim()) found.push({ id, level: under.startsWith("=") ? 1 : 2, text: plain(before.trim()) });
    }
    before = /^\s*([#>|*+-]|\d+[.)])/.test(line) ? "" : line;
  }
  return found;
}

/** A heading without its Markdown. */
function plain(text: string): string {
  return text.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/<[^>]+>/g, "").replace(/(\*\*|__|[*`])/g, "").trim();
}
