/** What git prints, read. */

export interface Change {
  path: string;
  /** The path before, of what was renamed. */
  before: string;
  /** One letter of git-status(1): M, A, D, R, C, T, U, ? for a new file. */
  letter: string;
  staged: boolean;
}

export interface Status {
  branch: string;
  upstream: string;
  ahead: number;
  behind: number;
  /** Is there a commit? */
  born: boolean;
  changes: Change[];
}

/** Read `git status --porcelain=v2 --branch -z`. */
export function readStatus(text: string): Status {
  const status: Status = { branch: "", upstream: "", ahead: 0, behind: 0, born: true, changes: [] };
  const records = text.split("\0");
  for (let at = 0; at < records.length; at += 1) {
    const record = records[at] ?? "";
    if (record.startsWith("# ")) readHeader(status, record);
    else if (record.startsWith("? ")) status.changes.push({ path: record.slice(2), before: "", letter: "?", staged: false });
    else if (/^[12u] /.test(record)) {
      // The number of words before the path: gitformat of git-status(1), "Changed Tracked Entries".
      const words = { "1": 8, "2": 9, u: 10 }[record[0] as "1" | "2" | "u"];
      const [path, before] = [afterWords(record, words), record.startsWith("2") ? (records[(at += 1)] ?? "") : ""];
      const [index = ".", tree = "."] = record.slice(2, 4);
      if (record.startsWith("u")) status.changes.push({ path, before, letter: "U", staged: false });
      else {
        if (index !== ".") status.changes.push({ path, before, letter: index, staged: true });
        if (tree !== ".") status.changes.push({ path, before: "", letter: tree, staged: false });
      }
    }
  }
  return status;
}

function readHeader(status: Status, record: string): void {
  const [, key, ...rest] = record.split(" ");
  const value = rest.join(" ");
  if (key === "branch.head") status.branch = value;
  else if (key === "branch.upstream") status.upstream = value;
  else if (key === "branch.oid") status.born = value !== "(initial)";
  else if (key === "branch.ab") [status.ahead = 0, status.behind = 0] = rest.map((number) => Math.abs(Number(number)) || 0);
}

function afterWords(text: string, words: number): string {
  let from = 0;
  for (let word = 0; word < words; word += 1) from = text.indexOf(" ", from) + 1;
  return text.slice(from);
}

export interface Commit {
  hash: string;
  author: string;
  when: string;
  subject: string;
}

export const LOG_FORMAT = "%h%x1f%an%x1f%aI%x1f%s";

/** Read `git log -z` in that format. */
export function readLog(text: string): Commit[] {
  return text.split("\0").filter(Boolean).map((record) => {
    const [hash = "", author = "", when = "", subject = ""] = record.trim().split("\x1f");
    return { hash, author, when, subject };
  });
}
