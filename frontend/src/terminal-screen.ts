/** A terminal's screen: xterm.js with its addons, and what of it we decide. */
import type { ImageAddon } from "@xterm/addon-image";
import type { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { Drawing } from "./terminal-drawing.js";
import { showImages } from "./terminal-images.js";
import { limitRepetition } from "./terminal-limits.js";
import { hiddenLink, type LinkWords, plainLink } from "./terminal-links.js";
import { terminalTheme } from "./terminal-theme.js";

const SCROLLBACK = 10_000;
export const FONT_SIZE = 12.5;

export interface Screen {
  terminal: Terminal;
  drawing: Drawing;
  search: SearchAddon;
  /** Pictures, where the page may decode them. */
  images: ImageAddon | null;
  /** The rows and columns that there is room for; null while it is out of sight. */
  room: () => { rows: number; cols: number } | null;
  /** The style sheet that it needs where it stands. */
  sheet: string;
}

/** Make one with the look that `style` says, not yet in the page. */
export async function makeScreen(style: CSSStyleDeclaration, words: LinkWords): Promise<Screen> {
  const [{ Terminal, FitAddon, ImageAddon, SearchAddon, Unicode11Addon, WebLinksAddon, xtermStyle }] = await Promise.all([
    import("./xterm.js"),
    document.fonts.load(`${String(FONT_SIZE)}px "JetBrains Mono Variable"`).catch(() => []),
  ]);
  const terminal = new Terminal({
    allowProposedApi: true, // the Unicode 11 widths are one
    fontFamily: style.getPropertyValue("--mono").trim() || "monospace",
    fontSize: FONT_SIZE,
    lineHeight: 1.25,
    scrollback: SCROLLBACK,
    theme: terminalTheme(style),
    linkHandler: hiddenLink(words),
  });
  const [fit, search] = [new FitAddon(), new SearchAddon()];
  for (const addon of [fit, search, new Unicode11Addon()]) terminal.loadAddon(addon);
  terminal.loadAddon(new WebLinksAddon(plainLink(words), { hover: (_event, uri) => { words.hint(uri); }, leave: () => { words.hint(""); } }));
  terminal.unicode.activeVersion = "11";
  limitRepetition(terminal);
  const images = await showImages(terminal, ImageAddon);
  return { terminal, search, images, drawing: new Drawing(terminal), room: () => fit.proposeDimensions() ?? null, sheet: xtermStyle };
}
