/** The line that makes the kernel run a file. `path` is relative to the project's folder, where the kernel began. */
export function runLine(path: string): string {
  if (/^[\p{L}\p{N}_\-./ ]+$/u.test(path)) return `%run "${path}"`;
  // A magic's line would expand $ and { in it; this call takes the text as it is.
  const quoted = `"${path.replace(/["\\]/g, "\\$&")}"`;
  return `get_ipython().run_line_magic("run", ${JSON.stringify(quoted)})`;
}

export function canRun(path: string): boolean {
  return /\.(py|ipynb)$/i.test(path);
}
