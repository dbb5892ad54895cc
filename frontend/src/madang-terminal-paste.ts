/** Asks before several lines are pasted into a program that would run each at once.
 *
 * Attribute: `language`. CSS variables: those of tokens.css. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import { shared } from "./styles.js";
import { commandsIn } from "./terminal-paste.js";

const SHOWN = 12;

@customElement("madang-terminal-paste")
export class MadangTerminalPaste extends MadangElement {
  static override styles = [
    shared,
    css`
      dialog { width: min(560px, 92vw); padding: 18px 22px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow); }
      dialog::backdrop { background: #0005; }
      h2 { margin: 0 0 6px; font-size: 15px; } p { margin: 0 0 10px; color: var(--muted); }
      pre { margin: 0 0 14px; padding: 8px 10px; max-height: 40vh; overflow: auto; border-radius: 6px; background: var(--sunken); font: 12.5px/1.5 var(--mono); }
      .choices { display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; }
    `,
  ];

  @state() private lines: readonly string[] = [];
  @query("dialog") private dialog!: HTMLDialogElement;
  private answer: (text: string) => void = () => undefined;
  private last: Promise<string> = Promise.resolve("");

  /** Ask about `clean` (see terminal-paste.ts). What is to be pasted in the end; "" for nothing. */
  ask(clean: string): Promise<string> {
    // A dialog tells of its end a moment after it closed: a question put before that would take that for its answer.
    this.last = this.last.then(() => this.put(clean));
    return this.last;
  }

  private async put(clean: string): Promise<string> {
    this.lines = commandsIn(clean);
    await this.updateComplete;
    const chosen = new Promise<string>((resolve) => { this.answer = resolve; });
    this.dialog.returnValue = "";
    this.dialog.showModal();
    const choice = await chosen;
    return choice === "all" ? clean : choice === "one" ? this.lines.map((line) => line.trim()).filter(Boolean).join(" ") : "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.answer("");
  }

  override render(): TemplateResult {
    const { lines } = this;
    return html`<dialog aria-labelledby="title" @close=${() => { this.answer(this.dialog.returnValue); }}>
      <form method="dialog"><h2 id="title">${this.t("pasteLines", { n: lines.length })}</h2><p>${this.t("pasteLinesWhy")}</p>
        <pre tabindex="0">${lines.slice(0, SHOWN).join("\n")}${lines.length > SHOWN ? html`\n<span class="muted">${this.t("pasteMore", { n: lines.length - SHOWN })}</span>` : nothing}</pre>
        <div class="choices"><button value="">${this.t("cancel")}</button><button value="one">${this.t("pasteAsOne")}</button><button class="primary" value="all" autofocus>${this.t("paste")}</button></div></form></dialog>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminal-paste": MadangTerminalPaste;
  }
}
