/** Parts of files as text or as bytes. Pure. */

/** Whether the first bytes of a file look like text: no zero byte, and UTF-8 but for a letter cut at the end. */
export function isText(data: Uint8Array): boolean {
  if (data.subarray(0, 8192).includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(data, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The text of a part up to its last line end (all of it at the end of the file, or where a line is longer than the
 * part), and how many bytes that is. */
export function wholeLines(data: Uint8Array, first: number, size: number): { text: string; used: number } {
  const last = first + data.length >= size;
  const end = last ? data.length : data.lastIndexOf(10) + 1;
  const used = end > 0 ? end : data.length;
  return { text: new TextDecoder().decode(data.subarray(0, used)), used };
}

/** Sixteen bytes a line: the place, the bytes, and the letters among them. */
export function hexDump(data: Uint8Array, first: number): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += 16) {
    const some = [...data.subarray(at, at + 16)];
    const hex = some.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = some.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${(first + at).toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${letters}`);
  }
  return lines.join("\n");
}
