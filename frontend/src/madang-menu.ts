/** A menu at a place of the page. `show(items, x, y)` opens it; a choice, Escape or a click elsewhere closes it and
 * gives the focus back.
 *
 * CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { shared } from "./styles.js";

export interface MenuItem {
  label: string;
  /** The keys that do the same, for reading. */
  keys?: string;
  danger?: boolean;
  disabled?: boolean;
  run: () => void;
}

@customElement("madang-menu")
export class MadangMenu extends MadangElement {
  static override styles = [
    shared,
    css`
      [popover] { position: fixed; inset: auto; margin: 0; min-width: 160px; max-width: 92vw; max-height: 90vh; overflow: auto; padding: 4px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow); }
      [popover]:popover-open { display: grid; }
      button { justify-content: flex-start; gap: 20px; border-color: transparent; border-radius: 6px; font-weight: 400; } button:disabled { border-color: transparent; }
      button:hover, button:focus { background: var(--sunken); }
      small { margin-left: auto; color: var(--muted); font-size: 11.5px; }
    `,
  ];

  @state() private items: readonly MenuItem[] = [];
  private cameFrom: HTMLElement | null = null;

  /** Open at a place of the window, in CSS pixels; for an element, give its corner. */
  async show(items: readonly MenuItem[], x: number, y: number): Promise<void> {
    this.items = items;
    this.cameFrom = deepest();
    await this.updateComplete;
    const { box } = this;
    if (!box) return;
    box.showPopover();
    const { width, height } = box.getBoundingClientRect();
    box.style.left = `${String(Math.max(4, Math.min(x, innerWidth - width - 4)))}px`;
    box.style.top = `${String(Math.max(4, Math.min(y, innerHeight - height - 4)))}px`;
    this.buttons[0]?.focus();
  }

  hide(): void {
    if (this.box?.matches(":popover-open")) this.box.hidePopover();
  }

  private get box(): HTMLElement | null {
    return this.renderRoot.querySelector("[popover]");
  }

  private get buttons(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  }

  private onKey(event: KeyboardEvent): void {
    const { buttons } = this;
    const at = buttons.indexOf(this.shadowRoot?.activeElement as HTMLElement);
    const to: Partial<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1 + buttons.length, Home: 0, End: buttons.length - 1 };
    const next = to[event.key];
    if (event.key === "Tab") this.hide();
    else if (next !== undefined) buttons[next % buttons.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private choose(item: MenuItem): void {
    this.hide();
    item.run();
  }

  override render(): TemplateResult {
    return html`<div popover role="menu" @keydown=${(event: KeyboardEvent) => { this.onKey(event); }}
      @toggle=${(event: ToggleEvent) => { if (event.newState === "closed") this.cameFrom?.focus(); }}>
      ${this.items.map((item) => html`<button role="menuitem" tabindex="-1" class=${item.danger ? "danger" : ""} ?disabled=${item.disabled ?? false}
        @click=${() => { this.choose(item); }}>${item.label}${item.keys ? html`<small>${item.keys}</small>` : nothing}</button>`)}</div>`;
  }
}

/** What has the focus, through all shadow roots. */
export function deepest(): HTMLElement | null {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found instanceof HTMLElement ? found : null;
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-menu": MadangMenu;
  }
}
