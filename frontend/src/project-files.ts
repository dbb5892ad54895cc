/** What the site does with a project's files beyond Jupyter's contents API (`/api/v1/projects/<id>/…`). */
import { request, send } from "./api.js";

const at = (project: string, rest: string): string => `/api/v1/projects/${encodeURIComponent(project)}/${rest}`;

export interface Thrown {
  id: string;
  path: string;
  kind: "file" | "directory" | "link" | "special";
  size: number;
  at: string;
  until: string;
}

/** Paths have no slug in front here. */
export async function names(project: string): Promise<readonly string[]> {
  return (await request<{ paths: string[] }>(at(project, "names"))).paths;
}

export function throwAway(project: string, paths: readonly string[]): Promise<Thrown[]> {
  return request(at(project, "trash"), { method: "POST", body: { paths } });
}

export function trash(project: string): Promise<Thrown[]> {
  return request(at(project, "trash"));
}

export function putBack(project: string, id: string): Promise<{ path: string }> {
  return request(at(project, `trash/${id}/restore`), { method: "POST" });
}

/** For good; all of it without an id. */
export function forget(project: string, id = ""): Promise<void> {
  return request(at(project, id ? `trash/${id}` : "trash"), { method: "DELETE" });
}

export function zipUrl(project: string, paths: readonly string[]): string {
  return at(project, `files.zip?${new URLSearchParams(paths.map((path) => ["path", path])).toString()}`);
}

export function uploaded(project: string, path: string): Promise<{ pieces: number; size: number }> {
  return request(at(project, `upload?path=${encodeURIComponent(path)}`));
}

export interface Wanted {
  text: string;
  regex: boolean;
  case: boolean;
  word: boolean;
  replacement?: string;
  only: readonly string[];
}

export interface Match {
  line: number;
  column: number;
  before: string;
  match: string;
  after: string;
  replaced?: string;
}

export interface FoundFile {
  type: "file";
  path: string;
  modified: string;
  matches: Match[];
}

export interface SearchEnd {
  type: "end";
  matches: number;
  files: number;
  passed_over: number;
  more: boolean;
}

export interface Replaced {
  undo: string;
  files: string[];
  count: number;
  refused: Record<string, string>;
}

/** Calls `found` for each file as it comes; resolves with the last record.
 * @throws ApiError the pattern is none, …; DOMException AbortError. */
export async function search(project: string, wanted: Wanted, found: (file: FoundFile) => void, signal: AbortSignal): Promise<SearchEnd | null> {
  const response = await send(at(project, "search"), { method: "POST", body: wanted, signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let end: SearchEnd | null = null;
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    rest += value ?? "";
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const record = JSON.parse(line) as FoundFile | SearchEnd;
      if (record.type === "file") found(record);
      else end = record;
    }
    if (done) return end;
  }
}

export function replaceAll(project: string, wanted: Wanted, files: readonly FoundFile[]): Promise<Replaced> {
  const seen = Object.fromEntries(files.map(({ path, modified }) => [path, modified]));
  return request(at(project, "replace"), { method: "POST", body: { ...wanted, seen } });
}

export function undoReplace(project: string, undo: string): Promise<Replaced> {
  return request(at(project, `replace/${undo}/undo`), { method: "POST" });
}
