/** What the notebook needs of the document it shows. The document is shared: whoever has it open writes into the same
 * `ydoc`, and the server, which runs the cells, writes their states and outputs into it. */
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import type { SaveState } from "../madang-editor.js";

export interface DocumentStatus {
  /** Somebody who may only read cannot change or run anything. */
  readonly readOnly: boolean;
  /** "unsaved": there is no connection that could carry what was written. */
  readonly save: SaveState;
  /** Why it could not be saved, in words. */
  readonly problem: string;
  /** The file was removed or renamed. */
  readonly gone: boolean;
}

export interface NotebookDocument {
  readonly ydoc: Y.Doc;
  /** Who else is here, and where. */
  readonly awareness: Awareness;
  readonly status: DocumentStatus;
  /** Called at each change of `status`. */
  onStatus: () => void;
  /** Run these cells, in this order, after those that wait already. Resolves when the server has taken them.
   * @throws ApiError there is no room, the document is not ours, ... */
  execute(cellIds: readonly string[]): Promise<void>;
  interrupt(): Promise<void>;
  /** Begin with a fresh kernel; what waits is dropped. */
  restart(): Promise<void>;
  /** Answer the `input()` that the cell waits for. */
  answer(cellId: string, value: string): Promise<void>;
  /** The file has another name now; `path` is relative to the project. */
  moveTo(path: string): void;
  dispose(): void;
}
