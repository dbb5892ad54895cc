/** Text on its way from the clipboard into a terminal. Pure. */

/** `text` as it may be typed: with the ends of its lines as Enter sends them, and without controls. An escape in it
 * could end the brackets around a paste, and the rest would be taken for typed. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?|\n/g, "\r").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "");
}

/** The lines of a cleaned text that would each be taken as a command at once: those that Enter ends. */
export function commandsIn(clean: string): string[] {
  return clean.includes("\r") ? clean.replace(/\r$/, "").split("\r") : [];
}

/** Does `text` want a question first? A program that takes pastes in brackets shows them before it runs anything. */
export function wantsQuestion(clean: string, bracketed: boolean): boolean {
  return !bracketed && commandsIn(clean).length > 0;
}
