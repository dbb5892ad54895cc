/** Which files are open, and which of them is in front. Pure; kept per project in this browser. */

export interface OpenFiles {
  readonly paths: readonly string[];
  readonly active: string;
}

export const NOTHING_OPEN: OpenFiles = { paths: [], active: "" };

export function opened(files: OpenFiles, path: string): OpenFiles {
  return { paths: files.paths.includes(path) ? files.paths : [...files.paths, path], active: path };
}

/** Without `path` and what is below it; its neighbour comes to the front. */
export function closed(files: OpenFiles, path: string): OpenFiles {
  const gone = (one: string): boolean => one === path || one.startsWith(`${path}/`);
  const at = files.paths.findIndex(gone);
  const paths = files.paths.filter((one) => !gone(one));
  if (!gone(files.active)) return { paths, active: files.active };
  return { paths, active: paths[Math.min(Math.max(at, 0), paths.length - 1)] ?? "" };
}

/** After `from` (a file or a folder) became `to`. */
export function renamed(files: OpenFiles, from: string, to: string): OpenFiles {
  const move = (one: string): string => (one === from || one.startsWith(`${from}/`) ? to + one.slice(from.length) : one);
  return { paths: files.paths.map(move), active: move(files.active) };
}

export function readOpen(project: string): OpenFiles | null {
  try {
    const stored = JSON.parse(localStorage.getItem(`madang-open-${project}`) ?? "null") as OpenFiles | null;
    return stored && Array.isArray(stored.paths) ? { paths: stored.paths.map(String), active: String(stored.active) } : null;
  } catch {
    return null; // storage is forbidden or holds something else
  }
}

export function keepOpen(project: string, files: OpenFiles): void {
  try {
    localStorage.setItem(`madang-open-${project}`, JSON.stringify(files));
  } catch {
    return; // then the next visit begins with the first file
  }
}
