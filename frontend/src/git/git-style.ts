/** The look of <madang-git>: what changed on the left, the texts on the right. */
import { css } from "lit";

export const gitStyle = css`
  :host { display: grid; grid-template-columns: minmax(220px, 300px) minmax(0, 1fr); min-height: 0; background: var(--surface); }
  .none { grid-column: 1 / -1; overflow: auto; }
  .empty { align-content: start; }
  .side { overflow: auto; border-right: 1px solid var(--line); padding: 8px 10px 14px; }
  .head { display: flex; align-items: center; gap: 6px; min-height: 28px; } .head b { font-weight: 600; } .head button { margin-left: auto; }
  form { display: grid; gap: 6px; margin: 6px 0 8px; } form p { margin: 0; } .row { display: flex; gap: 6px; }
  textarea { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--control-line); border-radius: 6px; padding: 5px 8px; resize: vertical; width: 100%; }
  textarea::placeholder { color: var(--muted); }
  label { display: grid; gap: 2px; }
  h3 { display: flex; align-items: center; gap: 6px; margin: 8px 0 2px; font-size: 12px; font-weight: 600; } h3 button.icon { margin-left: auto; } h3 button:not(.icon) { padding: 0 4px; font-weight: 600; font-size: 12px; margin-left: -6px; }
  ul, ol { list-style: none; margin: 0; padding: 0; }
  li { display: flex; align-items: center; border-radius: 6px; }
  ul li:hover, li.on { background: var(--sunken); }
  .file { flex: 1; min-width: 0; justify-content: flex-start; border: 0; background: none; padding: 2px 6px; }
  .file span { overflow: hidden; text-overflow: ellipsis; } .file .muted { font-size: 12px; }
  .letter { font: 600 11px var(--mono); width: 14px; flex: none; color: var(--amber); } .letter.new { color: var(--pine); } .letter.gone { color: var(--red); }
  .asking { flex-wrap: wrap; gap: 6px; padding: 6px 8px; background: var(--amber-ground); } .asking span { flex: 1 0 100%; }
  ol li { display: grid; padding: 4px 6px; } ol span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } ol .muted { font-size: 12px; } code { font-family: var(--mono); }
  p.muted { margin: 6px 0; }
  .note { border: 0; border-radius: 6px; margin: 4px 0; white-space: pre-wrap; }
  .compare { display: grid; grid-template-rows: auto minmax(0, 1fr); min-width: 0; min-height: 0; overflow: hidden; }
  .name { padding: 5px 12px; font-size: 12px; color: var(--muted); border-bottom: 1px solid var(--line); }
  .diff { min-height: 0; overflow: auto; }
  @media (max-width: 720px) { :host { grid-template: minmax(0, 1fr) minmax(0, 1fr) / minmax(0, 1fr); } .side { border-right: 0; border-bottom: 1px solid var(--line); } }
`;
