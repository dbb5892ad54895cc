/** Styles that several elements share. Colours come from tokens.css. */
import { css } from "lit";

export const shared = css`
  :host { box-sizing: border-box; font: 13.5px/1.5 var(--sans); color: var(--ink); }
  :host([hidden]) { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  [hidden] { display: none !important; }
  button, input { font: inherit; color: inherit; }
  button {
    display: inline-flex; align-items: center; justify-content: center; gap: 6px; min-height: 28px; padding: 3px 12px;
    border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink);
    cursor: pointer; white-space: nowrap;
  }
  button:hover { border-color: var(--control-line); }
  button:disabled { color: var(--muted); cursor: default; border-color: var(--line); }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600; }
  button.primary:hover { filter: brightness(1.08); }
  button.primary:disabled { background: var(--sunken); border-color: var(--line); color: var(--muted); filter: none; }
  button.quiet { border-color: transparent; background: transparent; color: var(--muted); }
  button.quiet:hover { background: var(--sunken); color: var(--ink); }
  button.icon { padding: 0; min-width: 26px; min-height: 26px; border-radius: 6px; }
  button.danger { color: var(--red); }
  input {
    min-height: 28px; padding: 2px 8px; border: 1px solid var(--control-line); border-radius: 6px; background: var(--surface);
  }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
  .num { font-variant-numeric: tabular-nums; }
  .muted { color: var(--muted); }
  .sr {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  .empty { padding: 24px 16px; color: var(--muted); display: grid; gap: 8px; justify-items: start; }
  .empty b { color: var(--ink); font-weight: 600; }
  .note {
    display: flex; flex-wrap: wrap; align-items: center; gap: 8px 10px; padding: 8px 12px; font-size: 13px;
    border-bottom: 1px solid var(--line); background: var(--amber-ground); color: var(--ink);
  }
  .note.bad { background: var(--red-ground); }
  .note > span:first-child { flex: 1 1 16ch; }
  .bone { border-radius: 6px; background: var(--sunken); min-height: 14px; }
  svg.i { width: 16px; height: 16px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
  @media (pointer: coarse) {
    button, input { min-height: 44px; }
    button.icon { min-width: 44px; min-height: 44px; }
  }
`;
