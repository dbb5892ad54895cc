/** Files of the project as language servers name them. */

export function uriOf(root: string, path: string): string {
  return `${root}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** The project's path of `uri`; null where it lies outside. */
export function pathOf(root: string, uri: string): string | null {
  if (!uri.startsWith(`${root}/`)) return null;
  try {
    return decodeURIComponent(uri.slice(root.length + 1));
  } catch {
    return null;
  }
}

const IDS: Record<string, string> = {
  c: "c", h: "c", cpp: "cpp", cc: "cpp", hpp: "cpp", js: "javascript", mjs: "javascript", ts: "typescript", mts: "typescript", tsx: "typescriptreact",
};

/** The protocol's word for the language of a file. */
export function languageId(path: string, language: string): string {
  const id = IDS[path.slice(path.lastIndexOf(".") + 1)];
  return id === "c" && language === "cpp" ? "cpp" : (id ?? language);
}

export function hasEnding(path: string, endings: readonly string[]): boolean {
  return endings.some((ending) => path.endsWith(ending));
}
