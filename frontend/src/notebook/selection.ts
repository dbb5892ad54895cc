/** Which cells are selected: those from `anchor` to `active`. Pure. */

export interface Selection {
  /** The cell that keys and buttons mean. */
  readonly active: string;
  /** The other end of a selection of several; the active cell where it is the only one. */
  readonly anchor: string;
}

export function only(id: string): Selection {
  return { active: id, anchor: id };
}

export function extendTo(selection: Selection, id: string): Selection {
  return { active: id, anchor: selection.anchor };
}

/** The selected ids, in the order of `ids`. */
export function selected(selection: Selection, ids: readonly string[]): string[] {
  const [a, b] = [ids.indexOf(selection.active), ids.indexOf(selection.anchor)];
  if (a < 0) return [];
  return b < 0 ? [selection.active] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
}

/** The id `step` further on, or the last one there is in that direction. */
export function neighbour(ids: readonly string[], id: string, step: number): string {
  const at = Math.max(ids.indexOf(id), 0) + step;
  return ids[Math.min(Math.max(at, 0), ids.length - 1)] ?? id;
}

/** The selection after cells came or went: a lost active cell is replaced by what stands where it stood. */
export function kept(selection: Selection, before: readonly string[], now: readonly string[]): Selection {
  if (now.includes(selection.active)) {
    return now.includes(selection.anchor) ? selection : only(selection.active);
  }
  const at = before.indexOf(selection.active);
  const next = before.slice(Math.max(at, 0)).find((id) => now.includes(id));
  return only(next ?? now.at(-1) ?? "");
}
