/** What a session uses, live, and when it ends.
 *
 * Attributes: `session` (id), `project` (id: whose disk is shown), `image` (the project's), `manages` (the person may change
 * that), `language`. Property: `switchImage` (image), which changes it or throws.
 * Events: `madang-slots` {slots: {cpu, memory}} when the person wants a session with others, `madang-now` {cpu, memory, gpu, room,
 * cost} (parts of what is granted, bytes; gpu null without one, room null while not known, cost {currency, micros} or null where the site is free) with each sample, `madang-session` {session} at each change of the session, `madang-soon` {left} (words; "" when the end is
 * far again), `madang-ports` {ports}, `madang-shares` {shares} as they change, `madang-link` {state}.
 * CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError, request, socketUrl } from "./api.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { Link } from "./link.js";
import type { Money } from "./money.js";
import type { Port, Share } from "./ports.js";
import { reasonKey, type Refusal, withRefusal } from "./refusals.js";
import { shared } from "./styles.js";
import { usageCharts } from "./usage-charts.js";
import { addSample, idleLeft, idleSoon, isOver, latest, type Point, type Room, type Session, type Usage } from "./usage-model.js";

type Event_ =
  | ({ type: "session" } & Session)
  | ({ type: "refusal" } & Refusal)
  | ({ type: "usage"; idle_deadline: string | null; cost: Money | null } & Usage)
  | { type: "ports"; ports: Port[] }
  | { type: "shares"; shares: Share[] };

/** What the bar below the workspace shows of it. */
export interface Now {
  cpu: number;
  memory: number;
  gpu: number | null;
  room: Room | null;
  cost: Money | null;
}

const SHOWN_REFUSALS = 20;
const DISK_MS = 10_000;
const GIB = 1024 ** 3;

@customElement("madang-usage")
export class MadangUsage extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: block; container-type: inline-size; background: var(--surface); overflow: auto; }
      .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 10px 20px; padding: 12px 16px; font-size: 12px; color: var(--muted); }
      .grid > div { min-width: 0; }
      .grid b { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; color: var(--ink); font-weight: 600; font-size: 16px; line-height: 1.4; font-variant-numeric: tabular-nums; }
      .grid small { font-size: 11.5px; font-variant-numeric: tabular-nums; margin-left: 6px; font-weight: 400; color: var(--muted); }
      .grid > div > small { margin: 0; }
      .grid svg.chart { display: block; width: 100%; height: 26px; overflow: visible; }
      .grid path { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
      .grid .base { stroke: var(--line); stroke-width: 1; }
      .note:not(.bad) { color: var(--amber); font-weight: 600; }
      .actions { display: flex; flex-wrap: wrap; gap: 6px; align-content: start; grid-column: 1 / -1; }
      .actions button { font-size: 12px; padding: 2px 8px; min-height: 26px; }
      .actions svg.i { width: 13px; height: 13px; }
      @media (pointer: coarse) { .actions button { min-height: 44px; padding: 2px 14px; } }
      .refusals { list-style: none; margin: 0; padding: 8px 16px 12px; border-top: 1px solid var(--line); font-size: 12px; color: var(--muted); }
      .refusals b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; margin-right: 4px; }
      .slots { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; padding: 10px 16px; border-bottom: 1px solid var(--line); font-size: 12.5px; } .slots label { display: grid; gap: 2px; color: var(--muted); } .slots input { width: 9ch; } .slots p { flex: 1 0 100%; margin: 0; }
      .bone { height: 40px; }
    `,
  ];

  @property() session = "";
  @property() project = "";
  @property() image = "";
  @property({ type: Boolean }) manages = false;
  @property({ attribute: false }) switchImage: (image: string) => Promise<void> = () => Promise.resolve();
  @state() private room: Room | null = null;
  @state() private info: Session | null = null;
  @state() private points: Point[] = [];
  @state() private now = Date.now();
  @state() private asking = false;
  @state() private problem = "";
  @state() private working = false;
  @state() private choosing = false;
  @state() private choosingImage = false;
  @state() private switching = false;

  private previous: Usage | null = null;
  private link: Link | null = null;
  private toldLeft = "";

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => {
      this.now = Date.now();
    }, 1000);
    const disk = setInterval(() => void this.lookAtDisk(), DISK_MS);
    this.onLeave(() => {
      clearInterval(timer);
      clearInterval(disk);
      this.link?.close();
      this.link = null;
    });
    this.connect();
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has("session") && changed.get("session") !== undefined) this.connect();
    const left = this.info && idleSoon(this.info, this.now) ? this.time(idleLeft(this.info, this.now) ?? 0) : "";
    if (left !== this.toldLeft) this.emit("madang-soon", { left });
    this.toldLeft = left;
  }

  /** What the project's files take: a session that runs may write any time. */
  async lookAtDisk(): Promise<void> {
    if (!this.project || document.hidden || (this.room && this.info?.state !== "running")) return;
    try {
      this.room = await request<Room>(`/api/v1/projects/${encodeURIComponent(this.project)}/room`);
    } catch {
      return; // the events' own connection says that the site is away
    }
  }

  private connect(): void {
    this.link?.close();
    this.info = null;
    this.points = [];
    this.previous = null;
    if (!this.session) return;
    void this.lookAtDisk();
    this.link = new Link({
      url: () => socketUrl(`/api/v1/sessions/${encodeURIComponent(this.session)}/events`),
      onMessage: (data) => {
        if (typeof data === "string") this.receive(JSON.parse(data) as Event_);
      },
      onState: (linkState, code) => {
        this.emit("madang-link", { state: linkState, code });
      },
    });
  }

  private receive(event: Event_): void {
    if (event.type === "session") {
      this.take(event);
      return;
    }
    if (event.type === "ports") {
      this.emit("madang-ports", { ports: event.ports });
      return;
    }
    if (event.type === "shares") {
      this.emit("madang-shares", { shares: event.shares });
      return;
    }
    if (event.type === "refusal") {
      if (this.info) this.info = { ...this.info, refusals: withRefusal(this.info.refusals, event) };
      return;
    }
    this.points = addSample(this.points, this.previous, event, this.info?.slots ?? { cpu: 1, gpu: 0 }, { disk: this.room?.size ?? 0, cost: event.cost?.micros ?? 0 });
    this.previous = event;
    const now = this.points.at(-1);
    this.emit("madang-now", { cpu: now?.cpu ?? 0, memory: event.memory_kib * 1024, gpu: this.info?.slots.gpu ? (now?.gpu ?? 0) : null, room: this.room, cost: event.cost } satisfies Now);
    if (this.info) this.info = { ...this.info, usage: event, cost: event.cost, idle_deadline: event.idle_deadline };
  }

  private take(session: Session): void {
    this.info = latest(this.info, session);
    this.emit("madang-session", { session: this.info });
  }

  private async ask(path: string, method: string): Promise<void> {
    this.working = true;
    this.problem = "";
    try {
      const session = await request<Session | undefined>(`/api/v1/sessions/${this.session}${path}`, { method });
      if (session) this.take(session);
    } catch (error) {
      this.tell(error);
    } finally {
      this.working = false;
      this.asking = false;
    }
  }

  /** Say why something was refused. */
  tell(error: unknown): void {
    this.problem = error instanceof ApiError && error.status !== 0 ? [error.message, error.hint].filter(Boolean).join(" ") : this.t("offline");
  }

  extend(): Promise<void> {
    return this.ask("/extend", "POST");
  }

  pauseOrResume(): Promise<void> {
    return this.ask(this.info?.state === "paused" ? "/resume" : "/pause", "POST");
  }

  stop(): Promise<void> {
    return this.ask("", "DELETE");
  }

  override render(): TemplateResult {
    const info = this.info;
    if (!info) {
      return html`<div class="grid" aria-hidden="true">${[1, 2, 3, 4, 5].map(() => html`<div class="bone"></div>`)}</div>`;
    }
    const soon = idleSoon(info, this.now);
    return html`
      ${soon ? html`<div class="note" role="status">
        <span>${this.t("endsSoon", { time: this.time(idleLeft(info, this.now) ?? 0) })}</span>
        <button class="primary" ?disabled=${this.working} @click=${() => void this.extend()}>${this.t("extend")}</button></div>` : nothing}
      ${this.problem && !this.choosingImage ? html`<div class="note bad" role="alert"><span>${this.problem}</span></div>` : nothing}
      ${this.asking && !isOver(info) ? this.question() : nothing}
      ${this.choosing && !isOver(info) ? this.slotsForm(info) : nothing}
      ${this.choosingImage ? html`<madang-image-choice image=${this.image} ?busy=${this.switching} problem=${this.problem} language=${this.language}
        @madang-image=${(event: CustomEvent<{ image: string }>) => void this.changeImage(event.detail.image)} @madang-done=${() => { this.leaveImage(); }}></madang-image-choice>` : nothing}
      <div class="grid">
        ${usageCharts({ info, points: this.points, room: this.room, t: this.t.bind(this), language: this.languageCode })}
        <div>${this.t("endsIn")}<b>${this.countdown(info)}</b></div>
        ${isOver(info) || this.asking ? nothing : this.actions(info, soon)}
      </div>
      ${info.refusals.length ? this.refusals(info.refusals) : nothing}`;
  }

  private refusals(refusals: readonly Refusal[]): TemplateResult {
    return html`<ul class="refusals" aria-label=${this.t("refusals")}>
      ${refusals.slice(0, SHOWN_REFUSALS).map(({ call, reason, detail, count }) => {
        const key = reasonKey(reason);
        return html`<li><b>${this.t("refused", { call, n: count })}</b> ${key ? this.t(key) : detail}</li>`;
      })}</ul>`;
  }

  private actions(info: Session, soon: boolean): TemplateResult {
    const paused = info.state === "paused";
    const can = info.state === "running" || paused;
    return html`<div class="actions">
      ${soon || info.idle_deadline === null ? nothing : html`<button ?disabled=${this.working || !can} @click=${() => void this.extend()}>${this.t("extend")}</button>`}
      <button ?disabled=${this.working || !can} @click=${() => void this.pauseOrResume()}>${icon(paused ? "play" : "pause")}${this.t(paused ? "resume" : "pause")}</button>
      <button ?disabled=${this.working || !can} aria-expanded=${this.choosing} @click=${() => { this.choosing = !this.choosing; this.choosingImage = false; this.scrollTop = 0; }}>${this.t("changeSlots")}</button>
      ${this.manages ? html`<button id="image" ?disabled=${this.working || !can} aria-expanded=${this.choosingImage} @click=${() => { this.chooseImage(); }}>${this.t("changeImage")}</button>` : nothing}
      <button class="danger" ?disabled=${info.state === "stopping"} @click=${() => this.askToStop()}>${icon("stop")}${this.t("stop")}</button></div>`;
  }

  /** Show the images that there are. */
  chooseImage(): void {
    void import("./madang-image-choice.js");
    this.problem = "";
    this.choosing = false;
    this.choosingImage = true;
    this.scrollTop = 0;
  }

  private leaveImage(): void {
    this.choosingImage = false;
    this.problem = "";
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#image")?.focus());
  }

  private async changeImage(image: string): Promise<void> {
    this.switching = true;
    this.problem = "";
    try {
      await this.switchImage(image);
    } catch (error) {
      this.tell(error);
      this.switching = false;
    }
  }

  private question(): TemplateResult {
    return html`<div class="note bad" role="alertdialog" aria-label=${this.t("stop")}><span>${this.t("stopSure")}</span>
      <button class="danger" id="sure" ?disabled=${this.working} @click=${() => void this.stop()}>${this.t("stop")}</button>
      <button @click=${() => (this.asking = false)}>${this.t("cancel")}</button></div>`;
  }

  /** What a session is granted is fixed for its life: another grant is another session, and that is said. */
  private slotsForm(info: Session): TemplateResult {
    const submit = (event: Event): void => {
      event.preventDefault();
      const data = new FormData(event.target as HTMLFormElement);
      this.choosing = false;
      this.emit("madang-slots", { slots: { cpu: Number(data.get("cpu")), memory: Math.round(Number(data.get("memory")) * GIB) } });
    };
    return html`<form class="slots" @submit=${submit}>
      <label>${this.t("slotCores")}<input name="cpu" type="number" min="0.1" step="any" required .value=${String(info.slots.cpu)} /></label>
      <label>${this.t("slotMemory")}<input name="memory" type="number" min="0.1" step="any" required .value=${String(Math.round((info.slots.memory / GIB) * 100) / 100)} /></label>
      <p>${this.t("slotsSure")}</p><button class="primary">${this.t("slotsApply")}</button><button type="button" @click=${() => (this.choosing = false)}>${this.t("cancel")}</button></form>`;
  }

  askToStop(): void {
    this.asking = true;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("#sure")?.focus());
  }

  private countdown(info: Session): string {
    const left = idleLeft(info, this.now);
    return left === null ? (info.state === "running" ? this.t("noEnd") : "–") : this.time(left);
  }

  private time(ms: number): string {
    const seconds = Math.ceil(ms / 1000);
    return seconds < 120 ? this.t("seconds", { n: seconds }) : this.t("minutes", { n: Math.floor(seconds / 60) });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-usage": MadangUsage;
  }
}
