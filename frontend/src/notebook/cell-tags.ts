/** The tags of a cell, which other programs read (nbgrader, papermill, nbconvert). */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../icons.js";
import type { Word } from "./words.js";

/** `done` is called with the new tags, or null where nothing changes. */
export function tagList(
  value: unknown, adding: boolean, readOnly: boolean, done: (tags: string[] | null) => void, w: (word: Word, values?: Record<string, string>) => string,
): TemplateResult | typeof nothing {
  const tags = Array.isArray(value) ? value.map(String) : [];
  if (tags.length === 0 && !adding) return nothing;
  const add = (event: Event): void => {
    const tag = (event.target as HTMLInputElement).value.trim();
    done(tag && !tags.includes(tag) ? [...tags, tag] : null);
  };
  return html`<div class="tags" role="group" aria-label=${w("tags")}>${tags.map((tag) => html`<span class="tag">${tag}
      ${readOnly ? nothing : html`<button class="icon" tabindex="-1" aria-label=${w("removeTag", { tag })} @click=${() => { done(tags.filter((one) => one !== tag)); }}>${icon("close")}</button>`}</span>`)}
    ${adding ? html`<input aria-label=${w("addTag")} placeholder=${w("addTag")} maxlength="100" @change=${add} @blur=${() => { done(null); }}
      @keydown=${(event: KeyboardEvent) => { if (event.key === "Escape") done(null); }} />` : nothing}</div>`;
}
