/** The look of <madang-tools>. */
import { css } from "lit";

export const toolsStyle = css`
  :host { display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; border-top: 1px solid var(--line); background: var(--surface); }
  .tabs { border-bottom: 0; align-items: stretch; } :host([open]) .tabs { border-bottom: 1px solid var(--line); }
  .tab .count { font-size: 11px; padding: 0 5px; border-radius: 9px; background: var(--line); color: var(--ink); margin-left: 6px; font-variant-numeric: tabular-nums; }
  .tab .count.bad { background: var(--red-ground); color: var(--red); }
  .space { flex: 1; }
  .state { align-self: center; font-size: 12px; color: var(--muted); padding: 0 8px; white-space: nowrap; } .state.bad { color: var(--red); }
  .body { min-height: 0; position: relative; } .body > * { position: absolute; inset: 0; }
  .run { display: grid; grid-template-rows: auto minmax(0, 1fr); }
  .bar { display: flex; align-items: center; gap: 8px; padding: 4px 10px; border-bottom: 1px solid var(--line); min-width: 0; }
  .bar code { font: 12px var(--mono); color: var(--muted); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: 1; }
  .bar .good { color: var(--pine); } .bar .bad { color: var(--red); }
  .problems { overflow: auto; padding: 4px 0; } ul { list-style: none; margin: 0; padding: 0; }
  .problems button { width: 100%; justify-content: flex-start; border: 0; border-radius: 0; background: none; padding: 3px 14px; text-align: left; min-width: 0; }
  .problems button:hover { background: var(--sunken); }
  .problems .text { overflow: hidden; text-overflow: ellipsis; } .problems .at { margin-left: auto; color: var(--muted); font-size: 12px; flex: none; }
  .mark { width: 9px; height: 9px; flex: none; border-radius: 9px; background: var(--sky); } .mark.error { background: var(--red); border-radius: 2px; } .mark.warning { background: var(--amber); transform: rotate(45deg); border-radius: 1px; }
  @media (max-width: 720px) { .state { display: none; } .tabs > .go { min-width: 44px; } }
`;
