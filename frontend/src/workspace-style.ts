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
  .people { display: flex; align-items: center; flex: none; font-size: 12px; color: var(--muted); }
  .people .person { width: 26px; min-width: 26px; min-height: 26px; padding: 0; border-radius: 99px; border: 2px solid var(--surface); background: var(--person); color: var(--surface); font-size: 11px; font-weight: 600; justify-content: center; }
  .people .person + .person { margin-left: -5px; }
  .pill { border-radius: 99px; min-height: 26px; padding: 2px 10px; font-size: 12px; color: var(--muted); gap: 8px; font-variant-numeric: tabular-nums; min-width: 0; }
  .pill span { overflow: hidden; text-overflow: ellipsis; }
  .dot { width: 8px; height: 8px; flex: none; border-radius: 9px; border: 2px solid var(--muted); }
  .dot.good { background: var(--pine); border-color: var(--pine); }
  .dot.soon { border-color: var(--amber); border-radius: 2px; transform: rotate(45deg); }
  .dot.bad { background: var(--red); border-color: var(--red); border-radius: 2px; }
  main { grid-row: 3; display: grid; min-height: 0; grid-template: "files left-separator centre right-separator right" minmax(0, 1fr) / var(--left) 1px minmax(0, 1fr) 1px minmax(0, var(--right)); }
  :host([readonly]) main { grid-template: "files left-separator centre" minmax(0, 1fr) / var(--left) 1px minmax(0, 1fr); }
  :host([readonly]) main > :not(.files, .centre, :nth-child(2)), :host([readonly]) madang-tools { display: none; }
  .files { grid-area: files; min-height: 0; min-width: 0; display: grid; grid-template-rows: auto minmax(0, 1fr) auto; background: var(--paper); }
  .sides { display: flex; gap: 2px; padding: 3px 8px; min-height: 34px; align-items: center; background: var(--sunken); border-bottom: 1px solid var(--line); }
  .sides button[aria-pressed="true"] { background: var(--surface); color: var(--accent); }
  .side { display: grid; min-height: 0; min-width: 0; grid-template: minmax(0, 1fr) / minmax(0, 1fr); }
  .centre { grid-area: centre; display: grid; grid-template-rows: minmax(0, 1fr) auto; min-height: 0; min-width: 0; }
  .right { grid-area: right; display: grid; min-height: 0; min-width: 0; grid-template: "terminals" minmax(0, 1fr) "bottom-separator" 1px "usage" var(--bottom) / minmax(0, 1fr); }
  madang-tools[open] { height: clamp(180px, 42vh, 420px); } madang-tools[large] { height: 75vh; }
  madang-terminals { grid-area: terminals; }
  .usage { grid-area: usage; display: grid; grid-template-rows: 34px minmax(0, 1fr); min-height: 0; background: var(--surface); }
  .usage > .tabs { display: flex; background: var(--sunken); border-bottom: 1px solid var(--line); }
  .usage h2 { margin: 0; font-size: 12.5px; font-weight: 400; color: var(--ink); padding: 7px 14px; background: var(--surface); border-right: 1px solid var(--line); box-shadow: inset 0 -2px var(--accent); }
  .frame { position: relative; }
  .port-news { position: absolute; z-index: 7; bottom: 0; left: 50%; translate: -50%; visibility: hidden; display: flex; align-items: center; gap: 4px; height: 25px; padding-left: 14px; background: var(--surface); white-space: nowrap; font-size: 12px; }
  .port-news.on { visibility: visible; } .port-news button { min-height: 24px; padding: 0 8px; border-radius: 6px; } .port-news button.icon { padding: 0; min-width: 24px; } .port-news button:not(.icon) { color: var(--accent); font-weight: 600; }
  nav.phone, .phone-more { display: none; }
  dialog { border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow); padding: 18px 22px; max-width: min(600px, 92vw); max-height: 88vh; overflow: auto; }
  #history { width: min(1100px, 96vw); height: 90vh; max-width: none; max-height: none; padding: 0; overflow: hidden; } #history madang-history { height: 100%; }
  dialog::backdrop { background: #0005; }
  dialog h2 { margin: 0 0 10px; font-size: 16px; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 18px; margin: 0 0 16px; } dt { white-space: nowrap; } dd { margin: 0; color: var(--muted); }
  kbd { font: 12px var(--mono); border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 5px; padding: 1px 6px; background: var(--sunken); }
  @media (max-width: 1100px) { .wide { display: none; } header button:not(.pill):not(.primary) { min-width: 30px; padding: 3px 6px; } }
  @media (pointer: coarse) and (min-width: 721px) { .frame { grid-template-rows: 52px auto minmax(0, 1fr) 32px; } header .pill { min-height: 34px; } }
  /* A tablet held upright: what is at the right of a wider window goes below, in the whole width. */
  @media (min-width: 721px) and (max-width: 1024px) and (orientation: portrait) {
    main { grid-template: "files left-separator centre" minmax(0, 1fr) "right right right" minmax(220px, 38%) / var(--left) 1px minmax(0, 1fr); }
    main > :nth-child(4), .right > .separator { display: none; }
    .right { grid-template: "terminals usage" minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 260px); border-top: 1px solid var(--line); } .usage { border-left: 1px solid var(--line); }
  }
  @media (max-width: 720px) {
    .frame { grid-template-rows: 48px auto minmax(0, 1fr) auto; }
    header { gap: 6px; padding: 0 8px 0 12px; } header .owner { display: none; } header .quietable { display: none; }
    header button { min-height: 44px; } header > :not(.crumb, .space) { flex: none; }
    header .pill { max-width: 34vw; min-height: 44px; }
    .phone-more { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 12px 16px; border-top: 1px solid var(--line); } .phone-more p { flex: 1 0 100%; margin: 0; color: var(--muted); }
    .usage { grid-template-rows: auto auto minmax(0, 1fr); align-content: start; } .pill .detail { display: none; }
    main, .right { display: block; height: 100%; }
    .separator { display: none; }
    main > section, .right > * { height: 100%; }
    main[data-pane="files"] > :not(.files), main[data-pane="editor"] > :not(.centre), main[data-pane="console"] > :not(.centre), main[data-pane="terminal"] > :not(.right), main[data-pane="session"] > :not(.right) { display: none; }
    main[data-pane="terminal"] .right { display: grid; grid-template: "terminals" minmax(0, 1fr) / minmax(0, 1fr); } main[data-pane="terminal"] .usage { display: none; }
    main[data-pane="session"] .right > :not(.usage) { display: none; }
    footer { display: none; } .port-news { bottom: 66px; height: auto; border: 1px solid var(--line); border-radius: 99px; box-shadow: var(--shadow); } .port-news button, .port-news button.icon { min-height: 44px; min-width: 44px; border-radius: 99px; }
    #history { inset: 0; margin: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; }
    nav.phone { grid-row: 4; display: grid; grid-template-columns: repeat(4, 1fr); border-top: 1px solid var(--line); background: var(--surface); padding-bottom: env(safe-area-inset-bottom); }
    nav.phone button { flex-direction: column; gap: 1px; min-height: 52px; border: 0; border-radius: 0; background: none; font-size: 11.5px; color: var(--muted); outline-offset: -3px; padding: 4px; }
    nav.phone button[aria-current="page"] { color: var(--accent); font-weight: 600; box-shadow: inset 0 2px var(--accent); }
  }
`;
