/** What the policy of a session refused (docs/developers/architecture.md). Pure. */
import { hasKey, type Key } from "./i18n.js";

export interface Refusal {
  /** The system call. */
  call: string;
  /** A stable word, such as "tracing". */
  reason: string;
  /** A sentence in English, for reasons that this page has no words for. */
  detail: string;
  /** How often, in all. */
  count: number;
  /** ISO 8601. */
  at: string;
}

/** The list with `news` in front and its former total gone. */
export function withRefusal(refusals: readonly Refusal[], news: Refusal): Refusal[] {
  return [news, ...refusals.filter((old) => old.call !== news.call || old.reason !== news.reason)];
}

/** The sentence's key, or undefined where only `detail` says it. */
export function reasonKey(reason: string): Key | undefined {
  const key = `refused_${reason}`;
  return hasKey(key) ? key : undefined;
}
