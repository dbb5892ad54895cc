/** The look of <madang-history>. */
import { css } from "lit";

export const historyStyle = css`
  :host { display: grid; grid-template: auto auto auto minmax(0, 1fr) / minmax(0, 1fr); min-height: 0; background: var(--surface); }
  .head, .time, .what { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; padding: 6px 14px; }
  .head { border-bottom: 1px solid var(--line); } .time { flex-wrap: nowrap; padding-bottom: 0; } .what { border-bottom: 1px solid var(--line); min-height: 42px; }
  h2 { margin: 0; font-size: 15px; font-weight: 600; flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  input[type="range"] { flex: 1; min-width: 0; padding: 0; border: 0; background: none; accent-color: var(--accent); }
  .older svg { transform: scaleX(-1); }
  .what > span { flex: 1 1 22ch; } .what .muted { font-size: 12px; }
  .body { overflow: auto; min-height: 0; }
  .empty { align-content: start; }
  .legend { margin: 0; padding: 6px 14px; font-size: 12px; color: var(--muted); }
  .cell { margin: 8px 14px; border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; }
  .cell header { display: flex; flex-wrap: wrap; gap: 2px 8px; padding: 4px 12px; font-size: 12px; background: var(--sunken); } .cell b { font-weight: 600; }
  .cell b.removed { color: var(--red); } .cell b.added { color: var(--pine); } .cell b.moved { color: var(--sky); } .cell b.changed { color: var(--amber); }
  .cell p { margin: 0; padding: 6px 12px; font-size: 12px; color: var(--muted); }
  .same { margin: 8px 14px; font-size: 12px; color: var(--muted); }
  .more { margin: 8px 14px 16px; }
`;
