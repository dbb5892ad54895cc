/** What a terminal would show of a stream of text: carriage returns and backspaces move back and overwrite. */

export interface StreamText {
  /** Complete lines, with their newline. */
  readonly done: string;
  /** The line that may still be overwritten. */
  readonly tail: string;
  /** True when `tail` ended in a carriage return: what comes next overwrites it from its start. */
  readonly returned: boolean;
  /** Characters that were there and are no longer kept, from its beginning. */
  readonly cut: number;
}

export const EMPTY: StreamText = { done: "", tail: "", returned: false, cut: 0 };

/** Characters of one output that a page keeps, and how many more may gather before it is cut back to that. */
export const KEPT = 4_000_000;
const SLACK = 1_000_000;

// Colours (SGR) are kept, the other control sequences have no meaning here.
const OTHER_SEQUENCES = /\x1b\[[0-9;?]*[A-LN-Zac-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]/g;
const SGR = /\x1b\[[0-9;]*m/g;
const CONTROL = /[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f]/g;

/** Add a piece of output, and forget the beginning of what is far too long. Pure; but for that `done` only grows, so that
 * a flood costs no more than its own length. */
export function append(stream: StreamText, chunk: string): StreamText {
  return limited(added(stream, chunk));
}

function limited(stream: StreamText): StreamText {
  if (stream.done.length + stream.tail.length <= KEPT + SLACK) return stream;
  const tail = stream.tail.slice(-KEPT);
  const from = Math.max(0, stream.done.length - (KEPT - tail.length));
  // From a whole line on, where there is one.
  const line = from === 0 ? 0 : stream.done.indexOf("\n", from - 1) + 1 || stream.done.length;
  const cut = stream.cut + line + (stream.tail.length - tail.length);
  return { ...stream, done: stream.done.slice(line), tail, cut };
}

function added(stream: StreamText, chunk: string): StreamText {
  const clean = chunk.replace(OTHER_SEQUENCES, "").replace(CONTROL, "");
  if (!/[\r\x08]/.test(clean) && !stream.returned) return plain(stream, clean);
  let { done, tail, returned } = stream;
  for (const [piece, end] of pieces(clean)) {
    if (piece) {
      tail = returned ? overwrite(tail, piece) : backspaces(tail + piece);
      returned = false;
    }
    if (end === "\n") {
      done += tail + "\n";
      tail = "";
      returned = false;
    } else if (end === "\r") {
      returned = true;
    }
  }
  return { done, tail, returned, cut: stream.cut };
}

/** The whole of it as text. */
export function textOf(stream: StreamText): string {
  return stream.done + stream.tail;
}

function plain(stream: StreamText, chunk: string): StreamText {
  const end = chunk.lastIndexOf("\n");
  if (end < 0) return { ...stream, tail: stream.tail + chunk };
  return { ...stream, done: stream.done + stream.tail + chunk.slice(0, end + 1), tail: chunk.slice(end + 1), returned: false };
}

function* pieces(text: string): Generator<[string, string]> {
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== "\n" && text[at] !== "\r") continue;
    yield [text.slice(from, at), text[at] ?? ""];
    from = at + 1;
  }
  if (from < text.length) yield [text.slice(from), ""];
}

function backspaces(line: string): string {
  let result = line;
  while (/[^\x08]\x08/.test(result)) result = result.replace(/[^\x08]\x08/g, "");
  return result.replace(/^\x08+/, "");
}

function overwrite(old: string, piece: string): string {
  const fresh = backspaces(piece);
  const width = visible(fresh);
  const rest = [...old.replace(SGR, "")].slice(width).join("");
  return fresh + rest;
}

function visible(line: string): number {
  return [...line.replace(SGR, "")].length;
}
