/** Sections of a notebook that are folded under their headings. Pure.
 *
 * A section is what follows a text cell that begins with a heading, up to the next one of its level or above. It is kept in
 * the heading's metadata under the name that JupyterLab uses; the older one of its extension is read too. */
import { headingsIn } from "./outline.js";
import { idOf, metadataOf, type NotebookModel, sourceOf, typeOf, type YCell } from "./model.js";

export const FOLDED = "jp-MarkdownHeadingCollapsed";
const FOLDED_BEFORE = "heading_collapsed";

export interface Fold {
  readonly folded: boolean;
  /** The cells of the section, without the heading. */
  readonly count: number;
}

export interface Folds {
  /** The cells that are in sight, in their order. */
  readonly shown: readonly string[];
  /** By the id of a heading's cell. */
  readonly headings: ReadonlyMap<string, Fold>;
  /** From a cell that is not in sight to the heading that is shown for it. */
  readonly under: ReadonlyMap<string, string>;
}

/** `own` says what somebody has folded or unfolded for themselves. */
export function foldsOf(model: NotebookModel, own: ReadonlyMap<string, boolean>): Folds {
  const cells = model.cells.toArray();
  const levels = cells.map(levelOf);
  const headings = new Map<string, Fold>();
  const under = new Map<string, string>();
  const shown: string[] = [];
  let folding = { id: "", level: 0 };
  cells.forEach((cell, at) => {
    const id = idOf(cell);
    const level = levels[at] ?? 0;
    if (folding.id && level > 0 && level <= folding.level) folding = { id: "", level: 0 };
    if (folding.id) under.set(id, folding.id);
    else shown.push(id);
    if (level === 0) return;
    const folded = own.get(id) ?? isFolded(metadataOf(cell));
    headings.set(id, { folded, count: sectionLength(levels, at) });
    if (folded && !folding.id) folding = { id, level };
  });
  return { shown, headings, under };
}

/** Fold the section of a heading, or unfold it, for everybody. */
export function setFolded(model: NotebookModel, id: string, folded: boolean): void {
  model.change(() => {
    model.setMetadata(id, FOLDED, folded ? true : undefined);
    if (metadataOf(model.cell(id))[FOLDED_BEFORE] !== undefined) model.setMetadata(id, FOLDED_BEFORE, undefined);
  });
}

/** What is folded for this page: the document's sections, but for what somebody who only reads has folded, and what was
 * unfolded to lead somewhere. */
export class Folding {
  private readonly own = new Map<string, boolean>();

  of(model: NotebookModel): Folds {
    return foldsOf(model, this.own);
  }

  fold(model: NotebookModel, id: string, folded: boolean, readOnly: boolean): void {
    if (!this.of(model).headings.get(id)?.count) return;
    this.own.delete(id);
    if (readOnly) this.own.set(id, folded);
    else setFolded(model, id, folded);
  }

  /** Unfold what a cell is in, for this page. */
  uncover(model: NotebookModel, id: string): void {
    for (let over = this.of(model).under.get(id); over !== undefined; over = this.of(model).under.get(id)) this.own.set(over, false);
  }
}

function isFolded(metadata: Record<string, unknown>): boolean {
  return metadata[FOLDED] === true || metadata[FOLDED_BEFORE] === true;
}

/** 1 to 6 for a text cell that begins with a heading, else 0. */
function levelOf(cell: YCell): number {
  if (typeOf(cell) !== "markdown") return 0;
  const source = sourceOf(cell).toString().trimStart();
  const [first] = /^[#]/.test(source) || /^[^\n]+\n\s{0,3}[=-]+\s*(\n|$)/.test(source) ? headingsIn("", source) : [];
  return first?.level ?? 0;
}

function sectionLength(levels: readonly number[], at: number): number {
  const level = levels[at] ?? 0;
  const end = levels.findIndex((other, place) => place > at && other > 0 && other <= level);
  return (end < 0 ? levels.length : end) - at - 1;
}

/** `ids` with all that is folded under them, in the notebook's order. */
export function withFolded(model: NotebookModel, folds: Folds, ids: readonly string[]): string[] {
  const all = new Set(ids);
  for (const [id, heading] of folds.under) if (all.has(heading)) all.add(id);
  return model.inOrder([...all]);
}

/** The place after a cell and what is folded under it. */
export function placeAfter(model: NotebookModel, folds: Folds, id: string): number {
  const last = withFolded(model, folds, [id]).at(-1) ?? id;
  return model.index(last) + 1;
}
