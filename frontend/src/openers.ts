/** What opens a file: one registry, from the ending of a name to the element that shows it.
 *
 * To add one, write an element that is a `FileView` and add a line to `OPENERS`, before the more general ones. */
import type { Key } from "./i18n.js";

/** What the workspace asks of an element that shows a file. It sets `path` (with the project's slug in front), the
 * attributes `project` (id), `slug`, `kernel` and `language`, and `hidden` while another tab is in front. What can be changed tells
 * its state by the event `madang-save-state` {path, state: "saved" | "saving" | "unsaved" | "failed"}. */
export interface FileView extends HTMLElement {
  path: string;
  /** Save now. True when the file on disk is what is shown here. */
  save?(): Promise<boolean>;
  /** The file may have changed on disk. */
  look?(): Promise<void>;
  /** The same file has another name now: what is shown stays. */
  moveTo?(path: string): void;
  /** Keep another person's place in sight; `client` is theirs in the shared document. */
  follow?(client: number): void;
  /** What it shows has a kernel of its own: the bar's buttons are for that. */
  runAll?(): void;
  interrupt?(): void;
  restart?(): void;
  /** Show this place; both count from 1. */
  reveal?(line: number, column?: number): void;
}

export interface Opener {
  /** Stands for it in what is remembered of a project's tabs. */
  id: string;
  /** The element's name. */
  element: string;
  label: Key;
  /** Ends of names in lower case; "" is every name. */
  endings: readonly string[];
  /** The chunk that defines the element. */
  load: () => Promise<unknown>;
}

export const OPENERS: readonly Opener[] = [
  { id: "image", element: "madang-image", label: "openAsImage", endings: [".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".bmp", ".ico", ".svg"], load: () => import("./madang-image.js") },
  { id: "table", element: "madang-table", label: "openAsTable", endings: [".csv", ".tsv", ".tab"], load: () => import("./madang-table.js") },
  { id: "notebook", element: "madang-notebook", label: "openAsNotebook", endings: [".ipynb"], load: () => import("./notebook/madang-notebook.js") },
  { id: "pdf", element: "madang-pdf", label: "openAsPdf", endings: [".pdf"], load: () => import("./madang-pdf.js") },
  { id: "text", element: "madang-editor", label: "openAsText", endings: [""], load: () => import("./madang-editor.js") },
  { id: "part", element: "madang-part", label: "openInParts", endings: [""], load: () => import("./madang-part.js") },
];

/** All that can open `path`, the one that does by default first. */
export function openersOf(path: string, openers: readonly Opener[] = OPENERS): readonly Opener[] {
  const name = path.toLowerCase();
  return openers.filter(({ endings }) => endings.some((ending) => name.endsWith(ending)));
}

/** The opener `id`, where it takes such files; else the one that opens `path` by default. */
export function openerOf(path: string, id = "", openers: readonly Opener[] = OPENERS): Opener {
  const able = openersOf(path, openers);
  const found = able.find((one) => one.id === id) ?? able[0];
  if (!found) throw new Error(`nothing opens ${path}`);
  return found;
}
