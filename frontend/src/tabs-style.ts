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
