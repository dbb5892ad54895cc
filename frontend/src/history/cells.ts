/** What is different between two states of a notebook, cell by cell. Pure. */

interface Cell {
  id?: string;
  type: string;
  source: string;
  outputs: string;
  metadata: string;
}

export interface Difference {
  kind: "changed" | "added" | "removed" | "moved";
  type: string;
  /** "" of a cell that was not there. */
  before: string;
  after: string;
  /** Its outputs are others. */
  outputs: boolean;
}

/** How many cells are the same, or one that is not. */
export type Row = number | Difference;

/** The cells of `before` and `after`, both texts of .ipynb files, in the order of `after`; null where one is no notebook. */
export function compareCells(before: string, after: string): Row[] | null {
  const [old, now] = [cellsOf(before), cellsOf(after)];
  if (!old || !now) return null;
  const ids = [...old, ...now].every(({ id }) => id !== undefined);
  const key = (cell: Cell): string => (ids ? (cell.id ?? "") : `${cell.type} ${cell.source}`);
  const pairs = ids ? aligned(old, now, key) : joined(aligned(old, now, key));
  const [gone, come] = [new Map<string, Cell>(), new Set<string>()];
  if (ids) {
    for (const [was, is] of pairs) {
      if (was && !is) gone.set(key(was), was);
      if (is && !was) come.add(key(is));
    }
  }
  const rows: Row[] = [];
  for (const [was, is] of pairs) {
    if (was && !is && come.has(key(was))) continue; // it is told where it is now
    add(rows, was ?? (is && gone.get(key(is))), is, !was);
  }
  return rows;
}

type Pair = [Cell | undefined, Cell | undefined];

function add(rows: Row[], was: Cell | undefined, is: Cell | undefined, elsewhere: boolean): void {
  const outputs = was !== undefined && is !== undefined && was.outputs !== is.outputs;
  const moved = elsewhere && was !== undefined;
  if (was && is && !moved && !outputs && was.source === is.source && was.type === is.type && was.metadata === is.metadata) {
    const last = rows.at(-1);
    if (typeof last === "number") rows[rows.length - 1] = last + 1;
    else rows.push(1);
    return;
  }
  const kind = !was ? "added" : !is ? "removed" : moved ? "moved" : "changed";
  rows.push({ kind, type: (is ?? was)?.type ?? "", before: was?.source ?? "", after: is?.source ?? "", outputs });
}

function cellsOf(text: string): Cell[] | null {
  try {
    const { cells } = (JSON.parse(text) ?? {}) as { cells?: unknown };
    return Array.isArray(cells) ? cells.map((cell) => cellOf(cell as Record<string, unknown>)) : null;
  } catch {
    return null;
  }
}

function cellOf({ id, cell_type: type, source, outputs, metadata }: Record<string, unknown>): Cell {
  return {
    ...(typeof id === "string" ? { id } : {}),
    type: String(type),
    source: Array.isArray(source) ? source.join("") : String(source ?? ""),
    outputs: without("execution_count", outputs ?? []),
    metadata: without("execution", metadata ?? {}),
  };
}

/** As JSON, but for what is different in every run. */
function without(name: string, value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => (key === name ? undefined : inner));
}

/** With more of them to compare, what is between equal ends counts as replaced. */
const MOST_COMPARED = 4_000_000;

/** Both lists as pairs, by their longest common subsequence of keys. */
function aligned(old: readonly Cell[], now: readonly Cell[], key: (cell: Cell) => string): Pair[] {
  let [from, oldEnd, nowEnd] = [0, old.length, now.length];
  const same = (a: number, b: number): boolean => key(old[a] as Cell) === key(now[b] as Cell);
  while (from < oldEnd && from < nowEnd && same(from, from)) from += 1;
  while (oldEnd > from && nowEnd > from && same(oldEnd - 1, nowEnd - 1)) [oldEnd, nowEnd] = [oldEnd - 1, nowEnd - 1];
  const few = (oldEnd - from) * (nowEnd - from) <= MOST_COMPARED;
  const lengths = few ? longest(from, oldEnd, nowEnd, same) : [];
  const pairs: Pair[] = old.slice(0, from).map((cell, at) => [cell, now[at]]);
  let [a, b] = [from, from];
  while (a < oldEnd || b < nowEnd) {
    const [down, right] = [lengths[a + 1 - from]?.[b - from] ?? 0, lengths[a - from]?.[b + 1 - from] ?? 0];
    if (few && a < oldEnd && b < nowEnd && same(a, b)) pairs.push([old[a++], now[b++]]);
    else if (b === nowEnd || (a < oldEnd && down >= right)) pairs.push([old[a++], undefined]);
    else pairs.push([undefined, now[b++]]);
  }
  return [...pairs, ...old.slice(oldEnd).map((cell, at): Pair => [cell, now[nowEnd + at]])];
}

/** How many cells the ends of both lists have in common, from each place of either. */
function longest(from: number, oldEnd: number, nowEnd: number, same: (a: number, b: number) => boolean): number[][] {
  const [rows, columns] = [oldEnd - from, nowEnd - from];
  const found = Array.from({ length: rows + 1 }, () => new Array<number>(columns + 1).fill(0));
  for (let a = rows - 1; a >= 0; a -= 1) {
    for (let b = columns - 1; b >= 0; b -= 1) {
      const here = found[a] as number[];
      const below = found[a + 1] as number[];
      here[b] = same(from + a, from + b) ? (below[b + 1] ?? 0) + 1 : Math.max(below[b] ?? 0, here[b + 1] ?? 0);
    }
  }
  return found;
}

/** Without ids, a cell that is gone beside one of its type that has come is taken for one that was changed. */
function joined(pairs: readonly Pair[]): Pair[] {
  const found: Pair[] = [];
  let waiting: Cell[] = [];
  const settle = (): void => {
    found.push(...waiting.map((cell): Pair => [cell, undefined]));
    waiting = [];
  };
  for (const [was, is] of pairs) {
    if (was && !is) waiting.push(was);
    else if (is && !was && waiting[0]?.type === is.type) found.push([waiting.shift(), is]);
    else {
      settle();
      found.push([was, is]);
    }
  }
  settle();
  return found;
}
