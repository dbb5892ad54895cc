/** The look of <madang-notebook>. */
import { css } from "lit";

export const notebookStyle = css`
  :host { container-type: inline-size; display: grid; grid-template-rows: auto auto auto minmax(0, 1fr); min-height: 0; min-width: 0; background: var(--surface); position: relative; }
  .narrow { display: none !important; }
  .bar { grid-row: 1; display: flex; align-items: center; gap: 2px; padding: 3px 12px; border-bottom: 1px solid var(--line); min-width: 0; font-size: 12.5px; }
  .bar .add { padding: 3px 8px; gap: 4px; font-size: 12.5px; } .bar .add svg { width: 13px; height: 13px; }
  .bar select { font: inherit; color: inherit; min-height: 26px; border: 1px solid transparent; border-radius: 6px; background: transparent; padding: 0 4px; } .bar select:hover { border-color: var(--line); }
  .bar button[aria-pressed="true"] { background: var(--accent-ground); color: var(--accent); }
  .rule { width: 1px; height: 18px; background: var(--line); margin: 0 6px; flex: none; } .space { flex: 1; }
  .status { display: inline-flex; align-items: center; gap: 6px; color: var(--muted); font-size: 12px; padding: 0 8px; white-space: nowrap; min-width: 0; overflow: hidden; text-overflow: ellipsis; }
  .dot { width: 8px; height: 8px; flex: none; border-radius: 9px; border: 2px solid var(--muted); }
  .dot.idle { border-color: var(--pine); } .dot.busy { background: var(--accent); border-color: var(--accent); } .dot.starting, .dot.restarting { border-color: var(--amber); border-radius: 2px; transform: rotate(45deg); } .dot.dead { border-color: var(--red); background: var(--red); border-radius: 2px; }
  .who { width: 22px; height: 22px; border-radius: 99px; color: var(--surface); font-size: 9.5px; font-weight: 700; display: grid; place-items: center; flex: none; margin-left: -5px; border: 2px solid var(--surface); box-sizing: content-box; }
  .more { position: relative; }
  .menu { position: absolute; right: 0; top: 100%; margin-top: 4px; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); padding: 4px; display: grid; min-width: 240px; z-index: 20; }
  .menu button { justify-content: flex-start; border: 0; background: none; border-radius: 6px; } .menu button:hover, .menu button:focus-visible { background: var(--sunken); }
  .menu kbd { margin-left: auto; padding-left: 16px; font: 11px var(--mono); color: var(--muted); } .menu hr { width: 100%; border: 0; border-top: 1px solid var(--line); margin: 4px 0; }
  .notes { grid-row: 2; } madang-notebook-find { grid-row: 3; }
  .middle { grid-row: 4; display: flex; min-height: 0; min-width: 0; position: relative; }
  .scroll { flex: 1; min-width: 0; overflow: auto; outline-offset: -2px; }
  .cells { max-width: 1100px; margin: 0 auto; padding: 14px 0 40vh; }
  madang-notebook-cell:focus-visible { outline: none; } /* its bar says it */
  .insert { display: flex; justify-content: center; gap: 6px; height: 26px; margin: -13px 22px -13px 64px; opacity: 0; transition: opacity var(--fast); align-items: center; position: relative; z-index: 3; }
  .insert::before, .insert::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
  .insert:hover, .insert:focus-within, .insert.end { opacity: 1; } .insert.end { margin: 12px 22px 0 64px; }
  .insert button { min-height: 24px; font-size: 12px; padding: 0 10px; border-radius: 99px; color: var(--muted); } .insert svg { width: 12px; height: 12px; }
  aside { width: 270px; flex: none; border-left: 1px solid var(--line); overflow: auto; background: var(--surface); font-size: 12.5px; }
  aside header { display: flex; align-items: center; padding: 5px 6px 5px 12px; border-bottom: 1px solid var(--line); position: sticky; top: 0; background: var(--surface); z-index: 1; } aside h2 { margin: 0; font-size: 12.5px; font-weight: 600; flex: 1; }
  aside p { padding: 4px 12px; } aside nav { padding: 6px; display: grid; }
  .heading { border: 0; background: none; justify-content: flex-start; text-align: left; white-space: normal; min-height: 28px; font-size: 12.5px; line-height: 1.35; } .heading:hover { background: var(--sunken); }
  .table { overflow: auto; padding: 4px 0; } table { border-collapse: collapse; width: 100%; font-size: 12px; } th, td { text-align: left; padding: 3px 6px; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; } thead th { color: var(--muted); } th:first-child { padding-left: 12px; }
  tbody th, .value { font-family: var(--mono); } .value { max-width: 150px; overflow: hidden; text-overflow: ellipsis; }
  .toast { position: absolute; left: 50%; bottom: 18px; transform: translateX(-50%); display: flex; gap: 12px; align-items: center; padding: 6px 8px 6px 14px; background: var(--surface); border: 1px solid var(--control-line); border-radius: var(--radius); box-shadow: var(--shadow); z-index: 30; }
  .bones { grid-row: 4; padding: 20px 22px 0 64px; display: grid; gap: 14px; align-content: start; max-width: 1100px; width: 100%; margin: 0 auto; } .bone { height: 44px; } .bone.tall { height: 96px; }
  .empty { grid-row: 4; align-content: start; }
  dialog { border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow); padding: 18px 22px; max-width: min(600px, 92vw); }
  dialog::backdrop { background: #0005; } dialog h2 { margin: 0 0 10px; font-size: 16px; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 5px 18px; margin: 0 0 16px; } dt { white-space: nowrap; } dd { margin: 0; color: var(--muted); }
  kbd { font: 12px var(--mono); border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 5px; padding: 1px 6px; background: var(--sunken); } .menu kbd { border: 0; background: none; }
  @container (max-width: 900px) { .status .words { display: none; } aside { width: 230px; } }
  @container (max-width: 480px) { aside { position: absolute; inset: 0 0 0 auto; width: min(300px, 88%); z-index: 15; box-shadow: var(--shadow); } }
  @media (max-width: 720px) {
    .bar { padding: 0 6px; gap: 0; } .bar .add { padding: 0 8px; } .status { padding: 0 8px; } .wide, .bar select, .bar .rule, .bar .status.save { display: none; } .narrow { display: flex !important; }
    .insert.end { margin: 2px 12px; height: 44px; } .insert.end button { min-height: 40px; } .insert:not(.end) { display: none; }
    .cells { padding: 8px 0 30vh; } .menu button { min-height: 44px; }
    dl { grid-template-columns: 1fr; gap: 2px; } dd { margin-bottom: 8px; }
  }
`;
