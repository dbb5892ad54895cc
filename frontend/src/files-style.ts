/** The look of <madang-files>. */
import { css } from "lit";

export const filesStyle = css`
  :host { display: grid; grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr); min-height: 0; background: var(--paper); font-size: 13px; position: relative; }
  .head { display: flex; align-items: center; padding: 8px 8px 2px 16px; gap: 1px; grid-row: 1; }
  h2 { flex: 1; margin: 0; font-size: 11px; letter-spacing: 0.06em; text-transform: uppercase; color: var(--muted); font-weight: 600; }
  .note { grid-row: 2; }
  .list { grid-row: 3; overflow: auto; padding: 4px 8px 24px; }
  .list.dragging { outline: 2px dashed var(--accent); outline-offset: -6px; }
  .row { position: relative; display: flex; align-items: center; gap: 4px; min-height: 26px; padding: 2px 4px 2px 8px; border-radius: 6px; cursor: pointer; white-space: nowrap; outline-offset: -2px; }
  .row:hover { background: var(--sunken); }
  .row.on { background: var(--accent-ground); color: var(--accent); font-weight: 600; }
  .row.chosen { background: var(--sunken); } .row.on.chosen { background: var(--accent-ground); }
  .row.cut { opacity: 0.55; } .row.over { outline: 2px solid var(--accent); }
  .toasts { grid-row: 4; }
  progress { display: block; width: 100%; height: 5px; margin: 4px 0 0; accent-color: var(--accent); } .toast small { padding: 0; margin: 0; }
  .toast > span { flex: 1; min-width: 0; }
  .mark { width: 14px; flex: none; display: grid; place-items: center; color: var(--muted); }
  .mark svg { width: 12px; height: 12px; transition: transform var(--fast); }
  .mark.open svg { transform: rotate(90deg); }
  .name { overflow: hidden; text-overflow: ellipsis; }
  small { margin-left: auto; padding-left: 8px; color: var(--muted); font-weight: 400; font-size: 11.5px; }
  .more { position: absolute; right: 2px; opacity: 0; background: var(--paper); min-width: 24px; min-height: 24px; }
  .row:hover .more, .row:focus-within .more, .row:active .more { opacity: 1; }
  @media (pointer: fine) and (min-width: 721px) { .row:hover small, .row:focus-within small { visibility: hidden; } }
  .naming { padding: 2px 4px 4px; }
  .naming input { width: 100%; }
  .naming p { margin: 4px 0; color: var(--red); font-size: 12px; white-space: normal; }
  .toast { grid-row: 4; display: flex; align-items: center; gap: 10px; justify-content: space-between; margin: 8px; padding: 6px 6px 6px 12px; min-height: 40px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); box-shadow: var(--shadow); overflow-wrap: anywhere; }
  .bones { display: grid; gap: 12px; padding: 8px; }
  @media (pointer: coarse) { .row { min-height: 44px; } .more { min-width: 44px; min-height: 44px; opacity: 1; background: transparent; } small { padding-right: 44px; } }
  /* The panel beside is narrow for fingers: what stands above the files says that they are files. */
  @media (pointer: coarse) and (min-width: 721px) { .head { justify-content: space-between; padding: 4px 4px 0; } h2 { position: absolute; clip-path: inset(50%); } .head button.icon { min-width: 40px; } }
  @media (max-width: 720px) { .more { opacity: 1; } small { padding-right: 30px; } }
`;
