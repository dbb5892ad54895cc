/** The differences between two states of a notebook, each changed cell as a text of its own. */
import { showDiff } from "../git/diff-view.js";
import { compareCells, type Difference, type Row } from "./cells.js";
import type { Say } from "./words.js";

/** Each is an editor: with more, the page would take its time. */
const AT_ONCE = 40;
const ENDING: Partial<Record<string, string>> = { code: "cell.py", markdown: "cell.md" };

export interface Shown {
  differences: number;
  takeAway: () => void;
}

/** Show them in `place`; null where one of the texts is no notebook. */
export async function showCells(place: HTMLElement, root: ShadowRoot, before: string, after: string, label: string, say: Say): Promise<Shown | null> {
  const rows = compareCells(before, after);
  if (!rows) return null;
  const made: (() => void)[] = [];
  await showSome(place, root, rows, label, say, made);
  return { differences: rows.filter((row) => typeof row !== "number").length, takeAway: () => { made.splice(0).forEach((one) => { one(); }); } };
}

async function showSome(place: HTMLElement, root: ShadowRoot, rows: readonly Row[], label: string, say: Say, made: (() => void)[]): Promise<void> {
  const [now, later] = [rows.slice(0, AT_ONCE), rows.slice(AT_ONCE)];
  for (const row of now) {
    if (typeof row === "number") place.append(element("p", "same", row === 1 ? say("sameCell") : say("sameCells", { n: row })));
    else made.push(await showCell(place, root, row, label, say));
  }
  if (later.length === 0) return;
  const more = element("button", "more", say("showMore", { n: later.length }));
  more.addEventListener("click", () => {
    more.remove();
    void showSome(place, root, later, label, say, made);
  });
  place.append(more);
}

async function showCell(place: HTMLElement, root: ShadowRoot, row: Difference, label: string, say: Say): Promise<() => void> {
  const box = element("section", "cell");
  const head = element("header", "");
  const type = row.type === "code" || row.type === "markdown" ? row.type : "raw";
  head.append(element("b", row.kind, say(row.kind)), element("span", "muted", say(type)));
  box.append(head);
  place.append(box);
  const differs = row.before !== row.after;
  if (row.outputs) box.append(element("p", "", say("outputsDiffer")));
  else if (!differs && row.kind === "changed") box.append(element("p", "", say("metadataDiffer")));
  if (!differs) return () => undefined;
  const text = element("div", "text");
  head.after(text);
  return showDiff(text, root, ENDING[type] ?? "cell.txt", row.before, row.after, label);
}

function element(name: string, style: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  if (style) made.className = style;
  made.textContent = text;
  return made;
}
