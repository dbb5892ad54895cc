/** What a session uses, live, and when it ends.
 *
 * Attributes: `session` (id), `language`.
 * Events: `madang-session` {session} at each change of the session, `madang-soon` {left} (words; "" when the end is
 * far again), `madang-link` {state}.
 * CSS variables: those of tokens.css. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError, request, socketUrl } from "./api.js";
import { MadangElement } from "./element.js";
import { icon } from "./icons.js";
import { Link } from "./link.js";
import { reasonKey, type Refusal, withRefusal } from "./refusals.js";
import { shared } from "./styles.js";
import { addSample, bytes, idleLeft, idleSoon, isOver, type Point, type Port, type Session, sparkline, type Usage } from "./usage-model.js";

type Event_ =
  | ({ type: "session" } & Session)
  | ({ type: "refusal" } & Refusal)
  | ({ type: "usage"; idle_deadline: string | null } & Usage)
  | { type: "ports"; ports: Port[] };

const SHOWN_REFUSALS = 20;

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
      .bone { height: 40px; }
    `,
  ];

  @property() session = "";
  @state() private info: Session | null = null;
  @state() private points: Point[] = [];
  @state() private now = Date.now();
  @state() private asking = false;
  @state() private problem = "";
  @state() private working = false;

  private previous: Usage | null = null;
  private link: Link | null = null;
  private toldLeft = "";

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => {
      this.now = Date.now();
    }, 1000);
    this.onLeave(() => {
      clearInterval(timer);
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

  private connect(): void {
    this.link?.close();
    this.info = null;
    this.points = [];
    this.previous = null;
    if (!this.session) return;
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
    if (event.type === "refusal") {
      if (this.info) this.info = { ...this.info, refusals: withRefusal(this.info.refusals, event) };
      return;
    }
    this.points = addSample(this.points, this.previous, event, this.info?.slots.cpu ?? 1);
    this.previous = event;
    if (this.info) this.info = { ...this.info, usage: event, idle_deadline: event.idle_deadline };
  }

  private take(session: Session): void {
    this.info = session;
    this.emit("madang-session", { session });
  }

  private async ask(path: string, method: string): Promise<void> {
    this.working = true;
    this.problem = "";
    try {
      const session = await request<Session | undefined>(`/api/v1/sessions/${this.session}${path}`, { method });
      if (session) this.take(session);
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : this.t("offline");
    } finally {
      this.working = false;
      this.asking = false;
    }
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
      ${this.problem ? html`<div class="note bad" role="alert"><span>${this.problem}</span></div>` : nothing}
      ${this.asking && !isOver(info) ? this.question() : nothing}
      <div class="grid">
        ${this.charts(info)}
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

  private charts(info: Session): TemplateResult {
    const { usage, slots } = info;
    const cpu = this.points.at(-1)?.cpu;
    const topWritten = Math.max(1024 * 1024, ...this.points.map((point) => point.written));
    const topNetwork = Math.max(1024 * 1024, ...this.points.map((point) => point.network));
    const cores = this.t(slots.cpu === 1 ? "core" : "cores", { n: round(slots.cpu) });
    return html`
      <div>${this.t("cpuOf", { n: cores })}
        <b>${cpu === undefined ? "–" : `${String(Math.round(cpu * 100))} %`}<small>${this.t("cpuUsed", { n: cpuTime(usage.cpu_ms) })}</small></b>
        ${this.chart((point) => point.cpu, 1, "--accent")}</div>
      <div>${this.t("memoryOf", { n: bytes(slots.memory) })}
        <b>${bytes(usage.memory_kib * 1024)}<small>${this.t("peak", { n: bytes(usage.memory_peak_kib * 1024) })}</small></b>
        ${this.chart((point) => point.memory, slots.memory, "--sky")}</div>
      <div>${this.t("written")}<b>${bytes(usage.bytes_written)}<small>${this.t("rate", { n: bytes(this.points.at(-1)?.written ?? 0) })}</small></b>
        ${this.chart((point) => point.written, topWritten, "--pine")}</div>
      <div>${this.t("network")}<b>${bytes(usage.bytes_received)}<small>${this.t("sentToo", { n: bytes(usage.bytes_sent) })}</small></b>
        ${this.chart((point) => point.network, topNetwork, "--sky")}</div>
      <div>${this.t("processesOf", { n: slots.processes })}<b>${usage.processes}</b>
        ${this.chart((point) => point.processes, slots.processes, "--amber")}</div>`;
  }

  private chart(value: (point: Point) => number, top: number, colour: string): TemplateResult {
    // The words beside it say the newest value: the line itself is for the eye.
    return html`<svg class="chart" viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">
      ${svg`<path class="base" d="M0 25.500H100" /><path d=${sparkline(this.points, value, top)} stroke="var(${colour})" />`}</svg>`;
  }

  private actions(info: Session, soon: boolean): TemplateResult {
    const paused = info.state === "paused";
    const can = info.state === "running" || paused;
    return html`<div class="actions">
      ${soon || info.idle_deadline === null ? nothing : html`<button ?disabled=${this.working || !can} @click=${() => void this.extend()}>${this.t("extend")}</button>`}
      <button ?disabled=${this.working || !can} @click=${() => void this.pauseOrResume()}>${icon(paused ? "play" : "pause")}${this.t(paused ? "resume" : "pause")}</button>
      <button class="danger" ?disabled=${info.state === "stopping"} @click=${() => this.askToStop()}>${icon("stop")}${this.t("stop")}</button></div>`;
  }

  private question(): TemplateResult {
    return html`<div class="note bad" role="alertdialog" aria-label=${this.t("stop")}><span>${this.t("stopSure")}</span>
      <button class="danger" id="sure" ?disabled=${this.working} @click=${() => void this.stop()}>${this.t("stop")}</button>
      <button @click=${() => (this.asking = false)}>${this.t("cancel")}</button></div>`;
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

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function cpuTime(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : ms < 600_000 ? `${String(Math.round(ms / 1000))} s` : `${String(Math.round(ms / 60_000))} min`;
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-usage": MadangUsage;
  }
}
