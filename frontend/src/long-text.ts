/** What is shown of a text that may be very long. */

/** Shown of a long text before the person asks for all of it, and at most then. */
export const LINES = 400;
const LINES_AT_MOST = 20_000;
const CHARACTERS = 50_000;
const CHARACTERS_AT_MOST = 2_000_000;

/** The end of a long text, without walking through all of it more often than needed. */
export function lastLines(text: string, all: boolean): { shown: string; hidden: number } {
  const lines = all ? LINES_AT_MOST : LINES;
  let from = text.length;
  for (let count = 0; count < lines && from > 0; count += 1) from = text.lastIndexOf("\n", from - 2) + 1;
  from = Math.max(from, text.length - (all ? CHARACTERS_AT_MOST : CHARACTERS));
  if (from <= 0) return { shown: text, hidden: 0 };
  let hidden = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < from; at = text.indexOf("\n", at + 1)) hidden += 1;
  return { shown: text.slice(from), hidden: Math.max(hidden, 1) };
}
