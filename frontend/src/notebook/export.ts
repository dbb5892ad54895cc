/** A notebook as a file of another kind, made here: nothing needs to run for it. */
import { type NotebookModel, sourceOf, typeOf } from "./model.js";

/** The code of the notebook; text cells become comments. Cells are separated as editors know it. */
export function codeOf(model: NotebookModel, ending: string): string {
  const comment = [".py", ".r", ".jl", ".sh", ".rb"].includes(ending.toLowerCase()) ? "#" : [".lua", ".sql", ".hs"].includes(ending) ? "--" : "//";
  const cells = model.cells.map((cell) => {
    const source = sourceOf(cell).toString();
    const magic = comment === "#" ? source.replace(/^(\s*)([%!])/gm, "$1# $2") : source;
    if (typeOf(cell) === "code") return `${comment} %%\n${magic}`;
    return [`${comment} %% [${typeOf(cell)}]`, ...source.split("\n").map((line) => `${comment} ${line}`.trimEnd())].join("\n");
  });
  return `${cells.join("\n\n")}\n`;
}

/** `print` is the browser's dialog, which makes a PDF too. */
export type ExportForm = "code" | "html" | "print";

export async function exportNotebook(model: NotebookModel, form: ExportForm, path: string, ending: string): Promise<void> {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.ipynb$/i, "");
  if (form === "code") {
    save(`${name}${ending}`, "text/plain", codeOf(model, ending));
    return;
  }
  const { htmlOf } = await import("./export-html.js");
  const page = await htmlOf(model, name, ending);
  if (form === "html") save(`${name}.html`, "text/html", page);
  else await print(page);
}

/** Show the browser's print dialog for a page, in a frame in which nothing runs. */
async function print(page: string): Promise<void> {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-same-origin allow-modals");
  frame.setAttribute("aria-hidden", "true");
  frame.style.cssText = "position: fixed; inset: 0; visibility: hidden; border: 0; width: 860px; height: 100vh;";
  frame.srcdoc = page;
  const loaded = new Promise((resolve) => { frame.addEventListener("load", resolve, { once: true }); });
  document.body.append(frame);
  await loaded;
  const shown = frame.contentWindow;
  shown?.addEventListener("afterprint", () => { frame.remove(); }, { once: true });
  shown?.focus();
  shown?.print();
}

function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => { URL.revokeObjectURL(address); }, 10_000);
}

