/** What the workspace has to say above everything: why nothing runs, and what to do about it. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "./icons.js";
import type { Key } from "./i18n.js";
import type { MadangWorkspace } from "./madang-workspace.js";
import { isOver } from "./usage-model.js";

/** What a running session says when it has reached one of its limits. */
const LIMITS: Partial<Record<string, Key>> = { disk_full: "diskFull", processes_full: "processesFull", memory_full: "memoryFull", gpu_memory_full: "gpuMemoryFull" };

export function workspaceNotes(workspace: MadangWorkspace): TemplateResult | typeof nothing {
  const t = workspace.say.bind(workspace);
  const { session, problem } = workspace;
  if (problem?.code === "signed_out") {
    return html`<div class="note bad" role="alert"><span>${problem.words}</span><a href="/accounts/login/?next=${encodeURIComponent(location.pathname)}">${t("signIn")}</a></div>`;
  }
  if (session && isOver(session)) {
    const why = session.reason === "idle" ? t("whyIdle") : session.reason === "owner" ? "" : (session.detail ?? "");
    return html`<div class="note ${session.state === "failed" ? "bad" : ""}" role="status"><span><b>${t(session.state === "failed" ? "sessionFailed" : "sessionStopped")}</b> ${why} ${t("filesAreSafe")}</span>
      <button class="primary" @click=${() => void workspace.startAgain()}>${t("startAgain")}</button></div>`;
  }
  if (session?.state === "paused") {
    return html`<div class="note" role="status"><span>${t("pausedHere")}</span>
      <button class="primary" @click=${() => void workspace.usage.pauseOrResume()}>${icon("play")}${t("resume")}</button></div>`;
  }
  const limit = session?.state === "running" ? LIMITS[session.reason] : undefined;
  if (limit) return html`<div class="note bad" role="status"><span>${t(limit)}</span></div>`;
  if (problem && !session && !(workspace.inFront === "console" && workspace.pane === "console")) {
    return html`<div class="note bad" role="alert"><span><b>${t("startFailed")}</b> ${problem.words}</span>
      <button class="primary" @click=${() => void workspace.startAgain()}>${t("tryAgain")}</button></div>`;
  }
  return nothing;
}
