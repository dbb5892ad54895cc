/** The element that shows an open file, as its opener says. */
import { html, unsafeStatic } from "lit/static-html.js";
import type { Extension } from "@codemirror/state";
import type { TemplateResult } from "lit";
import type { SaveState } from "./madang-editor.js";
import type { Opener } from "./openers.js";
import type { Here } from "./people.js";

export interface Shown {
  path: string;
  opener: Opener;
  /** The project's id. */
  project: string;
  slug: string;
  kernel: string;
  language: string;
  hidden: boolean;
  /** What an editor of text has besides. */
  extend: (path: string) => Promise<Extension>;
  onSaveState: (path: string, state: SaveState) => void;
  onCursor: (place: { line: number; column: number }) => void;
  onPeople: (here: Here) => void;
  onRun: () => void;
}

/** The tab of the console. */
export const CONSOLE = "console";

/** The tab of a file, and the other way round: "" for tabs that are none. */
export const fileTab = (path: string): string => `file:${path}`;
export const pathOfTab = (tab: string): string => (tab.startsWith("file:") ? tab.slice(5) : "");

export function fileView(shown: Shown): TemplateResult {
  const tag = unsafeStatic(shown.opener.element); // from our own list of openers, never from a file
  return html`<${tag} slot=${fileTab(shown.path)} path=${shown.path} project=${shown.project} slug=${shown.slug} kernel=${shown.kernel} language=${shown.language} ?hidden=${shown.hidden} .extend=${shown.extend}
    @madang-save-state=${(event: CustomEvent<{ path: string; state: SaveState }>) => { shown.onSaveState(event.detail.path, event.detail.state); }}
    @madang-cursor=${(event: CustomEvent<{ line: number; column: number }>) => { shown.onCursor(event.detail); }}
    @madang-people=${(event: CustomEvent<Here>) => { shown.onPeople(event.detail); }}
    @madang-run=${() => { shown.onRun(); }}></${tag}>`;
}
