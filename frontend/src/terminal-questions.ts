/** Questions that a program asks its terminal, and which must not be answered always.
 *
 * A question in replayed history was answered when it was new; answered again, the answer is typed into whatever
 * reads now. So each question is offered to `mayAnswer` first. (Reading and writing the clipboard, OSC 52, is not among
 * what xterm.js does without an addon; of reports of the window only those of its size are on, for pictures.) */
import type { IDisposable, Terminal } from "@xterm/xterm";

interface Question {
  prefix?: string;
  intermediates?: string;
  final: string;
}

const CSI: Question[] = [
  { final: "c" },
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { prefix: ">", final: "q" },
  { final: "n" },
  { prefix: "?", final: "n" },
  { intermediates: "$", final: "p" },
  { prefix: "?", intermediates: "$", final: "p" },
  { prefix: "?", final: "u" },
  { final: "t" },
  { prefix: "?", final: "S" },
];
const DCS: Question[] = [
  { intermediates: "$", final: "q" },
  { intermediates: "+", final: "q" },
];
/** Colours can be set and asked for with the same sequence. */
const OSC = [4, 10, 11, 12];

export function guardQuestions(terminal: Terminal, mayAnswer: () => boolean): IDisposable[] {
  const swallow = (): boolean => !mayAnswer();
  return [
    ...CSI.map((question) => terminal.parser.registerCsiHandler(question, swallow)),
    ...DCS.map((question) => terminal.parser.registerDcsHandler(question, swallow)),
    ...OSC.map((code) => terminal.parser.registerOscHandler(code, (data) => data.includes("?") && !mayAnswer())),
  ];
}

/** A window title fit for a tab: no control or direction characters, at most 40 characters. */
export function cleanTitle(title: string): string {
  return title.slice(0, 400).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "").trim().slice(0, 40);
}
