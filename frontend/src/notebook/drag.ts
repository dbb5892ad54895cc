/** Moving cells with the mouse: a cell is taken by its left edge. */
import type { MadangNotebookCell } from "./madang-notebook-cell.js";

export class CellDrag {
  private moving: readonly string[] = [];
  private target: { cell: MadangNotebookCell; side: "before" | "after" } | null = null;

  start(event: DragEvent, cell: MadangNotebookCell | null, selected: readonly string[]): void {
    const handle = event.composedPath().some((node) => node instanceof HTMLElement && node.classList.contains("gutter"));
    if (!cell || !handle || !event.dataTransfer) return;
    this.moving = selected.includes(cell.cellId) ? selected : [cell.cellId];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    event.dataTransfer.setDragImage(cell, 20, 20);
  }

  over(event: DragEvent, cell: MadangNotebookCell | null): void {
    if (this.moving.length === 0) return;
    event.preventDefault();
    if (!cell) return;
    const { top, height } = cell.getBoundingClientRect();
    this.show({ cell, side: event.clientY < top + height / 2 ? "before" : "after" });
  }

  drop(event: DragEvent, ids: readonly string[], move: (moved: readonly string[], before: string | null) => void): void {
    const { target, moving } = this;
    this.end();
    if (!target || moving.length === 0) return;
    event.preventDefault();
    const at = ids.indexOf(target.cell.cellId) + (target.side === "after" ? 1 : 0);
    move(moving, ids.slice(at).find((id) => !moving.includes(id)) ?? null);
  }

  end(): void {
    this.moving = [];
    this.show(null);
  }

  private show(target: typeof this.target): void {
    this.target?.cell.removeAttribute("drop");
    this.target = target;
    target?.cell.setAttribute("drop", target.side);
  }
}
