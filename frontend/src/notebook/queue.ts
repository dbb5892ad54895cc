/** In which order cells wait for the kernel. The document tells that a cell waits, not since when: this watches. */
import * as Y from "yjs";
import { idOf, type NotebookModel, type YCell } from "./model.js";

/** Has a cell been run to its end? A short run's beginning and end come as one change: the kernel seems to rest all along. */
export function isEndOfRun(event: Y.YEvent<Y.AbstractType<unknown>>): boolean {
  return event.target instanceof Y.Map && event.keys.has("execution_state") && event.target.get("execution_state") === "idle";
}

export class RunQueue {
  waiting: readonly string[] = [];

  /** The place of a cell among those that wait, from 1; 0 where it does not. */
  place(id: string): number {
    return this.waiting.indexOf(id) + 1;
  }

  /** Take note of changes in the cells; true where the queue is another now. */
  note(model: NotebookModel, events: readonly Y.YEvent<Y.AbstractType<unknown>>[]): boolean {
    const touched = events.some((event) => event.target instanceof Y.Map && event.keys.has("execution_state"));
    return touched && this.fill(model);
  }

  /** Read the document again: who waited already keeps their place, others come behind in the order of the notebook. */
  fill(model: NotebookModel): boolean {
    const now = model.cells.map((cell: YCell) => (cell.get("execution_state") === "queued" ? idOf(cell) : "")).filter(Boolean);
    const before = this.waiting;
    this.waiting = [...before.filter((id) => now.includes(id)), ...now.filter((id) => !before.includes(id))];
    return before.join() !== this.waiting.join();
  }
}
