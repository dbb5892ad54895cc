/** A session with other slots: what one is granted is fixed for its life, so it ends and another one begins. */
import { ApiError, request } from "./api.js";
import { isOver, type Session } from "./usage-model.js";

const LOOK_AGAIN_MS = 250;

/** End the session `old` of `project` and begin one with `slots` (cores, bytes).
 * @throws ApiError what was asked for cannot be granted; `old` goes on then. */
export async function sessionWith(project: string, old: string, slots: { cpu: number; memory: number }): Promise<Session> {
  const ask = (): Promise<Session> => request("/api/v1/sessions", { method: "POST", body: { project, slots } });
  await ask().catch(conflict); // what cannot be granted is refused while nothing has ended yet
  await request(`/api/v1/sessions/${old}`, { method: "DELETE" });
  await ended(old);
  return ask();
}

/** Until the session `id` is over: another one of its project can begin then. */
export async function ended(id: string): Promise<void> {
  while (!isOver(await request<Session>(`/api/v1/sessions/${id}`))) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
}

/** A live session is in the way of another one: all else was in order. */
function conflict(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 409) throw error;
}
