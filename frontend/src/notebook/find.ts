/** Search in the texts of a notebook's cells. Pure. */
import { type NotebookModel, sourceOf } from "./model.js";

export interface Query {
  readonly text: string;
  readonly matchCase: boolean;
  readonly regex: boolean;
}

export interface Match {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

/** Matches counted at most. */
const MOST = 10_000;

/** The expression to search by; null for an empty query.
 * @throws SyntaxError it is not a regular expression. */
export function patternOf(query: Query): RegExp | null {
  if (query.text === "") return null;
  const source = query.regex ? query.text : query.text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(source, query.matchCase ? "gmu" : "gimu");
}

export function matchesOf(model: NotebookModel, pattern: RegExp): Match[] {
  const found: Match[] = [];
  model.cells.forEach((cell) => {
    const id = cell.get("id") as string;
    for (const match of sourceOf(cell).toString().matchAll(pattern)) {
      if (match[0] !== "" && found.length < MOST) found.push({ id, from: match.index, to: match.index + match[0].length });
    }
  });
  return found;
}

/** Replace matches, as one step of undo. In a regular expression's replacement $1 and $& mean what they found. */
export function replaceMatches(model: NotebookModel, matches: readonly Match[], pattern: RegExp, query: Query, by: string): void {
  const once = new RegExp(pattern.source, pattern.flags.replace("g", ""));
  model.change(() => {
    for (const { id, from, to } of [...matches].reverse()) {
      const text = sourceOf(model.cell(id)).toString().slice(from, to);
      model.replace(id, from, to, query.regex ? text.replace(once, by) : by);
    }
  });
}
