/** The programming language that a notebook says it is in. */
import type { NotebookModel } from "./model.js";

const ENDINGS: Readonly<Record<string, string>> = {
  python: ".py", javascript: ".js", typescript: ".ts", r: ".r", julia: ".jl", c: ".c", "c++": ".cpp", cpp: ".cpp", bash: ".sh", ruby: ".rb",
  go: ".go", rust: ".rs", java: ".java", lua: ".lua", php: ".php", haskell: ".hs", sql: ".sql",
};

/** The ending of a file of its code; that of `file` where it does not say. */
export function endingOf(model: NotebookModel, file: string): string {
  const said = model.metadata("language_info", "file_extension");
  if (typeof said === "string" && /^\.\w{1,12}$/.test(said)) return said;
  return ENDINGS[nameOf(model)] ?? /\.\w+$/.exec(file)?.[0] ?? ".py";
}

export function isPython(model: NotebookModel): boolean {
  const name = nameOf(model);
  return name === "python" || (name === "" && /^(python3?)?$/.test(kernelName(model)));
}

function nameOf(model: NotebookModel): string {
  const said = model.metadata("language_info", "name") || model.metadata("kernelspec", "language");
  return typeof said === "string" ? said.toLowerCase() : "";
}

function kernelName(model: NotebookModel): string {
  const name = model.metadata("kernelspec", "name");
  return typeof name === "string" ? name : "";
}
