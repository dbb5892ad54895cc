/** Turns outputs into DOM with JupyterLab's renderers. A chunk of its own.
 *
 * Nothing here runs what it is given: HTML goes into a frame without our origin, pictures into `img`, everything else
 * through the sanitizer. */
import { renderError, renderLatex, renderMarkdown, renderText } from "@jupyterlab/rendermime/lib/renderers";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import DOMPurify from "dompurify";
import { WIDGET } from "./frames/widget-words.js";
import type { Language } from "./i18n.js";
import { jsonTree } from "./json-tree.js";
import { CHARTS, isChart, showChart } from "./output-charts.js";
import { showHtml } from "./output-frames.js";
import { showWidget, type WidgetSource } from "./output-widgets.js";
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
  WIDGET, ...CHARTS, "text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp",
  "application/json", "text/plain",
] as const;

/** What needs JavaScript of its own, which does not run here. */
const NOT_LIVE = /^application\/(vnd\.bokehjs|vnd\.holoviews|geo|javascript)/;

export interface Labels {
  picture: string;
  frame: string;
  tree: string;
  /** That outputs of `type` are not live. */
  notLive: (type: string) => string;
  language: Language;
  /** Where the widgets of the output's kernel are; null where there is none. */
  widgets: WidgetSource | null;
}

/** Replace what `host` shows by the bundle's richest form; on paper, by the richest that needs no program. */
export async function showBundle(host: HTMLElement, data: MimeBundle, metadata: MimeBundle, labels: Labels, paper = false): Promise<void> {
  const type = ORDER.find((candidate) => candidate in data && !(paper && (isChart(candidate) || candidate === WIDGET))) ?? "text/plain";
  if (isChart(type)) {
    showChart(host, type, data[type], labels.language, () => showBundle(host, data, metadata, labels, true));
    return;
  }
  if (type === WIDGET) {
    host.replaceChildren();
    host.dataset.type = type;
    await showWidget(host, data[type], labels.widgets, labels.language, () => showBundle(host, data, metadata, labels, true));
    return;
  }
  const value = data[type];
  const source = Array.isArray(value) ? value.join("") : typeof value === "string" ? value : JSON.stringify(value ?? "", null, 2);
  const common = { host, source, sanitizer, resolver: null, linkHandler: null, latexTypesetter, shouldTypeset: true, trusted: false };
  host.replaceChildren();
  host.dataset.type = type;
  if (type === "text/html") showHtml(host, source, labels.frame);
  else if (type === "text/markdown") await renderMarkdown({ ...common, markdownParser });
  else if (type === "text/latex") await renderLatex(common);
  else if (type.startsWith("image/")) showImage(host, type, source, size(metadata[type]), labels.picture);
  else if (type === "application/json") showTree(host, value, labels.tree);
  else await renderText({ host, sanitizer, source });
  const dead = type === "text/plain" && Object.keys(data).find((candidate) => NOT_LIVE.test(candidate));
  if (dead) {
    const note = document.createElement("p");
    note.className = "not-live";
    note.textContent = labels.notLive(dead.replace(/^application\/(vnd\.)?/, "").replace(/\+json$/, ""));
    host.prepend(note);
  }
}

function showTree(host: HTMLElement, value: unknown, label: string): void {
  const tree = jsonTree(value);
  tree.setAttribute("aria-label", label);
  host.append(tree);
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

/** Replace what `host` shows by Markdown with mathematics. `attachments` are a notebook cell's; addresses begin at `base`. */
export async function showMarkdown(host: HTMLElement, source: string, attachments: Readonly<Record<string, MimeBundle>>, base: string): Promise<void> {
  const fresh = document.createElement("div");
  const attached = source.replace(/\(attachment:([^)\s]+)/g, (whole, name: string) => {
    const [type, data] = Object.entries(attachments[name] ?? attachments[name.replace(/%20/g, " ")] ?? {})[0] ?? [];
    const base64 = Array.isArray(data) ? data.join("") : String(data);
    return type?.startsWith("image/") ? `(data:${type};base64,${base64.replace(/\s/g, "")}` : whole;
  });
  const resolver: IRenderMime.IResolver = {
    resolveUrl: (url) => Promise.resolve(url),
    getDownloadUrl: (url) => Promise.resolve(new URL(url, new URL(base, location.href)).href),
    isLocal: (url) => !/^([a-z][a-z0-9+.-]*:|\/\/|#)/i.test(url),
  };
  const common = { host: fresh, source: attached, sanitizer, resolver, linkHandler: null, latexTypesetter, shouldTypeset: false, trusted: false };
  await renderMarkdown({ ...common, markdownParser });
  await latexTypesetter.typeset(fresh); // it would not be waited for
  for (const anchor of fresh.querySelectorAll(".jp-InternalAnchorLink")) anchor.remove(); // there is nothing here that they could lead to
  for (const link of fresh.querySelectorAll("a[href]")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  host.replaceChildren(...fresh.childNodes);
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
