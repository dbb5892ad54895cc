/** Sequences that would hold up the page for minutes or fill its memory: xterm.js does as often as it is told. */
import type { Terminal } from "@xterm/xterm";

/** No screen has so many rows or columns, and no repetition so many characters, that more would make a difference. */
const MOST_LINES = 1000;
const MOST_TABS = 1000;
const MOST_REPEATED = 65_536;
/** Characters of a link's address (OSC 8), which is kept as long as the line is. */
const LONGEST_LINK = 4096;

const LIMITS: readonly [string, number][] = [
  ["L", MOST_LINES], ["M", MOST_LINES], ["S", MOST_LINES], ["T", MOST_LINES], // insert, delete, scroll up and down
  ["I", MOST_TABS], ["Z", MOST_TABS], // tabs forward and back
  ["b", MOST_REPEATED], // the character before, again
];

export function limitRepetition(terminal: Terminal): void {
  for (const [final, most] of LIMITS) terminal.parser.registerCsiHandler({ final }, ([times]) => typeof times === "number" && times > most);
  terminal.parser.registerOscHandler(8, (data) => data.length > LONGEST_LINK);
}
