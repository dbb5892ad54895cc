/** The server's document of a notebook, and the requests that run its cells: docs/developers/documents.md. */
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { request } from "../api.js";
import { SharedDocument } from "../shared-document.js";
import type { DocumentStatus, NotebookDocument } from "./document.js";

export class ServerDocument implements NotebookDocument {
  status: DocumentStatus = { readOnly: true, save: "saved", problem: "", gone: false };
  onStatus: () => void = () => undefined;
  /** There from when `open` resolves. */
  private shared: SharedDocument | undefined;
  private waiting: (() => void)[] = [];
  private asking: Promise<void> = Promise.resolve();

  private constructor(private readonly project: string, private path: string) {}

  private get base(): string {
    return `/api/v1/projects/${this.project}/notebooks/${this.path.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** `path` is relative to the project. Resolves to null, with `onEnd` called, where the file is no notebook.
   * `onEnd` is also called later, with the close code, where the document is over for this page. */
  static async open(project: string, path: string, onEnd: (code: number) => void): Promise<ServerDocument | null> {
    const made = new ServerDocument(project, path);
    const shared = await SharedDocument.open(project, path, {
      onSave: (save, problem) => { made.become({ save, problem }); },
      onRole: (role) => { made.become({ readOnly: role === "viewer" }); },
      onGone: (gone) => { made.become({ gone }); },
      onPeople: () => undefined, // read from the awareness
      onEnd,
    });
    if (!shared) return null;
    made.shared = shared;
    return made;
  }

  get ydoc(): Y.Doc {
    return this.there.doc;
  }

  get awareness(): Awareness {
    return this.there.awareness;
  }

  /** One request at a time: cells run in the order in which they were asked for, and after a restart that was. */
  execute(cells: readonly string[]): Promise<void> {
    const asked = this.asking.then(async () => {
      await this.settled();
      await request(`${this.base}/execute`, { method: "POST", body: { cells } });
    });
    this.asking = asked.catch(() => undefined); // whoever asked is told; the next may succeed
    return asked;
  }

  async interrupt(): Promise<void> {
    await request(`${this.base}/interrupt`, { method: "POST" });
  }

  restart(): Promise<void> {
    const asked = request<undefined>(`${this.base}/restart`, { method: "POST" });
    this.asking = Promise.allSettled([this.asking, asked]).then(() => undefined); // it ends what was asked for before it is over
    return asked;
  }

  async answer(cell: string, value: string): Promise<void> {
    await request(`${this.base}/input`, { method: "POST", body: { cell, value } });
  }

  moveTo(path: string): void {
    this.path = path;
  }

  dispose(): void {
    this.onStatus = () => undefined;
    this.there.close();
  }

  private get there(): SharedDocument {
    if (!this.shared) throw new Error("the document has not come yet");
    return this.shared;
  }

  /** Until the server has all that was written here: what runs then is what one sees. */
  private async settled(): Promise<void> {
    if (this.there.pending) await new Promise<void>((resolve) => { this.waiting.push(resolve); });
  }

  private become(change: Partial<DocumentStatus>): void {
    const before = this.status;
    this.status = { ...before, ...change };
    if (this.shared && !this.shared.pending) for (const resolve of this.waiting.splice(0)) resolve();
    if (Object.entries(change).some(([key, value]) => before[key as keyof DocumentStatus] !== value)) this.onStatus();
  }
}
