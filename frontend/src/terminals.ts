/** The terminals of a session, through Jupyter's endpoints. */
import { request } from "./api.js";

interface Model {
  name: string;
}

function prefixOf(session: string): string {
  return `${session.replaceAll("-", "").slice(0, 8)}-`;
}

/** Their names in the session, in the order of their numbers. */
export async function listTerminals(session: string): Promise<string[]> {
  const all = await request<Model[]>("/jupyter/api/terminals");
  const prefix = prefixOf(session);
  return all
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length))
    .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

/** Start one in the project's folder and return its name in the session. */
export async function newTerminal(slug: string): Promise<string> {
  const { name } = await request<Model>("/jupyter/api/terminals", { method: "POST", body: { cwd: slug } });
  return name.slice(name.indexOf("-") + 1);
}

export async function endTerminal(session: string, name: string): Promise<void> {
  await request(`/jupyter/api/terminals/${prefixOf(session)}${encodeURIComponent(name)}`, { method: "DELETE" });
}

/** Who else has which terminal in sight, by the terminal's name; all terminals are in it. */
export type Company = ReadonlyMap<string, readonly string[]>;

/** What the server says on the terminals' socket. */
export function readCompany(text: string): Company {
  const { terminals } = JSON.parse(text) as { terminals: { name: string; people: string[] }[] };
  return new Map(terminals.map(({ name, people }) => [name, people]));
}
