/** How a notebook gets its document from the server. */
import type { NotebookDocument } from "./document.js";

export interface Asked {
  project: string;
  /** Relative to the project. */
  path: string;
  /** A name whose language the code is in. */
  file: string;
  /** The document is over for this page; `code` is the close code. */
  onEnd: (code: number) => void;
  onTrouble: (error: unknown) => void;
}

/** Null, with `onEnd` called, where the file is no notebook. */
export async function openDocument({ project, path, file, onEnd, onTrouble }: Asked): Promise<NotebookDocument | null> {
  const { ServerDocument } = await import("./server-document.js");
  prepareCells(file).catch(onTrouble);
  return ServerDocument.open(project, path, onEnd);
}

/** What draws the first cells is loaded while the document is on its way. */
async function prepareCells(file: string): Promise<void> {
  const [{ CellEditor }] = await Promise.all([import("./cell-editor.js"), import("../rendering.js")]);
  await CellEditor.prepare(file);
}
