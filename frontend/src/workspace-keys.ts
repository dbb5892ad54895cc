/** The keys that hold everywhere in the workspace. */
import { activeTab } from "./groups.js";
import type { MadangWorkspace, Pane } from "./madang-workspace.js";
import { showHistory } from "./workspace-history.js";

const PANES: readonly Pane[] = ["files", "editor", "console", "terminal"];

export function onWorkspaceKey(workspace: MadangWorkspace, event: KeyboardEvent): void {
  const mod = event.ctrlKey || event.metaKey;
  const active = workspace.shadowRoot?.activeElement;
  if (event.key === "F6") {
    const now = paneOf(document.activeElement === workspace ? active : null);
    const step = event.shiftKey ? PANES.length - 1 : 1;
    workspace.goTo(PANES[(PANES.indexOf(now) + step) % PANES.length] ?? "files");
  } else if (mod && event.altKey && /^Digit[1-4]$/.test(event.code)) {
    workspace.goTo(PANES[Number(event.code.slice(-1)) - 1] ?? "files");
  } else if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s") {
    void workspace.editor()?.save?.();
  } else if (mod && !event.altKey && event.key.toLowerCase() === "p") {
    void workspace.palette.show(event.shiftKey ? ">" : "");
  } else if (mod && event.shiftKey && !event.altKey && event.key.toLowerCase() === "f" && paneOf(active) !== "terminal") {
    workspace.showSide("search");
  } else if (event.altKey && event.shiftKey && !mod && event.code === "KeyH" && paneOf(active) !== "terminal") {
    void showHistory(workspace, workspace.files.active);
  } else if (mod && !event.altKey && event.code === "Backslash") {
    workspace.tabs.split(activeTab(workspace.groups));
  } else if (event.key === "?" && !typing(event)) {
    workspace.help();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function paneOf(active: Element | null | undefined): Pane {
  if (active?.closest(".files")) return "files";
  if (active?.closest(".right")) return "terminal";
  return /^(file|port):/.test(active?.getAttribute("slot") ?? "") ? "editor" : active?.closest(".centre") ? "console" : "terminal";
}

function typing(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
