/** Earlier states of a document, over REST (docs/developers/documents.md). */
import { request } from "../api.js";

export interface State {
  /** That of its last update. */
  number: number;
  at: string;
  authors: readonly { id: number; name: string }[];
  origin: "edit" | "disk" | "kernel" | "restore";
}

export interface Page {
  /** Oldest first. */
  states: readonly State[];
  /** Ask for what is before this one; null where there is nothing. */
  next: number | null;
}

export class History {
  private readonly base: string;

  /** `path` is relative to the project. */
  constructor(project: string, path: string) {
    this.base = `/api/v1/projects/${project}/documents/${path.split("/").map(encodeURIComponent).join("/")}/history`;
  }

  async page(before: number | null = null): Promise<Page> {
    const { items, next } = await request<{ items: State[]; next: number | null }>(before === null ? this.base : `${this.base}?before=${String(before)}`);
    return { states: items.reverse(), next };
  }

  /** The file as it was then. */
  async text(number: number, signal?: AbortSignal): Promise<string> {
    return (await request<{ text: string }>(`${this.base}/${String(number)}`, signal ? { signal } : {})).text;
  }

  /** Make the document say again what it said then: an edit like any other. */
  async restore(number: number): Promise<void> {
    await request(`${this.base}/${String(number)}/restore`, { method: "POST" });
  }
}

/** A name for a copy of a file as it was at a time: `plot.py` becomes `plot-2026-03-04-0915.py`. */
export function nameOfCopy(path: string, at: Date, count = 1): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = [String(at.getFullYear()), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const stamp = `${day}-${two(at.getHours())}${two(at.getMinutes())}${count > 1 ? `-${String(count)}` : ""}`;
  const [, stem = path, ending = ""] = /^(.*[^/])(\.[^./]+)$/.exec(path) ?? [];
  return `${stem}-${stamp}${ending}`;
}
