/** Series and words from the usage samples of a session. Pure. */

import type { Money } from "./money.js";
import type { Refusal } from "./refusals.js";

/** A session as the site tells it (docs/developers/architecture.md). */
export interface Session {
  id: string;
  state: "pending" | "preparing" | "running" | "paused" | "stopping" | "stopped" | "failed";
  /** A stable word, such as "idle" or "owner". */
  reason: string;
  /** A sentence for the owner. */
  detail?: string;
  image: string;
  project: string | null;
  slots: { cpu: number; memory: number; disk: number; gpu: number; processes: number };
  created: string;
  started: string | null;
  ended: string | null;
  idle_timeout: number | null;
  idle_deadline: string | null;
  usage: Usage;
  /** So far; null where the site is free. */
  cost: Money | null;
  /** What its policy refused, the latest first. */
  refusals: Refusal[];
}

export interface Usage {
  cpu_ms: number;
  wall_ms: number;
  memory_kib_s: number;
  memory_kib: number;
  memory_peak_kib: number;
  processes: number;
  bytes_read: number;
  bytes_written: number;
  bytes_received: number;
  bytes_sent: number;
  gpu_ms: number;
  gpu_memory_kib: number;
  gpu_memory_peak_kib: number;
}

export interface Point {
  /** Milliseconds on the session's own clock (`wall_ms`). */
  at: number;
  /** Part of the granted cores in use, 0 to 1 (over 1 in a burst). */
  cpu: number;
  memory: number;
  processes: number;
  /** Bytes per second. */
  written: number;
  /** Bytes per second, received and sent. */
  network: number;
  /** Part of the granted devices in use, 0 to 1. */
  gpu: number;
  /** Bytes of the project's files, as far as known. */
  disk: number;
  /** Micro-units of money since the session began. */
  cost: number;
}

/** What a project's files take: bytes and how many, each with the most that there may be. */
export interface Room {
  size: number;
  limit: number;
  entries: number;
  most_entries: number;
}

/** What to believe of a session: answers overtake each other, and a session that is over stays over. */
export function latest(known: Session | null, told: Session): Session {
  return known !== null && known.id === told.id && isOver(known) ? known : told;
}

export type Granted = Pick<Session["slots"], "cpu" | "gpu">;

/** How much of the past the charts show. */
export const WINDOW_MS = 120_000;
const LEAST_RATE_MS = 4000;

/** Add a sample: rates come from the difference to the one before. Points older than the window go. */
export function addSample(points: readonly Point[], previous: Usage | null, usage: Usage, { cpu: cores, gpu: devices }: Granted, beside: Partial<Pick<Point, "disk" | "cost">> = {}): Point[] {
  const elapsed = previous ? usage.wall_ms - previous.wall_ms : 0;
  if (previous && elapsed <= 0) return [...points];
  const cpu = previous ? Math.max(0, usage.cpu_ms - previous.cpu_ms) / elapsed / Math.max(cores, 0.01) : 0;
  const written = previous ? (Math.max(0, usage.bytes_written - previous.bytes_written) * 1000) / elapsed : 0;
  const moved = previous ? Math.max(0, transferred(usage) - transferred(previous)) : 0;
  const network = elapsed > 0 ? (moved * 1000) / elapsed : 0;
  const gpu = previous ? Math.max(0, usage.gpu_ms - previous.gpu_ms) / elapsed / Math.max(devices, 0.01) : 0;
  const point = { at: usage.wall_ms, cpu, memory: usage.memory_kib * 1024, processes: usage.processes, written, network, gpu, disk: 0, cost: 0, ...beside };
  return [...points, point].filter((old) => old.at > usage.wall_ms - WINDOW_MS);
}

/** Micro-units an hour, by what the time in sight cost; null while there is too little of it. */
export function costRate(points: readonly Point[]): number | null {
  const [first, last] = [points.at(0), points.at(-1)];
  if (!first || !last || last.at - first.at < LEAST_RATE_MS) return null;
  return ((last.cost - first.cost) * 3_600_000) / (last.at - first.at);
}

function transferred(usage: Usage): number {
  return usage.bytes_received + usage.bytes_sent;
}

/** An SVG path through `values` in a box of 100 by 26, the newest at the right edge. */
export function sparkline(points: readonly Point[], value: (point: Point) => number, top: number): string {
  const last = points.at(-1);
  if (last === undefined || points.length < 2) return "";
  const place = (point: Point): string => {
    const x = 100 - ((last.at - point.at) / WINDOW_MS) * 100;
    const y = 25 - Math.min(1, Math.max(0, value(point) / (top || 1))) * 24;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  return `M${points.map(place).join("L")}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes for people, decimal digits only where they tell something: "212 MiB", "1.5 GiB". */
export function bytes(count: number): string {
  let value = Math.max(0, count);
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const rounded = unit === 0 || value >= 9.95 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
  return `${rounded} ${UNITS[unit] ?? ""}`;
}

/** Milliseconds until the idle end; null where none is set. */
export function idleLeft(session: Session, now: number): number | null {
  if (session.state !== "running" || session.idle_deadline === null) return null;
  const deadline = Date.parse(session.idle_deadline);
  return Number.isNaN(deadline) ? null : Math.max(0, deadline - now);
}

/** Is it time to say it loudly? The last three minutes, or the last fifth of a short limit. */
export function idleSoon(session: Session, now: number): boolean {
  const left = idleLeft(session, now);
  if (left === null) return false;
  return left <= Math.min(180_000, (session.idle_timeout ?? 900) * 200);
}

export function isOver(session: Session | null): boolean {
  return session !== null && (session.state === "stopped" || session.state === "failed");
}
