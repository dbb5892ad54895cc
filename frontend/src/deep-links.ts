/** Addresses that name a file and a line of it, `?file=src/a.py#L10`, or a terminal, `?terminal=2`. Pure. */

export interface Place {
  /** In the project, without its slug. */
  path: string;
  /** From 1; 0 where none is named. */
  line: number;
  column: number;
}

export function placeOfPage({ search, hash }: { search: string; hash: string }): Place | null {
  const path = (new URLSearchParams(search).get("file") ?? "").replace(/^\/+/, "");
  if (!path || path.split("/").some((part) => part === ".." || part === "." || part === "")) return null;
  const found = /^#L(\d{1,7})(?:C(\d{1,7}))?$/.exec(hash);
  return { path, line: Number(found?.[1] ?? 0), column: Number(found?.[2] ?? 1) };
}

/** The address of the page at `path` with what else it says kept; without a file where `path` is "". */
export function linkTo({ pathname, search }: { pathname: string; search: string }, path: string, line = 0): string {
  const rest = new URLSearchParams(search);
  rest.delete("file");
  rest.delete("terminal"); // it was for arriving
  const file = path ? `file=${path.split("/").map(encodeURIComponent).join("/")}` : "";
  const query = [rest.toString(), file].filter(Boolean).join("&");
  return `${pathname}${query ? `?${query}` : ""}${path && line > 0 ? `#L${String(line)}` : ""}`;
}

/** The name of the terminal that the page's address leads to; "" for none. */
export function terminalOfPage({ search }: { search: string }): string {
  const name = new URLSearchParams(search).get("terminal") ?? "";
  return /^[\w-]{1,32}$/.test(name) ? name : "";
}

export function linkToTerminal({ origin, pathname }: { origin: string; pathname: string }, name: string): string {
  return `${origin}${pathname}?terminal=${encodeURIComponent(name)}`;
}
