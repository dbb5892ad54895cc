/** What new files are called and have in them. Pure. */

export function isNotebook(path: string): boolean {
  return path.toLowerCase().endsWith(".ipynb");
}

/** A notebook of nbformat 4.5 with one empty cell. */
export function emptyNotebook(kernel: string): string {
  const cell = { cell_type: "code", execution_count: null, id: crypto.randomUUID().slice(0, 8), metadata: {}, outputs: [], source: [] };
  return `${JSON.stringify({ cells: [cell], metadata: { kernelspec: { display_name: kernel, name: kernel } }, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
}

export function newName(kind: "file" | "folder" | "notebook"): string {
  return kind === "notebook" ? "notebook.ipynb" : "";
}
