/** Tabs with buttons between them. */
import { html, type TemplateResult } from "lit";

/** The list that owns the tabs `tab-0`, `tab-1`, ...: as their parent it could not have the buttons that close them. */
export function tablist(label: string, count: number): TemplateResult {
  const ids = Array.from({ length: count }, (_, at) => `tab-${String(at)}`).join(" ");
  return html`<div role="tablist" aria-label=${label} aria-owns=${ids}></div>`;
}

/** Arrow keys move between them; put it on what holds them all. */
export function arrows(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role="tab"]')];
  const at = tabs.indexOf(event.target as HTMLElement);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  const next = tabs[(at + step + tabs.length) % tabs.length];
  next?.click();
  next?.focus();
}
