/** Pictures in a terminal, by the sixel and iTerm protocols, within bounds.
 *
 * What a program sends may be made to hurt: a few bytes that ask for a column of a million rows, files that are no
 * pictures. The addon bounds bytes and pixels; sides, and what fails while it is decoded, are bounded here. */
import type { IImageAddonOptions, ImageAddon } from "@xterm/addon-image";
import type { Terminal } from "@xterm/xterm";

const MB = 1_000_000;
export const LONGEST_SIDE = 4096;
/** The memory (in MB) of the pictures that one terminal keeps; the oldest go first. */
export const KEPT_MB = 32;
export const LIMITS: IImageAddonOptions = {
  pixelLimit: 2048 * 2048,
  sixelSizeLimit: 8 * MB,
  iipSizeLimit: 8 * MB,
  storageLimit: KEPT_MB,
};

/** What of the addon there is no public way to (version 0.9, which is pinned). */
interface Inside {
  _storage: { addImage: (picture: { width: number; height: number }) => void; advanceCursor: (height: number) => void };
  _handlers: Map<string, { _dec?: unknown; end?: (success: boolean) => boolean | Promise<boolean> }>;
}

/** Let `terminal` show pictures, and wait until it can: what comes before is not drawn. Nothing where this page may not
 * run WebAssembly, which decodes them. */
export async function showImages(terminal: Terminal, Addon: typeof ImageAddon): Promise<ImageAddon | null> {
  if (!mayDecode()) return null;
  const addon = new Addon(LIMITS);
  terminal.loadAddon(addon);
  const { _storage: storage, _handlers: handlers } = addon as unknown as Inside;
  boundSides(storage);
  const iterm = handlers.get("iip");
  if (iterm?.end) iterm.end = failing(iterm.end.bind(iterm));
  // The decoder is there soon, and nothing tells when.
  while (handlers.get("sixel")?._dec === undefined && handlers.size > 0) await new Promise((done) => setTimeout(done));
  return addon;
}

function boundSides(storage: Inside["_storage"]): void {
  const [add, advance] = [storage.addImage.bind(storage), storage.advanceCursor.bind(storage)];
  storage.addImage = (picture) => {
    if (picture.width <= LONGEST_SIDE && picture.height <= LONGEST_SIDE) add(picture);
  };
  storage.advanceCursor = (height) => { advance(Math.min(height, LONGEST_SIDE)); };
}

/** A handler whose failure is that of a picture, and not of the terminal. */
function failing(end: (success: boolean) => boolean | Promise<boolean>): (success: boolean) => boolean | Promise<boolean> {
  return (success) => {
    try {
      const shown = end(success);
      return typeof shown === "boolean" ? shown : shown.catch(() => true);
    } catch {
      return true;
    }
  };
}

function mayDecode(): boolean {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    return true;
  } catch {
    return false; // the page's Content-Security-Policy forbids it
  }
}
