/** The bar above the workspace, the one below, and the one that a phone has instead. */
import { html, nothing, type TemplateResult } from "lit";
import { icon, type IconName } from "./icons.js";
import type { Key, Language } from "./i18n.js";
import { money } from "./money.js";
import { toggleTheme } from "./page-choices.js";
import type { MadangWorkspace, Pane } from "./madang-workspace.js";
import { companions, initials } from "./people.js";
import type { Now } from "./madang-usage.js";
import { percent } from "./usage-charts.js";
import { bytes, type Session } from "./usage-model.js";

const MOST_PEOPLE = 5;

const TONE: Record<Session["state"], string> = {
  pending: "soon", preparing: "soon", running: "good", paused: "soon", stopping: "soon", stopped: "", failed: "bad",
};

const KERNEL: Partial<Record<string, Key>> = {
  none: "kernelNone", unknown: "kernelUnknown", starting: "kernelStarting", idle: "kernelIdle", busy: "kernelBusy", restarting: "kernelRestarting", dead: "kernelDead",
};

export function workspaceBar(workspace: MadangWorkspace): TemplateResult {
  const { session, files, inFront } = workspace;
  const file = inFront === "editor" ? files.active.slice(workspace.slug.length + 1) : "";
  const t = workspace.say.bind(workspace);
  const live = session?.state === "running";
  return html`<header>
    <a class="brand" href="/dashboard" title=${t("toDashboard")} aria-label=${t("toDashboard")}>마</a>
    <h1 class="sr">${workspace.name}</h1>
    <span class="crumb"><span class="owner">${workspace.owner} / </span><b>${workspace.name}</b>${file ? html` / ${file}` : nothing}</span>
    <span class="space"></span>
    ${people(workspace)}${pill(workspace)}
    <button class="quiet icon quietable" title=${t("theme")} aria-label=${t("theme")} @click=${() => { toggleTheme(); }}>${icon("sun")}</button>
    ${workspace.readonly ? nothing : controls(workspace, live)}
    <button class="quietable" @click=${() => void workspace.share()}>${t("share")}</button>
    ${workspace.readonly ? nothing : runButton(workspace, live)}
  </header>`;
}

function controls(workspace: MadangWorkspace, live: boolean): TemplateResult {
  const t = workspace.say.bind(workspace);
  return html`<button class="quietable" title=${t("restart")} aria-label=${t("restart")} ?disabled=${!live} @click=${() => { workspace.restartKernel(); }}>${icon("restart")}<span class="wide">${t("restart")}</span></button>
    <button class="quietable" title=${t("stop")} aria-label=${t("stop")} ?disabled=${!live && workspace.session?.state !== "paused"} @click=${() => { workspace.stop(); }}>${icon("stop")}<span class="wide">${t("stop")}</span></button>`;
}

function runButton(workspace: MadangWorkspace, live: boolean): TemplateResult {
  const t = workspace.say.bind(workspace);
  const { busy, inFront, notebook, session } = workspace;
  return busy
    ? html`<button class="danger" @click=${() => { workspace.interrupt(); }}>${icon("stop")}${t("interrupt")}</button>`
    : html`<button class="primary" title=${notebook ? nothing : "Ctrl+Enter"} ?disabled=${(session !== null && !live) || (inFront === "editor" && !workspace.runnable)} @click=${() => void workspace.run()}>${icon("play")}${t(notebook ? "runAll" : "run")}</button>`;
}

/** Who else is here: pressing somebody's mark follows them. */
function people(workspace: MadangWorkspace): TemplateResult | typeof nothing {
  const others = companions(workspace.people, workspace.files.active);
  if (others.length === 0) return nothing;
  return html`<span class="people" role="group" aria-label=${workspace.say("people")}>${others.slice(0, MOST_PEOPLE).map((one) => {
    const words = workspace.say("followPerson", { name: one.name, file: one.path.slice(one.path.lastIndexOf("/") + 1) });
    return html`<button class="person" style="--person:${one.color}" title=${words} aria-label=${words} @click=${() => void workspace.follow(one)}>${initials(one.name)}</button>`;
  })}${others.length > MOST_PEOPLE ? html`<span>+${others.length - MOST_PEOPLE}</span>` : nothing}</span>`;
}

function pill(workspace: MadangWorkspace): TemplateResult | typeof nothing {
  const { session } = workspace;
  if (workspace.readonly && !session) return nothing;
  const t = workspace.say.bind(workspace);
  const lost = session?.state === "running" && workspace.link === "connecting" && workspace.wasOpen;
  const begins = workspace.problem ? "failed" : "starting";
  const soon = !lost && workspace.left !== "";
  const word = lost ? t("reconnecting") : soon ? t("endsShort", { time: workspace.left }) : t(session?.state ?? begins);
  const tone = lost || soon ? "soon" : session ? TONE[session.state] : workspace.problem ? "bad" : "soon";
  const cores = session ? t(session.slots.cpu === 1 ? "core" : "cores", { n: session.slots.cpu }) : "";
  const detail = [workspace.image.replace(":", " "), cores, session ? bytes(session.slots.memory) : ""].filter(Boolean).join(" · ");
  return html`<button class="pill" title=${t("session")} aria-pressed=${workspace.pane === "session"} @click=${() => { workspace.goTo("session"); }}>
    <i class="dot ${tone}"></i><span>${word}<span class="detail"> · ${detail}</span></span></button>`;
}

export function workspaceFoot(workspace: MadangWorkspace): TemplateResult {
  const t = workspace.say.bind(workspace);
  const { files, cursor, link, session } = workspace;
  const over = session !== null && (session.state === "stopped" || session.state === "failed");
  const saved = workspace.saveStates.get(files.active) ?? null;
  const mark = { saved: "●", saving: "◌", unsaved: "○", failed: "▲" };
  const words: Record<NonNullable<typeof saved>, Key> = { saved: "saved", saving: "saving", unsaved: "unsaved", failed: "saveFailed" };
  const connection: Key = over || link === "closed" ? "disconnected" : link === "open" ? "online" : workspace.wasOpen ? "reconnecting" : "connecting";
  return html`<footer>
    <span class=${saved === "failed" ? "bad" : ""} role="status">${saved ? `${mark[saved]} ${t(words[saved])}` : files.active ? nothing : t("noFile")}</span>
    <span>${workspace.image.replace(":", " ")}${workspace.readonly ? nothing : html` · ${t(over ? "kernelDead" : KERNEL[workspace.kernelInFront] ?? "kernelUnknown")}`}</span>
    <span class="space"></span>
    ${workspace.now && session?.state === "running" ? html`<button class="now num" title=${t("session")} @click=${() => { workspace.goTo("session"); }}>${inFew(workspace.now, t, workspace.speaks)}</button>` : nothing}
    ${cursor && workspace.inFront === "editor" ? html`<span>${t("position", cursor)}</span>` : nothing}
    ${workspace.readonly ? nothing : html`<span class=${connection === "reconnecting" ? "amber" : ""} role="status">${connection === "online" ? "●" : connection === "disconnected" ? "○" : "◌"} ${t(connection)}</span>`}
    <button aria-label=${t("shortcuts")} title="${t("shortcuts")} (?)" @click=${() => { workspace.help(); }}>${icon("keyboard")}</button>
    ${languages(workspace)}
  </footer>`;
}

function inFew({ cpu, memory, gpu, room, cost }: Now, t: MadangWorkspace["say"], language: Language): string {
  const parts = [`CPU ${percent(cpu)}`, bytes(memory), gpu === null ? "" : `GPU ${percent(gpu)}`, room ? t("diskNow", { n: percent(room.size / room.limit) }) : "", cost ? money(cost, language) : ""];
  return parts.filter(Boolean).join(" · ");
}

function languages(workspace: MadangWorkspace): TemplateResult {
  return html`<span><button lang="en" aria-pressed=${workspace.speaks === "en"} @click=${() => void workspace.speak("en")}>EN</button>·<button
    lang="ko" aria-pressed=${workspace.speaks === "ko"} @click=${() => void workspace.speak("ko")}>한국어</button></span>`;
}

/** What the bars have no room for on a phone, under the session's usage. */
export function workspacePhoneMore(workspace: MadangWorkspace): TemplateResult {
  const t = workspace.say.bind(workspace);
  const live = workspace.session?.state === "running";
  return html`<div class="phone-more"><p>${workspace.image.replace(":", " ")} · ${t(KERNEL[workspace.kernelInFront] ?? "kernelUnknown")}</p>
    ${workspace.readonly ? nothing : html`<button ?disabled=${!live} @click=${() => { workspace.restartKernel(); }}>${icon("restart")}${t("restart")}</button>`}
    <button @click=${() => void workspace.share()}>${t("share")}</button>
    <button @click=${() => { toggleTheme(); }}>${icon("sun")}${t("theme")}</button>${languages(workspace)}</div>`;
}

const PHONE: readonly [Pane, IconName][] = [["files", "folder"], ["editor", "code"], ["console", "console"], ["terminal", "terminal"]];

export function workspacePhoneBar(workspace: MadangWorkspace): TemplateResult {
  return html`<nav class="phone" aria-label=${workspace.say("panels")}>
    ${PHONE.map(([pane, name]) => html`<button aria-current=${workspace.pane === pane ? "page" : nothing} @click=${() => { workspace.show(pane); }}>${icon(name)}${workspace.say(pane === "session" ? "session" : pane)}</button>`)}</nav>`;
}
