/** Who else has a notebook open, by its awareness, and the cells they are in. */
import type { Awareness } from "y-protocols/awareness";

export interface Person {
  readonly name: string;
  /** One of the colours of people in tokens.css. */
  readonly color: string;
  /** The cell that they are in, or "". */
  readonly cell: string;
}

export function peopleIn(awareness: Awareness): Person[] {
  return [...awareness.getStates()].filter(([client]) => client !== awareness.clientID).flatMap(([, state]) => {
    const { user, cell } = state as { user?: { name?: unknown; color?: unknown }; cell?: unknown };
    if (typeof user?.name !== "string") return [];
    const color = typeof user.color === "string" && /^var\(--person-[0-7]\)$/.test(user.color) ? user.color : "var(--person-0)";
    return [{ name: user.name.slice(0, 60), color, cell: typeof cell === "string" ? cell : "" }];
  });
}

const NOBODY: readonly Person[] = [];

/** Those whose place is the cell `id`. */
export function peopleAt(people: readonly Person[], id: string): readonly Person[] {
  const here = people.filter(({ cell }) => cell === id);
  return here.length > 0 ? here : NOBODY;
}
