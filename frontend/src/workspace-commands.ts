/** What the palette offers of the workspace, each with the keys that do the same. */
import { activeTab } from "./groups.js";
import { CONSOLE } from "./file-view.js";
import type { Command } from "./madang-palette.js";
import type { MadangWorkspace } from "./madang-workspace.js";
import { toggleTheme } from "./page-choices.js";
import { MOD } from "./shortcuts.js";
import { hasHistory, showHistory } from "./workspace-history.js";

export function commandsOf(workspace: MadangWorkspace): readonly Command[] {
  const t = workspace.say.bind(workspace);
  const { session } = workspace;
  const live = session?.state === "running";
  const tab = activeTab(workspace.groups);
  const file = workspace.files.active;
  const inFiles = (work: () => void) => (): void => {
    workspace.showSide("files");
    work();
  };
  return [
    { label: t("commandOpen"), keys: `${MOD}+P`, run: () => void workspace.palette.show("") },
    { label: t("newFile"), run: inFiles(() => { workspace.tree.startNaming("file"); }) },
    { label: t("newFolder"), run: inFiles(() => { workspace.tree.startNaming("folder"); }) },
    { label: t("upload"), run: inFiles(() => { workspace.tree.chooseUploads(); }) },
    { label: t("commandSearch"), keys: `${MOD}+Shift+F`, run: () => { workspace.showSide("search"); } },
    { label: t("commandTrash"), run: () => { workspace.showSide("trash"); } },
    { label: t("keySave"), keys: `${MOD}+S`, possible: file !== "", run: () => void workspace.editor()?.save?.() },
    { label: t("run"), keys: "Ctrl+Enter", possible: live, run: () => void workspace.run() },
    { label: t("keyRunHere"), keys: "F5", possible: live && file !== "", run: () => { workspace.tools.run(); } },
    { label: t("formatFile"), keys: "Shift+Alt+F", possible: file !== "", run: () => void workspace.tools.format() },
    { label: t("problems"), possible: file !== "", run: () => { workspace.goTo("editor"); workspace.tools.show("problems"); } },
    { label: t("git"), possible: file !== "", run: () => { workspace.goTo("editor"); workspace.tools.show("git"); } },
    { label: t("interrupt"), possible: live, run: () => { workspace.interrupt(); } },
    { label: t("restart"), possible: live, run: () => { workspace.restartKernel(); } },
    { label: t("splitRight"), keys: `${MOD}+\\`, run: () => { workspace.tabs.split(tab); } },
    { label: t("commandClose"), possible: tab !== CONSOLE, run: () => void workspace.closeTab(tab) },
    { label: t("fileHistory"), keys: "Shift+Alt+H", possible: hasHistory(workspace, file), run: () => void showHistory(workspace, file) },
    { label: t("copyLink"), possible: file !== "", run: () => void workspace.copyLink() },
    { label: t("newTerminal"), possible: live, run: () => { workspace.goTo("terminal"); void workspace.terminals.add(); } },
    ...workspace.ports.all.map(({ port }) => ({ label: t("previewOf", { port }), run: () => { workspace.ports.open(port); } })),
    { label: t("keyFiles"), keys: "Ctrl+Alt+1", run: () => { workspace.goTo("files"); } },
    { label: t("keyEditor"), keys: "Ctrl+Alt+2", run: () => { workspace.goTo("editor"); } },
    { label: t("keyConsole"), keys: "Ctrl+Alt+3", run: () => { workspace.goTo("console"); } },
    { label: t("keyTerminal"), keys: "Ctrl+Alt+4", run: () => { workspace.goTo("terminal"); } },
    { label: t("session"), run: () => { workspace.goTo("session"); } },
    { label: t("changeImage"), possible: live && workspace.manages, run: () => { workspace.goTo("session"); workspace.usage.chooseImage(); } },
    { label: t("pause"), possible: live, run: () => void workspace.usage.pauseOrResume() },
    { label: t("resume"), possible: session?.state === "paused", run: () => void workspace.usage.pauseOrResume() },
    { label: t("extend"), possible: live, run: () => void workspace.usage.extend() },
    { label: t("stop"), possible: live, run: () => { workspace.stop(); } },
    { label: t("share"), run: () => void workspace.share() },
    { label: t("theme"), run: () => { toggleTheme(); } },
    { label: "English", run: () => void workspace.speak("en") },
    { label: "한국어", run: () => void workspace.speak("ko") },
    { label: t("toDashboard"), run: () => { location.assign("/dashboard"); } },
    { label: t("shortcuts"), keys: "?", run: () => { workspace.help(); } },
  ];
}
