/** Which files are open in which elements. Their tabs are in groups.ts; this is what the tabs show. */
import { describe } from "./contents.js";
import { type Opener, openerOf, openersOf } from "./openers.js";

/** Larger files are shown in part: an editor with all of one would stop the page. */
const LARGEST_TEXT = 2 * 1024 * 1024;

export interface View {
  /** Stays when the file is renamed, so that its element stays. */
  key: number;
  path: string;
  opener: Opener;
}

let keys = 0;

/** The view of `path`: in the element that was asked for, else in the one for its ending and its size. */
export async function viewOf(path: string, id = ""): Promise<View> {
  let opener = openerOf(path, id);
  if (opener.id === "text" && id !== "text" && (await sizeOf(path)) > LARGEST_TEXT) opener = openerOf(path, "part");
  await opener.load();
  keys += 1;
  return { key: keys, path, opener };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await describe(path)).size ?? 0;
  } catch {
    return 0; // the element says what is wrong with it
  }
}

export function otherOpeners(view: View): readonly Opener[] {
  return openersOf(view.path).filter(({ id }) => id !== view.opener.id);
}
