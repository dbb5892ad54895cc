/** Links in a terminal. They are opened with Ctrl (on a Mac, Cmd) and a click, since a click alone selects or goes to the
 * program; on a touch screen by a tap and a question. Only addresses of the web are, and what they open cannot reach back. */
import type { ILinkHandler } from "@xterm/xterm";

export interface LinkWords {
  /** Said while the pointer is over a link that leads to `uri`. */
  hint: (uri: string) => void;
  /** Whether the person wants to go to `uri`. */
  sure: (uri: string) => boolean;
}

type Activate = (event: MouseEvent, uri: string) => void;

/** For addresses that the text shows. */
export function plainLink({ sure }: LinkWords): Activate {
  return (event, uri) => {
    if (meant(event) || (byTouch() && sure(uri))) openLink(uri);
  };
}

/** For links that say one thing and lead to another (OSC 8): the person always sees where before going there. */
export function hiddenLink({ hint, sure }: LinkWords): ILinkHandler {
  return {
    activate: (event, uri) => { if ((meant(event) || byTouch()) && sure(uri)) openLink(uri); },
    hover: (_event, uri) => { hint(uri); },
    leave: () => { hint(""); },
  };
}

function meant(event: MouseEvent): boolean {
  return /Mac|iPhone|iPad/.test(navigator.platform) ? event.metaKey : event.ctrlKey;
}

function byTouch(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

/** The address if it is one of the web, however it is written; else "". */
export function webAddress(uri: string): string {
  try {
    const { protocol, href } = new URL(uri);
    return protocol === "http:" || protocol === "https:" ? href : "";
  } catch {
    return "";
  }
}

function openLink(uri: string): void {
  const address = webAddress(uri);
  if (address) window.open(address, "_blank", "noopener,noreferrer");
}
