/** A notebook as one HTML page that needs nothing else. HTML that the code put out stays in frames without any right. */
import { coloured, colouredStyle } from "../codemirror.js";
import { showBundle, showMarkdown, showText, showTraceback } from "../rendering.js";
import { textOf } from "../text.js";
import type { MimeBundle, Output } from "../transcript.js";
import { type NotebookModel, sourceOf, typeOf, type YCell } from "./model.js";
import { CellOutputs } from "./outputs.js";

const STYLE = `:root { color-scheme: light; } body { font: 16px/1.6 system-ui, sans-serif; max-width: 860px; margin: 40px auto; padding: 0 20px; color: #211D17; background: #fff; }
pre { font: 13px/1.6 ui-monospace, monospace; overflow-x: auto; white-space: pre-wrap; margin: 0; } .code { background: #F3F0EA; border: 1px solid #E3DED4; border-radius: 8px; padding: 8px 12px; margin: 14px 0 4px; }
.out { padding: 4px 12px; overflow-x: auto; } img { max-width: 100%; height: auto; } iframe { width: 100%; border: 0; height: 320px; } table { border-collapse: collapse; } th, td { padding: 3px 10px; border-bottom: 1px solid #E3DED4; }
.ansi-red-fg, .ansi-red-intense-fg { color: #B3261E; } .ansi-green-fg, .ansi-green-intense-fg { color: #2C6B4E; } .ansi-blue-fg, .ansi-cyan-fg { color: #22598F; } .ansi-yellow-fg { color: #8A5A00; }
:root { --sky:#22598F; --pine:#2C6B4E; --muted:#6A6358; --accent:#B8431C; --red:#B3261E; --ink:#211D17; --surface:#fff; --sunken:#F3F0EA; --control-line:#8C8579; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 11pt; } pre { font-size: 9pt; overflow-wrap: anywhere; } .out { overflow: visible; } img, table, .code, h1, h2, h3 { break-inside: avoid; } h1, h2, h3 { break-after: avoid; } * { print-color-adjust: exact; } }`;

export async function htmlOf(model: NotebookModel, title: string, ending: string): Promise<string> {
  const page = document.implementation.createHTMLDocument(title);
  page.documentElement.lang = document.documentElement.lang;
  const [charset, style] = [page.createElement("meta"), page.createElement("style")];
  charset.setAttribute("charset", "utf-8");
  style.textContent = `${STYLE}\n${colouredStyle()}`;
  page.head.append(charset, style);
  // Frames ask what colours are around them: what is drawn must be in a page that is shown.
  const stage = document.createElement("div");
  stage.hidden = true;
  document.body.append(stage);
  try {
    for (const cell of model.cells.toArray()) page.body.append(...(await partsOf(cell, stage, ending)));
  } finally {
    stage.remove();
  }
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}

async function partsOf(cell: YCell, stage: HTMLElement, ending: string): Promise<HTMLElement[]> {
  const source = sourceOf(cell).toString();
  const part = (name: string): HTMLElement => {
    const made = document.createElement("div");
    made.className = name;
    stage.append(made);
    return made;
  };
  const type = typeOf(cell);
  if (type === "markdown") {
    const text = part("text");
    await showMarkdown(text, source, (cell.get("attachments") ?? {}) as Record<string, MimeBundle>, location.href);
    return [text];
  }
  const code = part("code");
  const pre = document.createElement("pre");
  pre.append(type === "code" ? await coloured(source, `cell${ending}`) : source);
  code.append(pre);
  const parts = [code];
  for (const output of new CellOutputs().read(cell)) {
    const host = part("out");
    await draw(host, output);
    for (const frame of host.querySelectorAll("iframe")) frame.srcdoc = frame.srcdoc.replace(/<script[^>]*><\/script>/, "");
    parts.push(host);
  }
  return parts;
}

async function draw(host: HTMLElement, output: Output): Promise<void> {
  const pre = document.createElement("pre");
  if (output.kind === "display") await showBundle(host, output.data, output.metadata, { picture: "", frame: "", tree: "", notLive: (type) => type, language: "en", widgets: null }, true);
  else if (output.kind === "error") await showTraceback(host, output.traceback.join("\n") || `${output.name}: ${output.value}`);
  else if (output.kind === "stream") {
    await showText(pre, textOf(output.text));
    host.append(pre);
  }
}
