/** Which rows of a tree are chosen, as lists of files do it everywhere. Pure. */

export interface Selection {
  readonly chosen: ReadonlySet<string>;
  /** Where a range begins. */
  readonly anchor: string;
}

export const NOTHING_CHOSEN: Selection = { chosen: new Set(), anchor: "" };

export function only(path: string): Selection {
  return { chosen: new Set([path]), anchor: path };
}

export function flipped({ chosen }: Selection, path: string): Selection {
  const fresh = new Set(chosen);
  if (!fresh.delete(path)) fresh.add(path);
  return { chosen: fresh, anchor: path };
}

/** From the anchor to `path`, in the order of `rows`. */
export function extended({ anchor }: Selection, path: string, rows: readonly string[]): Selection {
  const [from, to] = [rows.indexOf(anchor), rows.indexOf(path)];
  if (from < 0 || to < 0) return only(path);
  return { chosen: new Set(rows.slice(Math.min(from, to), Math.max(from, to) + 1)), anchor };
}

/** The chosen paths where `path` is one of them, else `path` alone; without what lies in a chosen folder. */
export function meant({ chosen }: Selection, path: string): string[] {
  const all = chosen.has(path) ? [...chosen] : [path];
  return all.filter((one) => !all.some((above) => one.startsWith(`${above}/`)));
}
