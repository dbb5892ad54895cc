/** What keys send that are pressed on the screen. Pure. */

const FIXED = { Escape: "\x1b", Tab: "\t", Interrupt: "\x03", End: "\x04" };
const ARROWS = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D" };

export type KeyName = keyof typeof FIXED | keyof typeof ARROWS;

/** What the key sends; `application` is the mode of the arrows that full-screen programs set (DECCKM). */
export function sent(name: KeyName, application: boolean): string {
  return name in ARROWS ? `\x1b${application ? "O" : "["}${ARROWS[name as keyof typeof ARROWS]}` : FIXED[name as keyof typeof FIXED];
}

/** `data` as it is with Ctrl held: one character that has such a form, else unchanged. */
export function withCtrl(data: string): string {
  if (data.length !== 1) return data;
  const code = data.toUpperCase().charCodeAt(0);
  if (code >= 0x40 && code <= 0x5f) return String.fromCharCode(code & 0x1f);
  return data === " " ? "\0" : data === "?" ? "\x7f" : data;
}
