/** The look of what shows a file without changing it. */
import { css } from "lit";

export const viewerStyle = css`
  :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; background: var(--surface); }
  .bar { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; padding: 4px 12px; min-height: 34px; border-bottom: 1px solid var(--line); font-size: 12px; color: var(--muted); grid-row: 1; }
  .bar .space { flex: 1; } .bar a { color: var(--sky); } .bar button { font-size: 12px; }
  .body { grid-row: 2; overflow: auto; min-height: 0; }
  .empty { grid-row: 2; align-content: start; }
`;
