/** Turns outputs into DOM with JupyterLab's renderers. A chunk of its own.
 *
 * Nothing here runs what it is given: HTML goes into a frame without our origin, pictures into `img`, everything else
 * through the sanitizer. */
import { renderError, renderLatex, renderMarkdown, renderText } from "@jupyterlab/rendermime/lib/renderers";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import DOMPurify from "dompurify";
import type { MimeBundle } from "./transcript.js";

const sanitizer: IRenderMime.ISanitizer = {
  getAutolink: () => true,
  sanitize: (dirty, options) =>
    DOMPurify.sanitize(dirty, {
      ...(options?.allowedTags ? { ALLOWED_TAGS: options.allowedTags } : {}),
      FORBID_TAGS: ["style", "form", "input", "button", "textarea", "select", "iframe", "object", "embed"],
      FORBID_ATTR: ["id", "name"],
    }),
};

const markdownParser: IRenderMime.IMarkdownParser = {
  render: async (source) => {
    const { marked } = await import("marked");
    return marked.parse(source, { gfm: true, async: true });
  },
};

// MathML: browsers draw it with no style sheet or fonts of ours.
const latexTypesetter: IRenderMime.ILatexTypesetter = {
  typeset: async (element) => {
    const { default: renderMath } = await import("katex/contrib/auto-render");
    renderMath(element, {
      output: "mathml",
      throwOnError: false,
      delimiters: [
        { left: "$$", right: "$$", display: true },
        { left: "\\[", right: "\\]", display: true },
        { left: "\\(", right: "\\)", display: false },
        { left: "$", right: "$", display: false },
        { left: "\\begin{equation}", right: "\\end{equation}", display: true },
        { left: "\\begin{align}", right: "\\end{align}", display: true },
      ],
    });
  },
};

/** Richest first: what is shown of a bundle is the first of these that it has. */
const ORDER = [
  "text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp",
  "application/json", "text/plain",
] as const;

export interface Labels {
  picture: string;
  frame: string;
}

/** Replace what `host` shows by the bundle's richest form. */
export async function showBundle(host: HTMLElement, data: MimeBundle, metadata: MimeBundle, labels: Labels): Promise<void> {
  const type = ORDER.find((candidate) => candidate in data) ?? "text/plain";
  const value = data[type];
  const source = Array.isArray(value) ? value.join("") : typeof value === "string" ? value : JSON.stringify(value ?? "", null, 2);
  const common = { host, source, sanitizer, resolver: null, linkHandler: null, latexTypesetter, shouldTypeset: true, trusted: false };
  host.replaceChildren();
  host.dataset.type = type;
  if (type === "text/html") showFrame(host, source, labels.frame);
  else if (type === "text/markdown") await renderMarkdown({ ...common, markdownParser });
  else if (type === "text/latex") await renderLatex(common);
  else if (type.startsWith("image/")) showImage(host, type, source, size(metadata[type]), labels.picture);
  else await renderText({ host, sanitizer, source });
}

/** Replace what `host` shows by text with its colours. */
export async function showText(host: HTMLElement, source: string): Promise<void> {
  const fresh = document.createElement("div");
  await renderText({ host: fresh, sanitizer, source });
  host.replaceChildren(...fresh.childNodes);
}

export async function showTraceback(host: HTMLElement, source: string): Promise<void> {
  host.replaceChildren();
  await renderError({ host, sanitizer, source, resolver: null, linkHandler: null });
}

function size(metadata: unknown): { width?: number; height?: number } {
  const { width, height } = (metadata ?? {}) as { width?: unknown; height?: unknown };
  return {
    ...(typeof width === "number" ? { width } : {}),
    ...(typeof height === "number" ? { height } : {}),
  };
}

function showImage(host: HTMLElement, type: string, source: string, extent: { width?: number; height?: number }, label: string): void {
  const image = document.createElement("img");
  image.alt = label;
  image.decoding = "async";
  if (extent.width) image.width = extent.width;
  if (extent.height) image.height = extent.height;
  image.src =
    type === "image/svg+xml"
      ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`
      : `data:${type};base64,${source.replace(/\s/g, "")}`;
  host.append(image);
}

const TALLEST = 600;

function showFrame(host: HTMLElement, source: string, label: string): void {
  const nonce = crypto.randomUUID();
  const frame = document.createElement("iframe");
  frame.title = label;
  frame.setAttribute("sandbox", "allow-scripts allow-popups allow-popups-to-escape-sandbox");
  frame.referrerPolicy = "no-referrer";
  frame.style.height = "60px";
  frame.loading = "lazy"; // a cell may have hundreds: those out of sight wait
  const heard = (event: MessageEvent<unknown>): void => {
    if (!frame.isConnected) removeEventListener("message", heard);
    const data = event.data as { madang?: unknown; height?: unknown } | null;
    if (event.source !== frame.contentWindow || data?.madang !== nonce || typeof data.height !== "number") return;
    frame.style.height = `${String(Math.min(Math.max(data.height, 16), TALLEST))}px`;
  };
  addEventListener("message", heard);
  frame.srcdoc = frameDocument(source, nonce, getComputedStyle(host));
  host.append(frame);
}

/** Only our own script may run in there: it measures. The frame has an origin of its own and reaches nothing. */
function frameDocument(source: string, nonce: string, style: CSSStyleDeclaration): string {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const script = new URL(/* built beside the entry */ "../output-frame.js", import.meta.url).href;
  const scheme = style.colorScheme.includes("dark") ? "dark" : "light";
  return `<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; media-src data: blob:; font-src data:; style-src 'unsafe-inline'; script-src ${script}">
<base target="_blank"><script src="${script}" data-nonce="${nonce}"></script>
<style>
:root { color-scheme: ${scheme}; }
html { height: auto; } body { margin: 0; padding: 2px 0; overflow: auto; font: 13px/1.5 system-ui, sans-serif; color: ${token("--ink")}; background: ${token("--surface")}; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: 3px 10px; text-align: right; border: 0; }
thead th { border-bottom: 1px solid ${token("--control-line")}; } tbody tr:nth-child(even) { background: ${token("--sunken")}; } a { color: ${token("--sky")}; }
</style>${source}`;
}
