/** The outputs of a cell in the document, as what <madang-output> shows. An output that did not change keeps its identity,
 * and text that only grew is not read again from its start. */
import * as Y from "yjs";
import { append, EMPTY } from "../text.js";
import type { MimeBundle, Output } from "../transcript.js";
import type { YCell } from "./model.js";

export class CellOutputs {
  private readonly known = new Map<unknown, Output>();

  /** What the cell has now. */
  read(cell: YCell): readonly Output[] {
    const outputs = cell.get("outputs");
    if (!(outputs instanceof Y.Array)) return [];
    const items = outputs.toArray() as unknown[];
    const gone = new Set(this.known.keys());
    const shown = items.map((item) => {
      gone.delete(item);
      const output = this.known.get(item) ?? outputOf(item);
      this.known.set(item, output);
      return output;
    });
    for (const item of gone) this.known.delete(item);
    return shown;
  }

  /** Take note of what changed; call it before `read`. */
  changed(events: readonly Y.YEvent<Y.AbstractType<unknown>>[]): void {
    for (const event of events) {
      const item = outputAround(event.target);
      const before = this.known.get(item);
      if (before === undefined) continue;
      const grown = before.kind === "stream" && event.target instanceof Y.Text ? grownBy(event) : null;
      if (grown !== null && before.kind === "stream") this.known.set(item, { ...before, text: append(before.text, grown) });
      else this.known.delete(item);
    }
  }
}

/** What was added at the end of a text, where nothing else was changed in it. */
function grownBy(event: Y.YEvent<Y.AbstractType<unknown>>): string | null {
  const [first, second, ...rest] = event.changes.delta as { retain?: number; insert?: unknown }[];
  if (rest.length > 0 || typeof second?.insert !== "string" || first?.retain === undefined) return null;
  return first.retain + second.insert.length === (event.target as Y.Text).length ? second.insert : null;
}

/** The output that `target` is, or is in. */
function outputAround(target: Y.AbstractType<unknown>): unknown {
  for (let type: Y.AbstractType<unknown> | null = target; type; type = type.parent) {
    if (type.parent instanceof Y.Array) return type;
  }
  return target;
}

/** An output as nbformat 4 has it; what it lacks is empty, and what is none is shown as text. */
function outputOf(item: unknown): Output {
  const get = item instanceof Y.Map ? (key: string): unknown => item.get(key) : (key: string): unknown => (item as Record<string, unknown> | null)?.[key];
  switch (get("output_type")) {
    case "stream":
      return { kind: "stream", name: get("name") === "stderr" ? "stderr" : "stdout", text: append(EMPTY, textOf(get("text"))) };
    case "error": {
      const traceback = plain(get("traceback"));
      return { kind: "error", name: textOf(get("ename")), value: textOf(get("evalue")), traceback: Array.isArray(traceback) ? traceback.map(String) : [] };
    }
    default:
      return {
        kind: "display", data: bundle(get("data")), metadata: bundle(get("metadata")), displayId: null,
        result: get("output_type") === "execute_result",
      };
  }
}

function plain(value: unknown): unknown {
  return value instanceof Y.AbstractType ? (value.toJSON() as unknown) : value;
}

function bundle(value: unknown): MimeBundle {
  const read = plain(value);
  return read !== null && typeof read === "object" && !Array.isArray(read) ? (read as MimeBundle) : {};
}

/** nbformat's multi-line strings may be lists of lines. */
function textOf(value: unknown): string {
  const read = plain(value);
  return Array.isArray(read) ? read.join("") : String(read ?? "");
}
