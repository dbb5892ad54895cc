/** The keys that the keyboard of a phone or tablet lacks.
 *
 * Attributes: `ctrl` (Ctrl is held for the next key), `language`.
 * Events: `madang-key` {name: "Escape", "Tab", "ArrowUp", …}, `madang-ctrl` (Ctrl was pressed). CSS variables: those of tokens.css, --mono. */
import { css, html, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { shared } from "./styles.js";
import type { KeyName } from "./terminal-keys.js";

const KEYS: readonly [string, KeyName][] = [["Esc", "Escape"], ["Tab", "Tab"]];
const MORE: readonly [string, KeyName][] = [
  ["^C", "Interrupt"], ["^D", "End"], ["←", "ArrowLeft"], ["↑", "ArrowUp"], ["↓", "ArrowDown"], ["→", "ArrowRight"],
];

@customElement("madang-terminal-keys")
export class MadangTerminalKeys extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: none; gap: 2px; padding: 2px 4px; background: var(--sunken); border-top: 1px solid var(--line); overflow-x: auto; }
      button { flex: 1 0 44px; min-width: 44px; max-width: 120px; padding: 0 6px; font: 13px var(--mono); }
      button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--paper); }
      @media (pointer: coarse) { :host { display: flex; } }
    `,
  ];

  @property({ type: Boolean }) ctrl = false;

  private key([label, name]: readonly [string, KeyName]): TemplateResult {
    return html`<button aria-label=${name} @click=${() => { this.emit("madang-key", { name }); }}>${label}</button>`;
  }

  override render(): TemplateResult {
    // A press must not take the focus, and with it the keyboard, from the terminal.
    return html`<div role="toolbar" style="display:contents" aria-label=${this.t("terminalKeys")} @pointerdown=${(event: Event) => { event.preventDefault(); }}>
      ${KEYS.map((key) => this.key(key))}<button aria-pressed=${this.ctrl} @click=${() => { this.emit("madang-ctrl"); }}>Ctrl</button>${MORE.map((key) => this.key(key))}</div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminal-keys": MadangTerminalKeys;
  }
}
