/** The ports of a session: what listens, who may see it, and their tabs. Pure. */
import type { IconName } from "./icons.js";
import type { Key } from "./i18n.js";

/** What a program of the session listens on. */
export interface Port {
  port: number;
  program: string;
}

export type Audience = "private" | "project" | "public";

/** Who besides those who work in the session may see a port; `until` is the end of a public one. */
export interface Share {
  port: number;
  audience: Audience;
  until: string | null;
}

export type SharedPort = Port & Share & { listening: boolean };

/** Every port that something listens on or that is shared, in their order. */
export function portsWith(listening: readonly Port[], shares: readonly Share[]): SharedPort[] {
  const numbers = new Set([...listening, ...shares].map(({ port }) => port));
  return [...numbers].sort((one, other) => one - other).map((port) => portOf(port, listening, shares));
}

export function portOf(port: number, listening: readonly Port[], shares: readonly Share[]): SharedPort {
  const found = listening.find((one) => one.port === port);
  const share = shares.find((one) => one.port === port);
  return { port, program: found?.program ?? "", listening: found !== undefined, audience: share?.audience ?? "private", until: share?.until ?? null };
}

/** The tab of a port, and the other way round: 0 for tabs that are none. */
export const portTab = (port: number): string => `port:${String(port)}`;

export function portOfTab(tab: string): number {
  const port = /^port:([1-9]\d{0,4})$/.exec(tab)?.[1] ?? "";
  return Number(port) < 65536 ? Number(port) : 0;
}

/** What listens now and did not before. */
export function newPorts(before: readonly Port[], now: readonly Port[]): Port[] {
  return now.filter(({ port }) => !before.some((one) => one.port === port));
}

/** The site's way to a preview, which asks who they are; `framed` for a frame of ours. */
export function previewAddress(session: string, port: number, path = "/", framed = false): string {
  const query = new URLSearchParams({ ...(path === "/" ? {} : { path }), ...(framed ? { framed: "1" } : {}) }).toString();
  return `/sessions/${encodeURIComponent(session)}/ports/${String(port)}/${query ? `?${query}` : ""}`;
}

/** What somebody typed as a path: always from the top of the preview's own host. */
export function asPath(typed: string): string {
  const text = typed.trim().replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "");
  return `/${text.replace(/^[/\\]+/, "")}`;
}

export const AUDIENCES: Record<Audience, { word: Key; icon: IconName; label: Key; hint: Key }> = {
  private: { word: "audiencePrivate", icon: "lock", label: "seenByPrivate", hint: "seenByPrivateHint" },
  project: { word: "audienceProject", icon: "people", label: "seenByProject", hint: "seenByProjectHint" },
  public: { word: "audiencePublic", icon: "globe", label: "seenByPublic", hint: "seenByPublicHint" },
};

type Say = (key: Key, values?: Record<string, string | number>) => string;

/** A time in words, in the largest units that tell something: "42 min", "3 h 5 min"; minutes are rounded up. */
export function timeLeft(ms: number, t: Say): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  const [h, n] = [Math.floor(minutes / 60), minutes % 60];
  if (h === 0) return t("minutes", { n });
  return n ? t("hoursMinutes", { h, n }) : t(h === 1 ? "hour" : "hours", { n: h });
}
