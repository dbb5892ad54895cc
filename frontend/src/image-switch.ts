/** The project's image changes: by this page, or by another one that this page learns of. */
import { ApiError, request } from "./api.js";
import type { MadangWorkspace } from "./madang-workspace.js";
import { ended } from "./session-slots.js";
import { isOver } from "./usage-model.js";

/** Save what is open, give the project `image`, wait until the old session is over, and begin anew: what a workspace
 * knows of its image came with the page.
 * @throws ApiError something could not be saved, it may not be, or the site is away. */
export async function switchImage(workspace: MadangWorkspace, image: string): Promise<void> {
  const saved = await Promise.all(workspace.views.map(({ path }) => workspace.editor(path)?.save?.() ?? true));
  if (!saved.every(Boolean)) throw new ApiError(409, "not_saved", workspace.say("notSavedFirst"));
  await request(`/api/v1/projects/${workspace.project}`, { method: "PATCH", body: { image } });
  if (workspace.sessionId && !isOver(workspace.session)) await ended(workspace.sessionId);
  location.reload();
}

/** Whether the project has another image than this page knows. */
export async function hasOtherImage(project: string, known: string): Promise<boolean> {
  try {
    return (await request<{ image: string }>(`/api/v1/projects/${project}`)).image !== known;
  } catch {
    return false; // what is started next says what is wrong
  }
}
