/** What stands beside a notebook: its headings, or the kernel's variables. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../icons.js";
import type { Heading } from "./outline.js";
import type { Variable } from "./variables.js";
import type { Word } from "./words.js";

type Say = (word: Word) => string;

export function outlinePanel(headings: readonly Heading[], go: (heading: Heading) => void, close: () => void, w: Say): TemplateResult {
  return html`<aside aria-label=${w("outline")}>${head("outline", close, w)}
    ${headings.length === 0 ? html`<p class="muted">${w("outlineEmpty")}</p>` : html`<nav aria-label=${w("outline")}>
      ${headings.map((heading) => html`<button class="heading" style="padding-left:${12 + (heading.level - 1) * 14}px" @click=${() => { go(heading); }}>${heading.text}</button>`)}</nav>`}</aside>`;
}

export type Variables = readonly Variable[] | "off" | "busy" | "none";

export function variablesPanel(variables: Variables, refresh: () => void, close: () => void, w: Say): TemplateResult {
  const words: Record<"off" | "busy" | "none", Word> = { off: "variablesOff", busy: "variablesBusy", none: "variablesNone" };
  const tell = typeof variables === "string" ? words[variables] : variables.length === 0 ? "variablesEmpty" : null;
  return html`<aside aria-label=${w("variables")}>${head("variables", close, w, html`<button class="icon quiet" title=${w("refresh")} aria-label=${w("refresh")} @click=${refresh}>${icon("refresh")}</button>`)}
    ${tell ? html`<p class="muted">${w(tell)}</p>` : nothing}
    ${typeof variables === "string" || variables.length === 0 ? nothing : html`<div class="table" tabindex="0" role="region" aria-label=${w("variables")}><table>
      <thead><tr><th scope="col">${w("name")}</th><th scope="col">${w("type")}</th><th scope="col">${w("value")}</th></tr></thead>
      <tbody>${variables.map(({ name, type, size, value }) => html`<tr><th scope="row">${name}</th><td class="muted">${type}${size ? html` <span class="num">${size}</span>` : nothing}</td><td class="value" title=${value}>${value}</td></tr>`)}</tbody></table></div>`}</aside>`;
}

function head(word: "outline" | "variables", close: () => void, w: Say, more: TemplateResult | typeof nothing = nothing): TemplateResult {
  return html`<header><h2>${w(word)}</h2>${more}<button class="icon quiet" title=${w("close")} aria-label=${w("close")} @click=${close}>${icon("close")}</button></header>`;
}
