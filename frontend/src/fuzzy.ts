/** Finding by a few letters of a name, as people type them. Pure. */

export interface Hit<T> {
  item: T;
  /** Where the letters were found in the text. */
  places: readonly number[];
}

const MOST = 60;
const BOUNDARY = /[/_\-. ]/;

/** The items whose text has the letters of `query` in their order, the best first. Letters at the start of a word or
 * after each other, and in the last part of a path, count for more; short texts come before long ones. */
export function fuzzy<T>(query: string, items: readonly T[], text: (item: T) => string, most = MOST): Hit<T>[] {
  const wanted = query.toLocaleLowerCase().replace(/\s+/g, "");
  if (!wanted) return items.slice(0, most).map((item) => ({ item, places: [] }));
  const hits: (Hit<T> & { score: number })[] = [];
  for (const item of items) {
    const found = match(wanted, text(item));
    if (found) hits.push({ item, ...found });
  }
  return hits.sort((a, b) => b.score - a.score).slice(0, most);
}

/** Tries the last part of a path first: that is what people mean. */
function match(wanted: string, text: string): { places: number[]; score: number } | null {
  const name = text.lastIndexOf("/") + 1;
  const inName = scan(wanted, text, name);
  const anywhere = inName ? null : scan(wanted, text, 0);
  const found = inName ?? anywhere;
  return found && { places: found.places, score: found.score + (inName ? 20 : 0) - text.length / 50 };
}

function scan(wanted: string, text: string, from: number): { places: number[]; score: number } | null {
  const lower = text.toLocaleLowerCase();
  if (lower.length !== text.length) return null; // a letter that changes its length: its places could not be told
  const whole = lower.indexOf(wanted, from);
  if (whole >= 0) {
    const start = whole === from || BOUNDARY.test(text[whole - 1] ?? "");
    return { places: Array.from(wanted, (_, at) => whole + at), score: wanted.length * 4 + (start ? 12 : 4) };
  }
  const places: number[] = [];
  let score = 0;
  let at = from;
  for (const letter of wanted) {
    const found = lower.indexOf(letter, at);
    if (found < 0) return null;
    const starts = found === from || BOUNDARY.test(text[found - 1] ?? "") || (/[A-Z]/.test(text[found] ?? "") && /[a-z]/.test(text[found - 1] ?? ""));
    score += found === at && places.length ? 3 : starts ? 4 : 1;
    places.push(found);
    at = found + letter.length;
  }
  return { places, score };
}

/** A path with a line as people write them: `a.py:10`, `a.py:10:4`, `a.py#L10`. */
export function placeOf(text: string): { path: string; line: number; column: number } {
  const found = /^(.*?)(?::(\d{1,7})(?::(\d{1,7}))?|#L(\d{1,7}))?$/s.exec(text.trim());
  return { path: found?.[1] ?? "", line: Number(found?.[2] ?? found?.[4] ?? 0), column: Number(found?.[3] ?? 0) };
}
