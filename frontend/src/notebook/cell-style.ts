/** The look of one cell. */
import { css } from "lit";

export const cellStyle = css`
  :host { display: grid; grid-template-columns: 56px minmax(0, 1fr); position: relative; padding: 5px 22px 5px 8px; scroll-margin: 60px; outline: none; }
  :host(:focus-visible) { outline: none; }
  .gutter { display: flex; flex-direction: column; align-items: flex-end; padding: 9px 10px 0 0; gap: 2px; color: var(--muted); font: 12px/1.5 var(--mono); font-variant-numeric: tabular-nums; cursor: grab; user-select: none; position: relative; }
  .gutter::before { content: ""; position: absolute; left: 2px; top: 2px; bottom: 0; width: 3px; border-radius: 3px; background: transparent; transition: background var(--fast); }
  :host([chosen]) .gutter::before { background: color-mix(in srgb, var(--accent) 45%, transparent); }
  :host([active]) .gutter::before { background: var(--accent); }
  :host(:focus-visible) .gutter::before { width: 5px; }
  :host([chosen]:not([active])) .main { background: color-mix(in srgb, var(--accent-ground) 45%, transparent); border-radius: var(--radius); }
  .gutter button { min-width: 26px; min-height: 26px; padding: 0; margin: -4px -5px 0 0; color: var(--accent); }
  .gutter .n { min-height: 18px; }
  .gutter button { display: none; }
  :host(:hover) .runs .n, :host([active]) .runs .n { display: none; }
  :host(:hover) .runs button, :host([active]) .runs button { display: inline-flex; }
  .runs.busy .n { display: block; color: var(--accent); } .runs.busy button { display: none; }
  .gutter button.fold { display: inline-flex; color: var(--muted); margin-top: 2px; } :host([folded]) .gutter button.fold { color: var(--accent); }
  .main { min-width: 0; } .unseen { content-visibility: auto; } .unseen.markdown pre { white-space: pre-wrap; }
  .box { position: relative; background: var(--sunken); border: 1px solid var(--line); border-radius: var(--radius); transition: border-color var(--fast), box-shadow var(--fast); min-height: 37px; }
  :host([active]) .box { border-color: var(--control-line); }
  :host([editing]) .box { border-color: var(--accent); box-shadow: 0 0 0 3px var(--accent-ground); }
  .box.running { border-color: var(--accent); }
  .box pre { font: 13px/1.6 var(--mono); font-variant-ligatures: none; margin: 0; padding: 7px 12px; white-space: pre; overflow: hidden; min-height: 35px; }
  .markdown .box pre, .markdown .box { white-space: pre-wrap; overflow-wrap: anywhere; }
  .bar { display: flex; align-items: center; gap: 8px; color: var(--muted); font-size: 12px; padding: 4px 12px; border: 1px dashed var(--line); border-radius: var(--radius); }
  .bar button { min-height: 22px; padding: 0 8px; font-size: 12px; }
  .took { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; font-size: 11.5px; color: var(--muted); padding: 4px 12px 0; font-variant-numeric: tabular-nums; }
  .took i { width: 7px; height: 7px; border-radius: 9px; background: var(--accent); animation: pulse 1.4s ease-in-out infinite; }
  .took .bad { color: var(--red); }
  @keyframes pulse { 50% { opacity: 0.3; } }
  .outputs { padding-top: 2px; } .outputs.scrolled { max-height: 340px; overflow: auto; border: 1px solid var(--line); border-radius: var(--radius); margin-top: 4px; }
  .rendered { padding: 2px 12px 2px 0; min-height: 30px; font-size: 15px; line-height: 1.62; overflow-wrap: anywhere; overflow-x: auto; cursor: text; max-width: 78ch; }
  .rendered > .empty { padding: 4px 0; font-size: 13px; }
  .rendered > :first-child { margin-top: 2px; }
  .rendered h1 { font-size: 25px; line-height: 1.25; margin: 14px 0 10px; font-weight: 700; letter-spacing: -0.01em; }
  .rendered h2 { font-size: 20px; line-height: 1.3; margin: 12px 0 8px; font-weight: 700; } .rendered h3 { font-size: 17px; margin: 10px 0 6px; }
  .rendered h4, .rendered h5, .rendered h6 { font-size: 15px; margin: 8px 0 4px; }
  .rendered p, .rendered ul, .rendered ol, .rendered blockquote { margin: 6px 0; } .rendered a { color: var(--sky); }
  .rendered pre { font: 13px/1.6 var(--mono); background: var(--sunken); border-radius: var(--radius); padding: 8px 12px; overflow-x: auto; }
  .rendered code { font-family: var(--mono); font-size: 0.9em; background: var(--sunken); border-radius: 4px; padding: 1px 4px; } .rendered pre code { padding: 0; background: none; font-size: 1em; }
  .rendered blockquote { border-left: 3px solid var(--line); padding-left: 14px; color: var(--muted); margin-left: 0; }
  .rendered table { border-collapse: collapse; } .rendered th, .rendered td { padding: 4px 12px; border-bottom: 1px solid var(--line); text-align: left; }
  .rendered img { max-width: 100%; height: auto; } .rendered hr { border: 0; border-top: 1px solid var(--line); }
  .rendered math[display="block"] { margin: 10px 0; }
  form.answer { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 6px 12px; font: 13px/1.5 var(--mono); }
  form.answer label { white-space: pre-wrap; overflow-wrap: anywhere; } form.answer input { flex: 1 1 12em; min-width: 8em; font-family: var(--mono); border-color: var(--accent); box-shadow: 0 0 0 3px var(--accent-ground); }
  .tags { display: flex; flex-wrap: wrap; gap: 6px; padding: 6px 0 0; }
  .tag { display: inline-flex; align-items: center; gap: 2px; font-size: 11.5px; color: var(--muted); border: 1px solid var(--line); border-radius: 99px; padding: 0 4px 0 9px; min-height: 24px; }
  .tag button { min-height: 20px; min-width: 20px; padding: 0; border: 0; background: none; color: var(--muted); } .tag svg { width: 10px; height: 10px; }
  .tags input { min-height: 24px; width: 12ch; font-size: 12px; border-radius: 99px; }
  .others { position: absolute; right: 26px; top: -3px; display: flex; gap: 4px; z-index: 3; }
  .others span { font-size: 11px; line-height: 16px; padding: 0 7px; border-radius: 99px; color: var(--surface); }
  .tools { position: absolute; right: 26px; top: -9px; display: none; z-index: 4; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); }
  :host([active]) .tools { display: flex; } .tools button { border: 0; } .others + .tools { top: -28px; }
  .menu { position: absolute; right: 0; top: 100%; margin-top: 4px; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); padding: 4px; display: grid; min-width: 210px; z-index: 9; }
  .menu button { justify-content: flex-start; border: 0; background: none; min-height: 28px; border-radius: 6px; } .menu button:hover, .menu button:focus-visible { background: var(--sunken); }
  .menu kbd { margin-left: auto; padding-left: 16px; font: 11px var(--mono); color: var(--muted); } .menu hr { width: 100%; border: 0; border-top: 1px solid var(--line); margin: 4px 0; }
  :host([drop="before"])::before, :host([drop="after"])::before { content: ""; position: absolute; left: 8px; right: 22px; height: 2px; background: var(--accent); }
  :host([drop="before"])::before { top: -1px; } :host([drop="after"])::before { bottom: -1px; }
  @media (prefers-reduced-motion: reduce) { .took i { animation: none; } }
  @media (max-width: 720px) {
    :host { grid-template-columns: minmax(0, 1fr); padding: 4px 12px; }
    .gutter { position: absolute; left: 12px; top: 4px; padding: 0; z-index: 2; cursor: default; display: none; }
    .gutter.code { display: flex; flex-direction: row; width: 40px; justify-content: center; padding-top: 9px; font-size: 11px; } .main.code .box { padding-left: 40px; }
    .gutter::before { left: -8px; } .gutter.runs:not(.busy) .n { display: none; } .gutter.runs:not(.busy) button { display: inline-flex; min-width: 40px; min-height: 40px; margin: -10px 0 0; }
    .tools { position: static; grid-column: 1; margin-top: 6px; justify-self: end; } .tools .menu { top: auto; bottom: 100%; }
    .menu button { min-height: 44px; } .rendered { max-width: none; }
  }
`;
