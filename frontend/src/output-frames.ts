/** Frames for what programs put out. Each has an origin of its own and reaches nothing: only our own script runs in it. */

const TALLEST_HTML = 600;

export interface Framed {
  frame: HTMLIFrameElement;
  /** Send words to what runs in the frame, which knows it by this. */
  tell: (words: object) => void;
}

type Heard = Readonly<Record<string, unknown>>;

/** Show HTML in a frame of `host`: its scripts do not run. */
export function showHtml(host: HTMLElement, source: string, label: string): void {
  const head = `<style>${tableStyle(tokens(host))}</style>${source}`;
  makeFrame(host, { label, tallest: TALLEST_HTML, script: "output-frame", before: "", after: head });
}

export interface Frame {
  label: string;
  tallest: number;
  /** The script of ours that runs in it, `frames/<name>.js`. */
  script: string;
  /** HTML before and after the script. */
  before: string;
  after: string;
  onWords?: (words: Heard) => void;
}

export function makeFrame(host: HTMLElement, { label, tallest, script, before, after, onWords }: Frame): Framed {
  const nonce = crypto.randomUUID();
  const frame = document.createElement("iframe");
  frame.title = label;
  frame.setAttribute("sandbox", "allow-scripts allow-popups allow-popups-to-escape-sandbox");
  frame.referrerPolicy = "no-referrer";
  frame.style.height = "60px";
  frame.loading = "lazy"; // a cell may have hundreds: those out of sight wait
  const heard = (event: MessageEvent<unknown>): void => {
    if (!frame.isConnected) removeEventListener("message", heard);
    const data = event.data as Heard | null;
    if (event.source !== frame.contentWindow || data?.madang !== nonce) return;
    if (typeof data.height === "number") frame.style.height = `${String(Math.min(Math.max(data.height, 16), tallest))}px`;
    else onWords?.(data);
  };
  addEventListener("message", heard);
  const address = new URL(/* built beside the entry */ `../frames/${script}.js`, import.meta.url).href;
  frame.srcdoc = `${headOf(host, address)}${before}<script src="${address}" data-nonce="${nonce}"></script>${after}`;
  host.append(frame);
  // It has no origin that could be named here; nobody else is in it.
  return { frame, tell: (words) => { frame.contentWindow?.postMessage({ madang: nonce, ...words }, "*"); } };
}

/** The value of a design token, as it is where `host` is. */
export function tokens(host: HTMLElement): (name: string) => string {
  const style = getComputedStyle(host);
  return (name) => style.getPropertyValue(name).trim();
}

export function isDark(host: HTMLElement): boolean {
  return getComputedStyle(host).colorScheme.includes("dark");
}

/** What is said above an output. */
export function note(text: string): HTMLElement {
  const made = document.createElement("p");
  made.className = "trouble";
  made.setAttribute("role", "status");
  made.textContent = text;
  return made;
}

/** Call `changed` when the page becomes light or dark, as long as the frame is in it. */
export function watchTheme(frame: HTMLIFrameElement, changed: () => void): void {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const look = (): void => {
    if (frame.isConnected) changed();
    else {
      observer.disconnect();
      scheme.removeEventListener("change", look);
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  scheme.addEventListener("change", look);
}

function headOf(host: HTMLElement, script: string): string {
  const token = tokens(host);
  return `<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; media-src data: blob:; font-src data:; style-src 'unsafe-inline'; script-src ${script}">
<base target="_blank"><style>
:root { color-scheme: ${isDark(host) ? "dark" : "light"}; }
html { height: auto; } body { margin: 0; padding: 2px 0; overflow: auto; font: 13px/1.5 system-ui, sans-serif; color: ${token("--ink")}; background: ${token("--surface")}; }
</style>`;
}

function tableStyle(token: (name: string) => string): string {
  return `table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: 3px 10px; text-align: right; border: 0; }
thead th { border-bottom: 1px solid ${token("--control-line")}; } tbody tr:nth-child(even) { background: ${token("--sunken")}; } a { color: ${token("--sky")}; }`;
}
