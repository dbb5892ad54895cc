/** The keys of command mode, as JupyterLab has them. Pure: keys in, commands out. */

export type Command =
  | "edit" | "runAdvance" | "runStay" | "runInsert" | "previous" | "next" | "extendPrevious" | "extendNext" | "selectAll"
  | "first" | "last" | "insertAbove" | "insertBelow" | "remove" | "undo" | "redo" | "cut" | "copy" | "pasteBelow" | "pasteAbove"
  | "toCode" | "toMarkdown" | "toRaw" | "heading1" | "heading2" | "heading3" | "heading4" | "heading5" | "heading6"
  | "mergeBelow" | "interrupt" | "restart" | "lineNumbers" | "allLineNumbers" | "toggleOutput" | "scrollOutput" | "moveUp" | "moveDown"
  | "pageDown" | "pageUp" | "find" | "keys" | "fold" | "unfold"
  // these have no key of their own
  | "toggleInput" | "duplicate" | "clearOutput" | "clearAll" | "addTag" | "runAll" | "runAbove" | "runBelow" | "restartRunAll" | "addCode" | "addText";

const KEYS: Readonly<Record<string, Command>> = {
  "Enter": "edit", "Shift-Enter": "runAdvance", "Ctrl-Enter": "runStay", "Alt-Enter": "runInsert",
  "k": "previous", "ArrowUp": "previous", "j": "next", "ArrowDown": "next",
  "Shift-K": "extendPrevious", "Shift-ArrowUp": "extendPrevious", "Shift-J": "extendNext", "Shift-ArrowDown": "extendNext",
  "Ctrl-a": "selectAll", "Ctrl-Home": "first", "Ctrl-ArrowUp": "first", "Ctrl-End": "last", "Ctrl-ArrowDown": "last",
  "a": "insertAbove", "b": "insertBelow", "d d": "remove", "z": "undo", "Ctrl-z": "undo", "Shift-Z": "redo", "Ctrl-Shift-Z": "redo", "Ctrl-y": "redo",
  "x": "cut", "c": "copy", "v": "pasteBelow", "Shift-V": "pasteAbove",
  "y": "toCode", "m": "toMarkdown", "r": "toRaw",
  "1": "heading1", "2": "heading2", "3": "heading3", "4": "heading4", "5": "heading5", "6": "heading6",
  "Shift-M": "mergeBelow", "i i": "interrupt", "0 0": "restart", "l": "lineNumbers", "Shift-L": "allLineNumbers",
  "o": "toggleOutput", "Shift-O": "scrollOutput", "Ctrl-Shift-ArrowUp": "moveUp", "Ctrl-Shift-ArrowDown": "moveDown",
  "Space": "pageDown", "Shift-Space": "pageUp", "ArrowLeft": "fold", "ArrowRight": "unfold", "f": "find", "Ctrl-f": "find", "h": "keys",
};
const BEGINNINGS = new Set(Object.keys(KEYS).filter((keys) => keys.includes(" ")).map((keys) => keys.split(" ")[0]));

/** The parts of a KeyboardEvent that name a key. On a Mac the command key is Ctrl here. */
export interface Pressed {
  readonly key: string;
  /** The key's place, for keyboards whose letters are not Latin ones. */
  readonly code?: string;
  readonly ctrlKey?: boolean;
  readonly metaKey?: boolean;
  readonly altKey?: boolean;
  readonly shiftKey?: boolean;
}

export function nameOf(pressed: Pressed): string {
  const letter = /^Key([A-Z])$/.exec(pressed.code ?? "")?.[1];
  // With a Korean keyboard the key that says "b" to its owner says "ㅠ" to us.
  let key = letter !== undefined && !/^[\x20-\x7e]$/.test(pressed.key) ? letter.toLowerCase() : pressed.key;
  if (key === " ") key = "Space";
  if (/^[a-z]$/i.test(key)) key = pressed.shiftKey ? key.toUpperCase() : key.toLowerCase();
  const mods = [pressed.ctrlKey || pressed.metaKey ? "Ctrl-" : "", pressed.altKey ? "Alt-" : ""].join("");
  const shift = pressed.shiftKey && (key.length > 1 || /[A-Z]/.test(key)) ? "Shift-" : "";
  return `${mods}${shift}${key}`;
}

/** Tells key by key what is meant. */
export class CommandKeys {
  private begun = "";

  /** The command of this key, "more" where it is the first of two, null where it means nothing here. */
  press(pressed: Pressed): Command | "more" | null {
    if (["Shift", "Control", "Alt", "Meta"].includes(pressed.key)) return null;
    const name = nameOf(pressed);
    const both = KEYS[`${this.begun} ${name}`];
    if (this.begun && both) {
      this.begun = "";
      return both;
    }
    this.begun = BEGINNINGS.has(name) ? name : "";
    return this.begun ? "more" : (KEYS[name] ?? null);
  }
}
