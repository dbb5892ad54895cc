/** The left side of the workspace: the files, a search in them, or what was deleted; below, the ports. */
import { html, type TemplateResult } from "lit";
import { icon, type IconName } from "./icons.js";
import type { Key } from "./i18n.js";
import "./madang-search.js";
import "./madang-trash.js";
import type { MadangTrash } from "./madang-trash.js";
import type { MadangWorkspace } from "./madang-workspace.js";

export type Side = "files" | "search" | "trash";

const SIDES: readonly [Side, IconName, Key][] = [["files", "folder", "files"], ["search", "search", "search"], ["trash", "trash", "trash"]];

export function workspaceSide(workspace: MadangWorkspace): TemplateResult {
  const { side, slug, project, language } = workspace;
  const t = workspace.say.bind(workspace);
  const choose = (event: Event, which: Side): void => {
    workspace.showSide(which);
    if (which === "trash") void (event.currentTarget as HTMLElement).closest(".files")?.querySelector<MadangTrash>("madang-trash")?.look();
  };
  const open = (event: CustomEvent<{ path: string; line?: number; column?: number }>): void => {
    void workspace.open(`${slug}/${event.detail.path}`, { ...event.detail, focus: true });
  };
  return html`<section class="files" aria-label=${t("files")}>
    <div class="sides">${SIDES.map(([which, picture, key]) => html`<button class="icon quiet" title=${t(key)} aria-label=${t(key)} aria-pressed=${side === which} @click=${(event: Event) => { choose(event, which); }}>${icon(picture)}</button>`)}</div>
    <div class="side">
      <madang-files ?hidden=${side !== "files"} project=${project} slug=${slug} current=${workspace.inFront === "editor" ? workspace.files.active : ""} upload-limit=${workspace.uploadLimit} kernel=${workspace.kernel} language=${language}
        @madang-open=${(event: CustomEvent<{ path: string }>) => void workspace.open(event.detail.path, { focus: true })}
        @madang-open-with=${(event: CustomEvent<{ path: string; opener: string }>) => void workspace.open(event.detail.path, { opener: event.detail.opener, focus: true })}
        @madang-renamed=${(event: CustomEvent<{ from: string; to: string }>) => { workspace.onRenamed(event.detail.from, event.detail.to); }}
        @madang-removed=${(event: CustomEvent<{ path: string }>) => { workspace.gone(event.detail.path); }}></madang-files>
      <madang-search ?hidden=${side !== "search"} project=${project} language=${language} @madang-open=${open} @madang-changed=${() => { workspace.lookAgain(); }}></madang-search>
      <madang-trash ?hidden=${side !== "trash"} project=${project} language=${language} @madang-restored=${() => { workspace.lookAgain(); }}></madang-trash>
    </div>
    <madang-ports .ports=${workspace.ports.all} language=${language} @madang-preview=${(event: CustomEvent<{ port: number }>) => { workspace.ports.open(event.detail.port); }}></madang-ports></section>`;
}
