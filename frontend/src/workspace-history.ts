/** The history of one file, over the workspace: what is open below stays as it is. */
import { html, nothing, type TemplateResult } from "lit";
import type { MadangWorkspace } from "./madang-workspace.js";

export function workspaceHistory(workspace: MadangWorkspace): TemplateResult | typeof nothing {
  const { historyOf: path, slug } = workspace;
  if (!path) return nothing;
  const over = (): void => { workspace.renderRoot.querySelector<HTMLDialogElement>("#history")?.close(); };
  return html`<dialog id="history" aria-label=${workspace.say("history")} @close=${() => { workspace.historyOf = ""; workspace.editor(path)?.focus(); }}>
    <madang-history project=${workspace.project} slug=${slug} path=${path} ?readonly=${workspace.readonly} language=${workspace.language}
      @madang-close=${over} @madang-copied=${() => void workspace.tree.refresh()}
      @madang-open=${(event: CustomEvent<{ path: string }>) => { over(); void workspace.open(`${slug}/${event.detail.path}`, { focus: true }); }}></madang-history></dialog>`;
}

/** What shows texts and notebooks; pictures, pages and parts of large files have no history. */
const DOCUMENTS = ["text", "notebook", "table"];

export function hasHistory(workspace: MadangWorkspace, path: string): boolean {
  return workspace.views.some((view) => view.path === path && DOCUMENTS.includes(view.opener.id));
}

export async function showHistory(workspace: MadangWorkspace, path: string): Promise<void> {
  if (!hasHistory(workspace, path)) return;
  await import("./history/madang-history.js");
  workspace.historyOf = path;
  await workspace.updateComplete;
  const dialog = workspace.renderRoot.querySelector<HTMLDialogElement>("#history");
  if (!dialog?.open) dialog?.showModal();
}
