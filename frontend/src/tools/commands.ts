/** Commands and programs in a session. */
import { request } from "../api.js";

export interface Finished {
  exit_code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  cause: string;
  truncated: boolean;
}

const at = (session: string): string => `/api/v1/sessions/${encodeURIComponent(session)}`;

/** Run a program with arguments in the project's folder, to its end. */
export function runCommand(session: string, command: readonly string[], more: { stdin?: string; output?: number } = {}): Promise<Finished> {
  return request(`${at(session)}/commands`, { method: "POST", body: { command, ...more } });
}

export interface Program {
  name: string;
  command: string;
  folder: string;
}

/** Run a file of the project in a terminal of its own. */
export function startProgram(session: string, path: string): Promise<Program> {
  return request(`${at(session)}/programs`, { method: "POST", body: { path } });
}

export async function endProgram(session: string, name: string): Promise<void> {
  await request(`${at(session)}/programs/${encodeURIComponent(name)}`, { method: "DELETE" });
}
