/** What to do with uploads whose names are taken. */
import { parentOf } from "./contents.js";

export type Answer = "replace" | "both" | "skip";

/** `name (2).txt`, `name (3).txt`, … : the first that is not taken. */
export function freeName(path: string, taken: ReadonlySet<string>): string {
  const folder = parentOf(path);
  const name = path.slice(folder ? folder.length + 1 : 0);
  const dot = name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length;
  for (let number = 2; ; number += 1) {
    const fresh = `${folder ? `${folder}/` : ""}${name.slice(0, dot)} (${String(number)})${name.slice(dot)}`;
    if (!taken.has(fresh)) return fresh;
  }
}

/** The uploads as `answer` has them, and which of the taken paths go to the trash before. */
export function settled<T extends { path: string }>(uploads: readonly T[], taken: ReadonlySet<string>, answer: Answer): { uploads: T[]; gone: string[] } {
  const all = new Set([...taken, ...uploads.map(({ path }) => path)]);
  const clash = (one: T): boolean => taken.has(one.path);
  if (answer === "skip") return { uploads: uploads.filter((one) => !clash(one)), gone: [] };
  if (answer === "replace") return { uploads: [...uploads], gone: uploads.filter(clash).map(({ path }) => path) };
  return {
    uploads: uploads.map((one) => {
      if (!clash(one)) return one;
      const path = freeName(one.path, all);
      all.add(path);
      return { ...one, path };
    }),
    gone: [],
  };
}
