/** Who else is in the project's files. Pure. */
import type { Person } from "./shared-document.js";

/** Those who have `path` open. */
export interface Here {
  path: string;
  people: readonly Person[];
}

/** One person, and where they were met. */
export interface Companion extends Person {
  path: string;
}

/** After it was told who has one of the files open. */
export function met(all: readonly Here[], news: Here): readonly Here[] {
  const others = all.filter(({ path }) => path !== news.path);
  return news.people.length > 0 ? [...others, news] : others;
}

/** Everybody once, the file in front first. */
export function companions(all: readonly Here[], active: string): Companion[] {
  const found = new Map<number, Companion>();
  for (const { path, people } of [...all].sort((a, b) => Number(b.path === active) - Number(a.path === active))) {
    for (const person of people) if (!found.has(person.id)) found.set(person.id, { ...person, path });
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** One or two letters for the round mark, as the site's pages have them. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => [...word][0]).join("") : [...(words[0] ?? "")].slice(0, 2).join("");
  return letters.toUpperCase();
}
