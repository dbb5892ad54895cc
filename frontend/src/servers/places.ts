/** Places in files that programs speak of: tracebacks, compilers' errors. */

export interface Place {
  /** Where in the line it is said. */
  start: number;
  end: number;
  file: string;
  /** From 1. */
  line: number;
  column: number;
  message: string;
  severity: "error" | "warning" | "info";
}

const NAME = String.raw`((?:[\p{L}\p{N}_.@+~-]|\/)*[\p{L}\p{N}_-]\.[A-Za-z]\w{0,5})`;
const PATTERNS: readonly RegExp[] = [
  /File "([^"]+)", line (\d+)()/gu, // Python
  new RegExp(String.raw`${NAME}\((\d+),(\d+)\)`, "gu"), // TypeScript
  new RegExp(String.raw`${NAME}:(\d+)(?::(\d+))?`, "gu"), // GCC, Clang, Go, Rust, Java, Node.js, Lua
  new RegExp(String.raw`${NAME}: line (\d+)()`, "gu"), // shells
  new RegExp(String.raw`${NAME} (?:on )?line (\d+)()`, "gu"), // PHP, Perl
];

/** Those in one line, in the order in which they are said, none twice. */
export function placesIn(text: string): Place[] {
  const found: Place[] = [];
  for (const pattern of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const [whole, file = "", line = "0", column] = match;
      const [start, end] = [match.index, match.index + whole.length];
      if (found.some((other) => start < other.end && other.start < end)) continue;
      const said = /^[\s:)]*(?:(fatal error|error|warning|note|info)\b[^:]*:)?\s*(.*)$/u.exec(text.slice(end));
      const severity = said?.[1] === "warning" ? "warning" : said?.[1] === "note" || said?.[1] === "info" ? "info" : "error";
      found.push({ start, end, file, line: Number(line), column: Number(column ?? 0) || 1, message: said?.[2]?.trim() ?? "", severity });
    }
  }
  return found.filter(({ file, line }) => line > 0 && !file.startsWith("//")).sort((a, b) => a.start - b.start);
}

/** What to show beside the code, of all that a program printed. `inProject` gives a file's path, or null. */
export function marksOf(lines: readonly string[], inProject: (file: string) => string | null): Mark[] {
  const marks: Mark[] = [];
  let frame: Mark | null = null;
  for (const text of lines) {
    if (frame && /^[\p{L}_][\p{L}\p{N}_.]*(?:: |$)/u.test(text)) {
      marks.push({ ...frame, message: text.trim() });
      frame = null;
      continue;
    }
    const python = /^\s+File "/.test(text);
    for (const place of placesIn(text)) {
      const path = inProject(place.file);
      if (path === null) continue;
      const mark: Mark = { path, line: place.line, column: place.column, message: place.message, severity: place.severity };
      if (python) frame = mark; // the innermost of the project's own is where it went wrong
      else if (mark.message) marks.push(mark);
    }
  }
  return marks;
}

export interface Mark {
  path: string;
  line: number;
  column: number;
  message: string;
  severity: "error" | "warning" | "info";
}

/** The project's path of a file that a program in `folder` names; null where it lies outside. `root` is the project's folder inside. */
export function projectPath(file: string, folder: string, root: string): string | null {
  const whole = file.startsWith("/") ? file : `${root}/${folder ? `${folder}/` : ""}${file}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  const path = `/${parts.join("/")}`;
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : null;
}
