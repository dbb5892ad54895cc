/** A notebook's cells in a shared document, in the schema of jupyter_ydoc (its YNotebook, version 2), and what can be done
 * to them. No DOM. Every method is one step of undo. */
import * as Y from "yjs";

export type CellType = "code" | "markdown" | "raw";
export type YCell = Y.Map<unknown>;

/** A cell as nbformat 4 writes it. */
export interface CellData {
  id?: string;
  cell_type: CellType;
  source: string;
  metadata?: Record<string, unknown>;
  attachments?: Record<string, unknown>;
  outputs?: Record<string, unknown>[];
  execution_count?: number | null;
}

/** `state`: "none", "starting", "idle", "busy", "restarting" or "dead"; `reason`: why it is so, where that is known. */
export interface KernelState {
  state: string;
  reason: string;
}

export class NotebookModel {
  readonly cells: Y.Array<YCell>;
  readonly meta: Y.Map<unknown>;
  private readonly undoer: Y.UndoManager;

  constructor(readonly ydoc: Y.Doc) {
    this.cells = ydoc.getArray("cells");
    this.meta = ydoc.getMap("meta");
    // Typing has undo of its own, in each cell; this is for what happens to whole cells.
    this.undoer = new Y.UndoManager(this.cells, { trackedOrigins: new Set([this]), captureTimeout: 0 });
  }

  dispose(): void {
    this.undoer.destroy();
  }

  /** The ids of all cells, in their order. */
  ids(): string[] {
    return this.cells.map(idOf);
  }

  index(id: string): number {
    return this.ids().indexOf(id);
  }

  /** @throws RangeError there is no such cell. */
  cell(id: string): YCell {
    const found = this.find(id);
    if (!found) throw new RangeError(`no cell ${id}`);
    return found;
  }

  find(id: string): YCell | undefined {
    const at = this.index(id);
    return at < 0 ? undefined : this.cells.get(at);
  }

  /** The value under `path` in the notebook's metadata. */
  metadata(...path: string[]): unknown {
    let value = this.meta.get("metadata");
    for (const name of path) value = value instanceof Y.Map ? value.get(name) : (value as Record<string, unknown> | undefined)?.[name];
    return value;
  }

  undo(): boolean {
    return this.undoer.undo() !== null;
  }

  redo(): boolean {
    return this.undoer.redo() !== null;
  }

  /** Put cells before position `at`; their ids. Ids that are taken or missing are made anew. */
  insert(at: number, ...cells: CellData[]): string[] {
    const taken = new Set(this.ids());
    const fresh = cells.map((cell) => {
      const id = cell.id && !taken.has(cell.id) ? cell.id : newId(taken);
      taken.add(id);
      return { ...cell, id };
    });
    this.change(() => {
      this.cells.insert(at, fresh.map(toY));
    });
    return fresh.map(({ id }) => id);
  }

  /** Remove cells. A notebook is never without any: the last one leaves an empty cell behind. */
  remove(ids: readonly string[]): void {
    this.change(() => {
      for (const id of ids) this.take(id);
      if (this.cells.length === 0) this.insert(0, { cell_type: "code", source: "" });
    });
  }

  /** Move cells, kept together in their order, to before the cell `before` (null: to the end). */
  move(ids: readonly string[], before: string | null): void {
    if (before !== null && ids.includes(before)) return;
    this.change(() => {
      const moved = this.inOrder(ids).map((id) => this.data(id));
      for (const { id } of moved) this.take(id ?? "");
      const at = before === null ? this.cells.length : this.index(before);
      this.cells.insert(at, moved.map(toY));
    });
  }

  /** Cut a cell at text positions; the ids of all parts. The last part is the old cell, with its outputs. */
  split(id: string, at: readonly number[]): string[] {
    const cell = this.cell(id);
    const source = sourceOf(cell).toString();
    const cuts = [...new Set(at)].sort((a, b) => a - b).filter((cut) => cut >= 0 && cut <= source.length);
    if (cuts.length === 0) return [id];
    const bounds = [0, ...cuts];
    const heads = cuts.map((cut, part) => source.slice(bounds[part], cut).replace(part > 0 ? /^\n|\n$/g : /\n$/, ""));
    const last = cuts.at(-1) ?? 0;
    const newLine = source[last] === "\n" ? 1 : 0;
    let ids: string[] = [];
    this.change(() => {
      const { cell_type, metadata } = this.data(id);
      ids = this.insert(this.index(id), ...heads.map((head) => ({ cell_type, source: head, metadata: { ...metadata } })));
      sourceOf(cell).delete(0, last + newLine);
    });
    return [...ids, id];
  }

  /** Make one cell of several: the first, which it returns. */
  merge(ids: readonly string[]): string {
    const [first, ...rest] = this.inOrder(ids);
    if (first === undefined) throw new RangeError("nothing to merge");
    this.change(() => {
      const cell = this.cell(first);
      const attachments: Record<string, unknown> = {};
      for (const id of [first, ...rest]) Object.assign(attachments, this.cell(id).get("attachments"));
      for (const id of rest) {
        sourceOf(cell).insert(sourceOf(cell).length, `\n\n${sourceOf(this.cell(id)).toString()}`);
        this.take(id);
      }
      if (Object.keys(attachments).length > 0) cell.set("attachments", attachments);
      clear(cell);
    });
    return first;
  }

  /** Make cells of another type, with their ids and texts. */
  setType(ids: readonly string[], type: CellType): void {
    this.change(() => {
      for (const id of ids) {
        const { cell_type, source, metadata, attachments } = this.data(id);
        if (cell_type === type) continue;
        const at = this.index(id);
        this.cells.delete(at);
        this.cells.insert(at, [toY({ id, cell_type: type, source, metadata, attachments })]);
      }
    });
  }

  clearOutputs(ids: readonly string[]): void {
    this.change(() => {
      for (const id of ids) clear(this.cell(id));
    });
  }

  /** Set or, with undefined, remove one key of a cell's metadata. */
  setMetadata(id: string, key: string, value: unknown): void {
    this.change(() => {
      const cell = this.cell(id);
      let metadata = cell.get("metadata");
      if (!(metadata instanceof Y.Map)) {
        metadata = new Y.Map(Object.entries((metadata ?? {}) as Record<string, unknown>));
        cell.set("metadata", metadata);
      }
      if (value === undefined) (metadata as Y.Map<unknown>).delete(key);
      else (metadata as Y.Map<unknown>).set(key, value);
    });
  }

  /** Replace a part of a cell's text. */
  replace(id: string, from: number, to: number, text: string): void {
    this.change(() => {
      const source = sourceOf(this.cell(id));
      source.delete(from, to - from);
      source.insert(from, text);
    });
  }

  /** A copy of a cell. */
  data(id: string): CellData {
    const { execution_count, ...data } = this.cell(id).toJSON() as CellData & { execution_state?: string; input_request?: unknown };
    delete data.execution_state;
    delete data.input_request;
    return data.cell_type === "code" ? { ...data, execution_count } : data;
  }

  /** The given cells in the order that they have in the notebook. */
  inOrder(ids: readonly string[]): string[] {
    return this.ids().filter((id) => ids.includes(id));
  }

  /** Several steps as one. */
  change(work: () => void): void {
    this.ydoc.transact(work, this);
  }

  private take(id: string): void {
    const at = this.index(id);
    if (at >= 0) this.cells.delete(at);
  }
}

export function idOf(cell: YCell): string {
  return cell.get("id") as string;
}

export function typeOf(cell: YCell): CellType {
  const type = cell.get("cell_type");
  return type === "markdown" || type === "raw" ? type : "code";
}

export function sourceOf(cell: YCell): Y.Text {
  return cell.get("source") as Y.Text;
}

export function metadataOf(cell: YCell): Record<string, unknown> {
  const metadata = cell.get("metadata");
  return (metadata instanceof Y.Map ? metadata.toJSON() : (metadata ?? {})) as Record<string, unknown>;
}

function clear(cell: YCell): void {
  if (typeOf(cell) !== "code") return;
  const outputs = cell.get("outputs");
  if (outputs instanceof Y.Array) outputs.delete(0, outputs.length);
  else cell.set("outputs", new Y.Array());
  cell.set("execution_count", null);
}

function toY(data: CellData): YCell {
  const entries: Record<string, unknown> = {
    id: data.id,
    cell_type: data.cell_type,
    source: new Y.Text(data.source),
    metadata: new Y.Map(Object.entries(data.metadata ?? {})),
  };
  if (data.cell_type === "code") {
    entries.outputs = Y.Array.from((data.outputs ?? []).map(outputToY));
    entries.execution_count = data.execution_count ?? null;
    entries.execution_state = "idle";
  } else if (data.attachments && Object.keys(data.attachments).length > 0) {
    entries.attachments = data.attachments;
  }
  return new Y.Map(Object.entries(entries));
}

function outputToY(output: Record<string, unknown>): Y.Map<unknown> {
  if (output.output_type !== "stream") return new Y.Map(Object.entries(output));
  const { text } = output;
  return new Y.Map(Object.entries({ ...output, text: new Y.Text(Array.isArray(text) ? text.join("") : String(text ?? "")) }));
}

/** As nbformat makes them: eight hexadecimal digits. */
function newId(taken: ReadonlySet<string>): string {
  for (;;) {
    const id = crypto.randomUUID().slice(0, 8);
    if (!taken.has(id)) return id;
  }
}

/** What the server says of the kernel of a notebook. */
export function kernelStateOf(ydoc: Y.Doc | undefined): KernelState {
  const kernel = ydoc?.getMap("state").get("kernel");
  const { state, reason } = (kernel instanceof Y.Map ? kernel.toJSON() : (kernel ?? {})) as Partial<KernelState>;
  return { state: state ?? "none", reason: reason ?? "" };
}
