/** The middle of the workspace: the console and the open files, as tabs in groups. */
import { html, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { CONSOLE, fileTab, fileView, pathOfTab } from "./file-view.js";
import { type Groups, inSight } from "./groups.js";
import type { MenuItem } from "./madang-menu.js";
import type { TabLook } from "./madang-tabs.js";
import type { MadangWorkspace } from "./madang-workspace.js";
import { otherOpeners } from "./open-views.js";
import { met } from "./people.js";
import { portOfTab } from "./ports.js";
import type { KernelState } from "./transcript.js";
import { hasHistory, showHistory } from "./workspace-history.js";

const phone = matchMedia("(max-width: 720px)");

export function workspaceCentre(workspace: MadangWorkspace): TemplateResult {
  return html`<section class="centre" aria-label=${workspace.say(workspace.inFront)}
    @madang-not-a-notebook=${(event: CustomEvent<{ path: string }>) => void workspace.open(event.detail.path, { opener: "text", focus: true })}
    @madang-notebook-kernel=${(event: CustomEvent<{ path: string; state: string }>) => { workspace.onNotebook(event.detail.path, event.detail.state); }}>
    <madang-tabs .groups=${workspace.groups} .describe=${(tab: string) => lookOf(workspace, tab)} .actions=${(tab: string) => actionsOf(workspace, tab)} ?bare=${workspace.pane === "console" && phone.matches} language=${workspace.language}
        @madang-groups=${(event: CustomEvent<{ groups: Groups }>) => { workspace.chose = true; workspace.setGroups(event.detail.groups); }} @madang-close=${(event: CustomEvent<{ tab: string }>) => void workspace.closeTab(event.detail.tab)}>
      <madang-console slot=${CONSOLE} ?readonly=${workspace.readonly} slug=${workspace.slug} kernel=${workspace.kernel} file=${workspace.first} language=${workspace.language} ?hidden=${!inSight(workspace.groups, CONSOLE)}
        @madang-kernel=${(event: CustomEvent<{ state: KernelState }>) => { workspace.onKernel(event.detail.state); }}
        @madang-started=${() => { workspace.onStarted(); }} @madang-start-failed=${(event: CustomEvent<{ error: unknown }>) => void workspace.onStartFailed(event.detail.error)}></madang-console>
      ${repeat(workspace.views, ({ key }) => key, ({ path, opener }) => fileView({
        path, opener, project: workspace.project, slug: workspace.slug, kernel: workspace.kernel, language: workspace.language, hidden: !inSight(workspace.groups, fileTab(path)),
        extend: (file) => workspace.tools.extend(file),
        onSaveState: (of, state) => { if (state === "saved" && workspace.saveStates.has(of)) workspace.tools.saved(of); workspace.saveStates = new Map(workspace.saveStates).set(of, state); },
        onCursor: (place) => { if (path === workspace.files.active) workspace.cursor = place; },
        onPeople: (here) => { workspace.people = met(workspace.people, here); },
        onRun: () => void workspace.run(),
      }))}${workspace.ports.views()}
    </madang-tabs>
    <madang-tools session=${workspace.session?.state === "running" ? workspace.sessionId : ""} image=${workspace.image} slug=${workspace.slug} file=${workspace.files.active} author=${workspace.person} language=${workspace.language} ?hidden=${workspace.inFront === "console"}
      @madang-open=${(event: CustomEvent<{ path: string }>) => void workspace.open(event.detail.path)} @madang-files-changed=${() => { workspace.lookAgain(); }}
      @madang-save-first=${async (event: CustomEvent<{ path: string; done: () => void }>) => { if ((await workspace.editor(event.detail.path)?.save?.()) ?? true) event.detail.done(); }}></madang-tools></section>`;
}

function lookOf(workspace: MadangWorkspace, tab: string): TabLook {
  const [path, port] = [pathOfTab(tab), portOfTab(tab)];
  if (port) return { name: workspace.say("portN", { port }), title: workspace.say("previewOf", { port }), icon: "globe" };
  if (!path) return { name: workspace.say("console"), icon: "console", fixed: true };
  return { name: path.slice(path.lastIndexOf("/") + 1), title: path.slice(workspace.slug.length + 1), changed: (workspace.saveStates.get(path) ?? "saved") !== "saved" };
}

function actionsOf(workspace: MadangWorkspace, tab: string): MenuItem[] {
  const view = workspace.views.find(({ path }) => path === pathOfTab(tab));
  if (!view) return [];
  return [
    ...otherOpeners(view).map(({ id, label }) => ({ label: workspace.say(label), run: () => void workspace.open(view.path, { opener: id, focus: true }) })),
    ...(hasHistory(workspace, view.path) ? [{ label: workspace.say("fileHistory"), keys: "Shift+Alt+H", run: () => void showHistory(workspace, view.path) }] : []),
    { label: workspace.say("copyLink"), run: () => { void workspace.open(view.path).then(() => workspace.copyLink()); } },
  ];
}
