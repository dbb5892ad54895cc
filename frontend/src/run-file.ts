/** The line that makes the kernel run a file. `path` is relative to the project's folder, where the kernel began. */
export function runLine(path: string, kernel = "python3"): string {
  if (/^[\p{L}\p{N}_\-./ ]+$/u.test(path)) return `%run "${path}"`;
  if (kernel !== "python3") return `%run ${JSON.stringify(path)}`;
  // A magic's line would expand $ and { in it; this call takes the text as it is.
  const quoted = `"${path.replace(/["\\]/g, "\\$&")}"`;
  return `get_ipython().run_line_magic("run", ${JSON.stringify(quoted)})`;
}

/** Whether the kernel runs such a file: `runs` has the endings that it takes, with spaces between. */
export function canRun(path: string, runs: string): boolean {
  return runs.split(" ").some((ending) => ending !== "" && path.toLowerCase().endsWith(ending));
}
