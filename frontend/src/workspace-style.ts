/** The look of <madang-workspace>: a thin bar above, one below, and what one works on in between. */
import { css } from "lit";

export const workspaceStyle = css`
  :host { display: block; height: 100%; }
  .frame { display: grid; grid-template: 44px auto minmax(0, 1fr) 26px / minmax(0, 1fr); height: 100%; background: var(--paper); overflow: hidden; }
  header, footer { display: flex; align-items: center; gap: 10px; padding: 0 14px; background: var(--surface); min-width: 0; }
  header { border-bottom: 1px solid var(--line); grid-row: 1; }
  .notes { grid-row: 2; }
  footer { border-top: 1px solid var(--line); font-size: 12px; color: var(--muted); gap: 14px; grid-row: 4; white-space: nowrap; overflow: hidden; }
  footer span { font-variant-numeric: tabular-nums; }
  footer button { min-height: 24px; padding: 0 6px; border-color: transparent; background: none; color: var(--muted); font-size: 12px; border-radius: 6px; }
  footer button[aria-pressed="true"] { color: var(--ink); font-weight: 600; }
  footer .bad { color: var(--red); } footer .amber { color: var(--amber); }
  .brand { width: 20px; height: 20px; border-radius: 5px; background: var(--accent); display: grid; place-items: center; color: var(--surface); font-weight: 700; font-size: 12px; text-decoration: none; flex: none; }
  .crumb { color: var(--muted); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  .crumb b { color: var(--ink); font-weight: 600; }
  .space { flex: 1; }
  .pill { border-radius: 99px; min-height: 26px; padding: 2px 10px; font-size: 12px; color: var(--muted); gap: 8px; font-variant-numeric: tabular-nums; min-width: 0; }
  .pill span { overflow: hidden; text-overflow: ellipsis; }
  .dot { width: 8px; height: 8px; flex: none; border-radius: 9px; border: 2px solid var(--muted); }
  .dot.good { background: var(--pine); border-color: var(--pine); }
  .dot.soon { border-color: var(--amber); border-radius: 2px; transform: rotate(45deg); }
  .dot.bad { background: var(--red); border-color: var(--red); border-radius: 2px; }
  main { grid-row: 3; display: grid; min-height: 0; grid-template: "files left-separator centre right-separator right" minmax(0, 1fr) / var(--left) 1px minmax(0, 1fr) 1px minmax(0, var(--right)); }
  .files { grid-area: files; min-height: 0; min-width: 0; display: grid; grid-template-rows: minmax(0, 1fr) auto; }
  .centre { grid-area: centre; display: grid; grid-template-rows: auto minmax(0, 1fr); min-height: 0; min-width: 0; }
  .right { grid-area: right; display: grid; min-height: 0; min-width: 0; grid-template: "terminals" minmax(0, 1fr) "bottom-separator" 1px "usage" var(--bottom) / minmax(0, 1fr); }
  .panes { min-height: 0; min-width: 0; position: relative; }
  .panes > * { position: absolute; inset: 0; }
  madang-terminals { grid-area: terminals; }
  .usage { grid-area: usage; display: grid; grid-template-rows: 34px minmax(0, 1fr); min-height: 0; background: var(--surface); }
  .usage h2 { margin: 0; font-size: 12.5px; font-weight: 400; color: var(--ink); padding: 7px 14px; background: var(--surface); border-right: 1px solid var(--line); box-shadow: inset 0 -2px var(--accent); }
  nav.phone, .phone-more { display: none; }
  dialog { border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow); padding: 18px 22px; max-width: min(560px, 92vw); }
  dialog::backdrop { background: #0005; }
  dialog h2 { margin: 0 0 10px; font-size: 16px; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 18px; margin: 0 0 16px; } dt { white-space: nowrap; } dd { margin: 0; color: var(--muted); }
  kbd { font: 12px var(--mono); border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 5px; padding: 1px 6px; background: var(--sunken); }
  @media (max-width: 1100px) { .wide { display: none; } header button:not(.pill):not(.primary) { min-width: 30px; padding: 3px 6px; } }
  @media (max-width: 720px) {
    .frame { grid-template-rows: 48px auto minmax(0, 1fr) auto; }
    header { gap: 6px; padding: 0 8px 0 12px; } header .owner { display: none; } header .quietable { display: none; }
    header button { min-height: 44px; }
    header .pill { max-width: 34vw; min-height: 44px; }
    .phone-more { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 12px 16px; border-top: 1px solid var(--line); } .phone-more p { flex: 1 0 100%; margin: 0; color: var(--muted); }
    .usage { grid-template-rows: auto auto minmax(0, 1fr); align-content: start; } .pill .detail { display: none; }
    main, .right { display: block; height: 100%; }
    .separator { display: none; }
    main > section, .right > * { height: 100%; }
    main[data-pane="files"] > :not(.files), main[data-pane="editor"] > :not(.centre), main[data-pane="console"] > :not(.centre), main[data-pane="terminal"] > :not(.right), main[data-pane="session"] > :not(.right) { display: none; }
    main[data-pane="console"] .centre > .tabs { display: none; }
    main[data-pane="console"] .centre { grid-template-rows: minmax(0, 1fr); }
    
    main[data-pane="editor"] .tab.console { display: none; }
    main[data-pane="terminal"] .right { display: grid; grid-template: "terminals" minmax(0, 1fr) / minmax(0, 1fr); } main[data-pane="terminal"] .usage { display: none; }
    main[data-pane="session"] .right > :not(.usage) { display: none; }
    footer { display: none; }
    nav.phone { grid-row: 4; display: grid; grid-template-columns: repeat(4, 1fr); border-top: 1px solid var(--line); background: var(--surface); padding-bottom: env(safe-area-inset-bottom); }
    nav.phone button { flex-direction: column; gap: 1px; min-height: 52px; border: 0; border-radius: 0; background: none; font-size: 11.5px; color: var(--muted); outline-offset: -3px; padding: 4px; }
    nav.phone button[aria-current="page"] { color: var(--accent); font-weight: 600; box-shadow: inset 0 2px var(--accent); }
  }
`;
