/** The ports of the workspace's session: their tabs, and the news that one has opened. */
import { html, nothing, type ReactiveController, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { allTabs, closed, inSight, shown } from "./groups.js";
import { icon } from "./icons.js";
import type { MadangWorkspace } from "./madang-workspace.js";
import { newPorts, type Port, portOf, portOfTab, portsWith, portTab, type Share, type SharedPort } from "./ports.js";

const NEWS_MS = 20_000;

const load = (): Promise<unknown> => import("./madang-preview.js");

export class WorkspacePorts implements ReactiveController {
  private listening: readonly Port[] | null = null;
  private shares: readonly Share[] = [];
  /** The port that has just opened; 0 for none. */
  private news = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly workspace: MadangWorkspace) {
    workspace.addController(this);
  }

  hostDisconnected(): void {
    clearTimeout(this.timer);
  }

  get all(): SharedPort[] {
    return portsWith(this.listening ?? [], this.shares);
  }

  /** What was open as the page came is no news. */
  take(now: readonly Port[]): void {
    const tabs = allTabs(this.workspace.groups);
    const fresh = this.listening ? newPorts(this.listening, now).filter(({ port }) => !tabs.includes(portTab(port))) : [];
    this.listening = now;
    const [first] = fresh;
    if (first && !this.workspace.readonly) this.tell(first.port);
    else if (!now.some(({ port }) => port === this.news)) this.tell(0);
    this.workspace.requestUpdate();
  }

  takeShares(shares: readonly Share[]): void {
    this.shares = shares;
    this.workspace.requestUpdate();
  }

  /** The session is over. */
  forget(): void {
    this.listening = null;
    this.shares = [];
    this.tell(0);
  }

  open(port: number): void {
    this.tell(0);
    const { workspace } = this;
    workspace.chose = true;
    workspace.setGroups(shown(workspace.groups, portTab(port)));
    workspace.pane = "editor";
    void Promise.all([load(), workspace.drawn()]).then(() => workspace.renderRoot.querySelector<HTMLElement>(`[slot="${portTab(port)}"]`)?.focus());
  }

  close(port: number): void {
    if (port) this.workspace.setGroups(closed(this.workspace.groups, (tab) => tab === portTab(port)));
  }

  private tell(port: number): void {
    clearTimeout(this.timer);
    this.news = port;
    if (port) this.timer = setTimeout(() => { this.tell(0); }, NEWS_MS);
    this.workspace.requestUpdate();
  }

  /** The open previews, as children of the tabs. */
  views(): TemplateResult {
    const { groups, session, sessionId, manages, readonly, language } = this.workspace;
    const ports = allTabs(groups).map(portOfTab).filter(Boolean);
    if (ports.length) void load();
    return html`${repeat(ports.sort(), (port) => port, (port) => html`<madang-preview slot=${portTab(port)} session=${sessionId} state=${session?.state ?? ""} ?manages=${manages} ?readonly=${readonly}
      ?hidden=${!inSight(groups, portTab(port))} language=${language} .port=${portOf(port, this.listening ?? [], this.shares)}></madang-preview>`)}`;
  }

  /** One line that comes and goes: a port has opened. */
  note(): TemplateResult {
    const t = this.workspace.say.bind(this.workspace);
    const port = this.news;
    return html`<div class="port-news ${port ? "on" : ""}" role="status">${port ? html`<span>${t("portOpened", { port })}</span>
      <button class="quiet" @click=${() => { this.open(port); }}>${t("preview")}</button>
      <button class="icon quiet" aria-label=${t("dismiss")} title=${t("dismiss")} @click=${() => { this.tell(0); }}>${icon("close")}</button>` : nothing}</div>`;
  }
}
