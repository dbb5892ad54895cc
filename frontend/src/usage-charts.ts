/** The small charts of what a session uses, each beside the words that say its newest value. */
import { html, nothing, svg, type TemplateResult } from "lit";
import type { Key, Language } from "./i18n.js";
import { money } from "./money.js";
import { bytes, costRate, type Point, type Room, type Session, sparkline } from "./usage-model.js";

export interface Shown {
  info: Session;
  points: readonly Point[];
  /** Null while it is not known. */
  room: Room | null;
  t: (key: Key, values?: Record<string, string | number>) => string;
  language: Language;
}

export function usageCharts({ info, points, room, t, language }: Shown): TemplateResult {
  const { usage, slots } = info;
  const last = points.at(-1);
  const topWritten = Math.max(1024 * 1024, ...points.map((point) => point.written));
  const topNetwork = Math.max(1024 * 1024, ...points.map((point) => point.network));
  const cores = t(slots.cpu === 1 ? "core" : "cores", { n: round(slots.cpu) });
  const chart = (value: (point: Point) => number, top: number, colour: string): TemplateResult => line(points, value, top, colour);
  return html`
    <div>${t("cpuOf", { n: cores })}
      <b>${last === undefined ? "–" : percent(last.cpu)}<small>${t("cpuUsed", { n: cpuTime(usage.cpu_ms) })}</small></b>
      ${chart((point) => point.cpu, 1, "--accent")}</div>
    <div>${t("memoryOf", { n: bytes(slots.memory) })}
      <b>${bytes(usage.memory_kib * 1024)}<small>${t("peak", { n: bytes(usage.memory_peak_kib * 1024) })}</small></b>
      ${chart((point) => point.memory, slots.memory, "--sky")}</div>
    ${slots.gpu > 0 ? html`<div>${t("gpuOf", { n: round(slots.gpu) })}
      <b>${percent(last?.gpu ?? 0)}<small>${t("gpuMemory", { n: bytes(usage.gpu_memory_kib * 1024) })}</small></b>
      ${chart((point) => point.gpu, 1, "--accent")}</div>` : nothing}
    ${room ? html`<div>${t("diskOf", { n: bytes(room.limit) })}
      <b>${bytes(room.size)}<small>${room.entries === 1 ? t("fileOne") : t("filesN", { n: room.entries.toLocaleString(language) })}</small></b>
      ${chart((point) => point.disk, room.limit, "--pine")}</div>` : nothing}
    <div>${t("cost")}<b>${info.cost ? money(info.cost, language) : t("free")}</b>${perHour({ info, points, t, language })}</div>
    <div>${t("written")}<b>${bytes(usage.bytes_written)}<small>${t("rate", { n: bytes(last?.written ?? 0) })}</small></b>
      ${chart((point) => point.written, topWritten, "--pine")}</div>
    <div>${t("network")}<b>${bytes(usage.bytes_received)}<small>${t("sentToo", { n: bytes(usage.bytes_sent) })}</small></b>
      ${chart((point) => point.network, topNetwork, "--sky")}</div>
    <div>${t("processesOf", { n: slots.processes })}<b>${usage.processes}</b>
      ${chart((point) => point.processes, slots.processes, "--amber")}</div>`;
}

function perHour({ info, points, t, language }: Pick<Shown, "info" | "points" | "t" | "language">): TemplateResult | typeof nothing {
  const rate = info.state === "running" ? costRate(points) : null;
  if (!info.cost || rate === null) return nothing;
  return html`<small>${t("perHour", { n: money({ ...info.cost, micros: Math.round(rate) }, language) })}</small>`;
}

function line(points: readonly Point[], value: (point: Point) => number, top: number, colour: string): TemplateResult {
  // The words beside it say the newest value: the line itself is for the eye.
  return html`<svg class="chart" viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<path class="base" d="M0 25.500H100" /><path d=${sparkline(points, value, top)} stroke="var(${colour})" />`}</svg>`;
}

export function percent(part: number): string {
  return `${String(Math.round(part * 100))} %`;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function cpuTime(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : ms < 600_000 ? `${String(Math.round(ms / 1000))} s` : `${String(Math.round(ms / 60_000))} min`;
}
