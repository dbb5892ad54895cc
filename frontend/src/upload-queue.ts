/** Files on their way to the site: one after another, each going on where it was when the connection breaks, or when
 * somebody chooses the same file again after the page was closed. */
import { ApiError } from "./api.js";
import { makeFolder, parentOf, PIECE, upload } from "./contents.js";
import { uploaded } from "./project-files.js";

export interface Upload {
  /** With the project's slug in front. */
  readonly path: string;
  readonly file: File;
  readonly sent: number;
  readonly state: "waiting" | "sending" | "done" | "failed";
  readonly why: string;
}

const RETRY_MS = 2000;
const MOST_TRIES = 30;

export class UploadQueue {
  items: readonly Upload[] = [];
  private running = false;
  private stopping = new AbortController();
  private folders = new Set<string>();

  /** `changed` is called whenever `items` is another one, `words` makes a sentence of an error. */
  constructor(
    private readonly project: () => string,
    private readonly changed: () => void,
    private readonly words: (error: unknown) => string,
  ) {}

  /** Resolves when nothing is left to send. */
  async add(files: readonly { path: string; file: File }[]): Promise<void> {
    this.items = [...this.items.filter(({ state }) => state !== "done"), ...files.map((one) => ({ ...one, sent: 0, state: "waiting" as const, why: "" }))];
    this.changed();
    if (this.running) return;
    this.running = true;
    try {
      for (let next = this.next(); next; next = this.next()) await this.send(next);
    } finally {
      this.running = false;
      this.folders.clear();
    }
  }

  /** Stop, and forget what is left. What has arrived of a file stays for a day, to go on from. */
  cancel(): void {
    this.stopping.abort();
    this.stopping = new AbortController();
    this.items = [];
    this.changed();
  }

  /** Bytes sent, and bytes in all. */
  get progress(): { sent: number; size: number; left: number } {
    const left = this.items.filter(({ state }) => state === "waiting" || state === "sending").length;
    return { left, sent: sum(this.items.map(({ sent }) => sent)), size: sum(this.items.map(({ file }) => file.size)) };
  }

  private next(): Upload | undefined {
    return this.items.find(({ state }) => state === "waiting");
  }

  private set(path: string, part: Partial<Upload>): void {
    this.items = this.items.map((one) => (one.path === path ? { ...one, ...part } : one));
    this.changed();
  }

  private async send({ path, file }: Upload): Promise<void> {
    const { signal } = this.stopping;
    this.set(path, { state: "sending" });
    for (let tries = 1; ; tries += 1) {
      try {
        await this.makeFolders(parentOf(path));
        const pieces = file.size > PIECE ? await this.begun(path, file) : 0;
        this.set(path, { sent: pieces * PIECE });
        await upload(path, file, { pieces, signal, onProgress: (sent) => { this.set(path, { sent }); } });
        forgetIdentity(this.project(), path);
        this.set(path, { state: "done", sent: file.size });
        return;
      } catch (error) {
        if (signal.aborted) return;
        const again = error instanceof ApiError && (error.status === 0 || error.status >= 502 || error.code === "out_of_order");
        if (!again || tries >= MOST_TRIES) {
          this.set(path, { state: "failed", why: this.words(error) });
          return;
        }
        if (error.code === "out_of_order") forgetIdentity(this.project(), path);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** How many pieces of this very file the site has. */
  private async begun(path: string, file: File): Promise<number> {
    const same = readIdentity(this.project(), path) === identityOf(file);
    keepIdentity(this.project(), path, identityOf(file));
    if (!same) return 0;
    const { pieces, size } = await uploaded(this.project(), path.slice(path.indexOf("/") + 1));
    return size === pieces * PIECE && size < file.size ? pieces : 0;
  }

  private async makeFolders(folder: string): Promise<void> {
    if (!folder.includes("/") || this.folders.has(folder)) return;
    await this.makeFolders(parentOf(folder));
    await makeFolder(folder);
    this.folders.add(folder);
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const key = (project: string, path: string): string => `madang-upload-${project}-${path}`;
const identityOf = (file: File): string => `${String(file.size)} ${String(file.lastModified)}`;

function readIdentity(project: string, path: string): string {
  try {
    return localStorage.getItem(key(project, path)) ?? "";
  } catch {
    return ""; // storage is forbidden: begin anew
  }
}

function keepIdentity(project: string, path: string, identity: string): void {
  try {
    localStorage.setItem(key(project, path), identity);
  } catch {
    return; // then this upload cannot go on after a reload
  }
}

function forgetIdentity(project: string, path: string): void {
  try {
    localStorage.removeItem(key(project, path));
  } catch {
    return; // it could not be kept either
  }
}

/** All files of a drop, with their paths below the dropped folders. */
export async function droppedFiles(data: DataTransfer): Promise<{ path: string; file: File }[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: { path: string; file: File }[] = [];
  // One after another: a folder may have thousands.
  for (const entry of entries) await gather(entry, "", found);
  return found;
}

async function gather(entry: FileSystemEntry, above: string, found: { path: string; file: File }[]): Promise<void> {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => { (entry as FileSystemFileEntry).file(resolve, reject); });
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (some.length === 0) return;
    for (const below of some) await gather(below, `${path}/`, found);
  }
}
