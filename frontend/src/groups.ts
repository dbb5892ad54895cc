/** Tabs in groups side by side: which there are, in which order, and which is in front. Pure; kept per project in
 * this browser. Every tab is in one group; a group without tabs goes, except the last. */

export interface Group {
  readonly tabs: readonly string[];
  readonly active: string;
}

export interface Groups {
  readonly groups: readonly Group[];
  /** The group that has, or last had, the focus. */
  readonly at: number;
  /** Their widths, as parts of the whole; as many as there are groups. */
  readonly widths: readonly number[];
}

export const MOST_GROUPS = 4;

export function oneGroup(...tabs: string[]): Groups {
  return { groups: [{ tabs, active: tabs[0] ?? "" }], at: 0, widths: [1] };
}

export function allTabs({ groups }: Groups): string[] {
  return groups.flatMap(({ tabs }) => tabs);
}

/** The tab in front of the group that has the focus; "" where there is none. */
export function activeTab({ groups, at }: Groups): string {
  return groups[at]?.active ?? "";
}

/** Whether `tab` is in front of its group. */
export function inSight({ groups }: Groups, tab: string): boolean {
  return groups.some(({ active }) => active === tab);
}

export function groupOf({ groups }: Groups, tab: string): number {
  return groups.findIndex(({ tabs }) => tabs.includes(tab));
}

/** With `tab` in front: where it is, else opened in the group that has the focus. */
export function shown(groups: Groups, tab: string): Groups {
  const found = groupOf(groups, tab);
  const at = found < 0 ? groups.at : found;
  return {
    ...groups,
    at,
    groups: groups.groups.map((group, index) =>
      index === at ? { tabs: group.tabs.includes(tab) ? group.tabs : [...group.tabs, tab], active: tab } : group),
  };
}

/** With `tab` opened behind what is in front. */
export function behind(groups: Groups, tab: string): Groups {
  if (groupOf(groups, tab) >= 0) return groups;
  const { groups: all, at } = groups;
  return { ...groups, groups: all.map((group, place) => (place === at ? { tabs: [...group.tabs, tab], active: group.active || tab } : group)) };
}

export function focused(groups: Groups, at: number): Groups {
  return at === groups.at || !groups.groups[at] ? groups : { ...groups, at };
}

/** Without the tabs that `gone` names; their neighbours come to the front. */
export function closed(groups: Groups, gone: (tab: string) => boolean): Groups {
  const left = groups.groups.map(({ tabs, active }) => {
    const first = tabs.findIndex(gone);
    const kept = tabs.filter((tab) => !gone(tab));
    return { tabs: kept, active: gone(active) ? (kept[Math.min(Math.max(first, 0), kept.length - 1)] ?? "") : active };
  });
  return withoutEmpty({ ...groups, groups: left });
}

/** With `tab` at `index` of the group `to`; `to` may be one beyond the last, which makes a new group. */
export function moved(groups: Groups, tab: string, to: number, index = Infinity): Groups {
  const from = groupOf(groups, tab);
  if (from < 0 || to < 0 || to > groups.groups.length || (to === groups.groups.length && to >= MOST_GROUPS)) return groups;
  const alone = groups.groups[from]?.tabs.length === 1;
  if (alone && to === groups.groups.length) return groups;
  const before = groups.groups[from]?.tabs.indexOf(tab) ?? 0;
  const at = to === from && before < index ? index - 1 : index;
  const bare = groups.groups.map((group, place) => (place === from ? taken(group, tab) : group));
  const added = to === bare.length ? [...bare, { tabs: [], active: "" }] : bare;
  const placed = added.map((group, place) => (place === to ? { tabs: inserted(group.tabs, tab, at), active: tab } : group));
  const widths = to === groups.groups.length ? [...groups.widths, 1] : groups.widths;
  return withoutEmpty({ groups: placed, at: to, widths });
}

function taken({ tabs, active }: Group, tab: string): Group {
  const at = tabs.indexOf(tab);
  const left = tabs.filter((one) => one !== tab);
  return { tabs: left, active: active === tab ? (left[Math.min(at, left.length - 1)] ?? "") : active };
}

function inserted(tabs: readonly string[], tab: string, at: number): string[] {
  const end = Math.min(Math.max(at, 0), tabs.length);
  return [...tabs.slice(0, end), tab, ...tabs.slice(end)];
}

/** With other names for the tabs. */
export function renamed(groups: Groups, name: (tab: string) => string): Groups {
  return { ...groups, groups: groups.groups.map(({ tabs, active }) => ({ tabs: tabs.map(name), active: name(active) })) };
}

/** The separator after the group `at` moved by `by`, a part of the whole. */
export function resized(groups: Groups, at: number, by: number): Groups {
  const whole = groups.widths.reduce((sum, width) => sum + width, 0);
  const [left, right] = [groups.widths[at] ?? 1, groups.widths[at + 1] ?? 1];
  const step = Math.min(Math.max(by * whole, 0.15 * whole - left), right - 0.15 * whole);
  if (!Number.isFinite(step)) return groups;
  return { ...groups, widths: groups.widths.map((width, place) => (place === at ? left + step : place === at + 1 ? right - step : width)) };
}

function withoutEmpty({ groups, at, widths }: Groups): Groups {
  const kept = groups.map(({ tabs }) => tabs.length > 0);
  if (!kept.some(Boolean)) return { groups: groups.slice(0, 1), at: 0, widths: [1] };
  return {
    groups: groups.filter((_, place) => kept[place]),
    at: Math.max(0, groups.slice(0, at + 1).filter((_, place) => kept[place]).length - 1),
    widths: widths.filter((_, place) => kept[place]),
  };
}

const key = (project: string): string => `madang-tabs-${project}`;

export function readGroups(project: string): Groups | null {
  try {
    return checked(JSON.parse(localStorage.getItem(key(project)) ?? "null"));
  } catch {
    return null; // storage is forbidden or holds something else
  }
}

export function keepGroups(project: string, groups: Groups): void {
  try {
    localStorage.setItem(key(project), JSON.stringify(groups));
  } catch {
    return; // then the next visit begins with the first file
  }
}

/** What was stored, if it makes sense: somebody's extension or an older page may have written it. */
export function checked(stored: unknown): Groups | null {
  const { groups, at, widths } = (stored ?? {}) as Partial<Groups>;
  if (!Array.isArray(groups) || groups.length === 0 || groups.length > MOST_GROUPS) return null;
  const seen = new Set<string>();
  const clean = (groups as unknown[]).map((one) => {
    const { tabs, active } = (one ?? {}) as Partial<Group>;
    const own = (Array.isArray(tabs) ? tabs : []).filter((tab): tab is string => typeof tab === "string" && !seen.has(tab) && !!seen.add(tab));
    return { tabs: own, active: typeof active === "string" && own.includes(active) ? active : (own[0] ?? "") };
  });
  const wide = Array.isArray(widths) && widths.length === clean.length && widths.every((width) => typeof width === "number" && width > 0 && width < 1e6);
  return withoutEmpty({
    groups: clean,
    at: typeof at === "number" && Number.isInteger(at) && at >= 0 && at < clean.length ? at : 0,
    widths: wide ? (widths as number[]) : clean.map(() => 1),
  });
}
