/** Tabs as the workspace and the terminals have them. */
import { css } from "lit";

export const tabsStyle = css`
  .tabs { display: flex; min-height: 34px; background: var(--sunken); border-bottom: 1px solid var(--line); font-size: 12.5px; overflow-x: auto; scrollbar-width: none; min-width: 0; }
  .tab { display: flex; align-items: stretch; border-right: 1px solid var(--line); flex: none; color: var(--muted); }
  .tab.on { background: var(--surface); color: var(--ink); box-shadow: inset 0 -2px var(--accent); }
  .tab button { border: 0; border-radius: 0; background: none; color: inherit; font-size: inherit; padding: 0 14px; min-height: 33px; outline-offset: -2px; }
  .tab button.x { padding: 0; min-width: 26px; margin-left: -10px; opacity: 0.75; } .tab button.x svg { width: 12px; height: 12px; }
  .tab button:hover { color: var(--ink); }
  .tabs > button.icon { margin: 3px 4px; flex: none; }
  @media (max-width: 720px) { .tab button { min-height: 44px; } .tab button.x { min-width: 44px; margin-left: -6px; } .tabs > button.icon { min-width: 44px; min-height: 40px; } }
`;

/** Groups of tabs, as <madang-tabs> has them. */
export const groupsStyle = css`
  :host { display: block; min-height: 0; min-width: 0; }
  .groups { display: grid; grid-template-rows: minmax(0, 1fr); height: 100%; }
  .group { display: grid; grid-template: auto minmax(0, 1fr) / minmax(0, 1fr); min-height: 0; min-width: 0; }
  .view { grid-row: 2; position: relative; min-height: 0; min-width: 0; background: var(--surface); }
  ::slotted(*) { position: absolute; inset: 0; }
  .tabs .space { flex: 1; }
  .tab.over { box-shadow: inset 2px 0 var(--accent); }
  .group:not(.at) .tab.on { box-shadow: inset 0 -2px var(--control-line); }
  .target { position: absolute; inset: 0; z-index: 6; }
  .target.beside { left: 65%; }
  .target.over { background: color-mix(in srgb, var(--accent) 14%, transparent); outline: 2px solid var(--accent); outline-offset: -2px; }
  .separator { background: var(--line); position: relative; z-index: 2; cursor: col-resize; touch-action: none; outline-offset: -1px; }
  .separator:hover, .separator:focus-visible { background: var(--accent); }
  .separator::after { content: ""; position: absolute; inset: 0 -4px; }
  :host([bare]) .tabs { display: none; }
  @media (max-width: 720px) { .groups { display: block; } .group { height: 100%; } .group:not(.at), .separator { display: none; } }
`;
