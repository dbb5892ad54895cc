/** The project's files through Jupyter's contents API. Thin on purpose: it needs to be there before anything else,
 * and our problem details say more than the client of @jupyterlab/services passes on. */
import { request, send } from "./api.js";

export interface Entry {
  name: string;
  /** With the project's slug in front. */
  path: string;
  type: "file" | "directory" | "notebook";
  size: number | null;
  last_modified: string | null;
  writable: boolean;
}

export interface TextFile extends Entry {
  content: string;
}

export const PIECE = 4 * 1024 * 1024;

function address(path: string): string {
  return `/jupyter/api/contents/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** Folders first, then by name as people sort. */
export function inOrder(entries: readonly Entry[]): Entry[] {
  const folder = (entry: Entry): number => (entry.type === "directory" ? 0 : 1);
  return [...entries].sort((a, b) => folder(a) - folder(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}

export function join(folder: string, name: string): string {
  return folder ? `${folder}/${name}` : name;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function validName(name: string): boolean {
  return name.trim() !== "" && name.length <= 200 && !name.includes("/") && name !== "." && name !== "..";
}

export async function list(path: string): Promise<Entry[]> {
  const folder = await request<{ content: Entry[] }>(`${address(path)}?type=directory`);
  return inOrder(folder.content);
}

export function describe(path: string): Promise<Entry> {
  return request(`${address(path)}?content=0`);
}

/** @throws ApiError 400 or 415 where it is not UTF-8 text. */
export function readText(path: string): Promise<TextFile> {
  return request(`${address(path)}?type=file&format=text`);
}

export function writeText(path: string, content: string): Promise<Entry> {
  return request(address(path), { method: "PUT", body: { type: "file", format: "text", content } });
}

export function makeFolder(path: string): Promise<Entry> {
  return request(address(path), { method: "PUT", body: { type: "directory" } });
}

export function rename(path: string, to: string): Promise<Entry> {
  return request(address(path), { method: "PATCH", body: { path: to } });
}

export function remove(path: string): Promise<void> {
  return request(address(path), { method: "DELETE" });
}

export interface Sending {
  /** Pieces that the site has already. */
  pieces?: number;
  /** Bytes that the site has now. */
  onProgress?: (sent: number) => void;
  signal?: AbortSignal;
}

/** Send a file, in pieces of `PIECE` bytes where it is large.
 * @throws ApiError, and DOMException AbortError where `signal` says so. */
export async function upload(path: string, file: Blob, { pieces = 0, onProgress, signal }: Sending = {}): Promise<void> {
  for (let from = pieces * PIECE, chunk = pieces + 1; from === 0 || from < file.size; from += PIECE, chunk += 1) {
    const last = from + PIECE >= file.size;
    const content = await base64(file.slice(from, from + PIECE));
    const body = { type: "file", format: "base64", content, ...(chunk === 1 && last ? {} : { chunk: last ? -1 : chunk }) };
    await request(address(path), { method: "PUT", body, ...(signal ? { signal } : {}) });
    onProgress?.(Math.min(from + PIECE, file.size));
  }
}

/** Some bytes of a file, and how many it has in all. */
export async function readPart(path: string, first: number, count: number, signal?: AbortSignal): Promise<{ bytes: Uint8Array<ArrayBuffer>; size: number }> {
  const range = `bytes=${String(first)}-${String(first + count - 1)}`;
  const response = await send(downloadUrl(path), { headers: { Range: range }, ...(signal ? { signal } : {}) });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const size = Number(/\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? bytes.length);
  return { bytes, size };
}

/** Where the browser finds the file's bytes. */
export function downloadUrl(path: string): string {
  return `/jupyter/files/${path.split("/").map(encodeURIComponent).join("/")}`;
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(String(reader.result).replace(/^[^,]*,/, ""));
    };
    reader.onerror = () => {
      reject(reader.error ?? new Error("unreadable"));
    };
    reader.readAsDataURL(blob);
  });
}
