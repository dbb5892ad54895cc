/** JSON as a tree that opens level by level, which is when its parts are made. */

/** Members shown of one list or object. */
const MOST = 200;

export function jsonTree(value: unknown, key = "", open = true): HTMLElement {
  if (value === null || typeof value !== "object") {
    const leaf = document.createElement("div");
    leaf.className = "leaf";
    leaf.append(...named(key), JSON.stringify(value));
    return leaf;
  }
  const members = Object.entries(value);
  const branch = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(...named(key), Array.isArray(value) ? `[${String(members.length)}]` : `{${String(members.length)}}`);
  branch.append(summary);
  branch.addEventListener("toggle", () => {
    if (branch.open && branch.childElementCount === 1) grow(branch, members);
  });
  branch.open = open;
  return branch;
}

function grow(branch: HTMLElement, members: [string, unknown][]): void {
  branch.append(...members.slice(0, MOST).map(([name, value]) => jsonTree(value, name, false)));
  if (members.length > MOST) branch.append(`… ${String(members.length - MOST)}`);
}

function named(key: string): (HTMLElement | string)[] {
  if (!key) return [];
  const name = document.createElement("span");
  name.className = "key";
  name.textContent = key;
  return [name, ": "];
}
