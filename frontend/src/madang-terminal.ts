/** A terminal of a session.
 *
 * Attributes: `session` (id), `name` (of the terminal in its session), `label` (for screen readers), `language`.
 * Events: `madang-link` {state}, `madang-title` {title}, `madang-new-shell` (the person wants a shell after the end).
 * CSS variables: --term-ground, --term-ink, --mono. */
import { css, html, nothing, type TemplateResult, unsafeCSS } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Terminal } from "@xterm/xterm";
import { socketUrl } from "./api.js";
import { MadangElement } from "./element.js";
import { decodeTerminalFrame, encodeAcknowledge, encodeInput, encodeResize } from "./frames.js";
import { Link } from "./link.js";
import { shared } from "./styles.js";
import { cleanTitle, guardQuestions } from "./terminal-questions.js";
import { terminalTheme } from "./terminal-theme.js";

const SCROLLBACK = 10_000;
/** Keys that a phone's keyboard lacks. */
const KEYS: readonly [string, string][] = [
  ["Esc", "\x1b"], ["Tab", "\t"], ["^C", "\x03"], ["^D", "\x04"], ["←", "\x1b[D"], ["↑", "\x1b[A"], ["↓", "\x1b[B"], ["→", "\x1b[C"],
];
/** What is typed while the connection is away waits, up to this many bytes. */
const TYPED_AHEAD = 4096;
/** A hidden page draws next to nothing. So that it slows no program, what it holds undrawn counts as drawn, up to this. */
const UNDRAWN_WHILE_HIDDEN = 4 * 1024 * 1024;

@customElement("madang-terminal")
export class MadangTerminal extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr) auto auto; min-height: 0; min-width: 0; background: var(--term-ground); }
      .screen { grid-row: 2; min-height: 0; min-width: 0; overflow: hidden; }
      .screen > .xterm { height: 100%; padding: 8px 2px 4px 12px; }
      .xterm .xterm-viewport { background: var(--term-ground) !important; }
      .note { border: 0; border-top: 1px solid var(--line); }
      .cut { grid-row: 1; }
      .end { grid-row: 3; }
      .keys { grid-row: 4; display: none; gap: 2px; padding: 2px 4px; background: var(--sunken); border-top: 1px solid var(--line); overflow-x: auto; }
      .keys button { flex: 1 0 44px; min-width: 44px; padding: 0 6px; font: 13px var(--mono); }
      @media (pointer: coarse) { .keys { display: flex; } }
      .bones { grid-row: 2; padding: 14px; display: grid; gap: 9px; align-content: start; }
      .bones i { height: 11px; border-radius: 4px; background: #ffffff14; }
    `,
  ];

  @property() session = "";
  @property() name = "";
  @property() label = "";
  @state() private ready = false;
  @state() private ended: string | null = null;
  @state() private cut = false;
  @query(".screen") private screen!: HTMLElement;

  private terminal: Terminal | null = null;
  private link: Link | null = null;
  private fit: () => void = () => undefined;
  private next = 0;
  private drawn = 0;
  private historyEnd = 0;
  private undrawn = 0;
  private acknowledging = false;
  private typed: Uint8Array<ArrayBuffer>[] = [];
  private opening = false;
  private focusWhenReady = false;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.open();
  }

  override firstUpdated(): void {
    void this.open();
  }

  override focus(): void {
    this.focusWhenReady = this.terminal === null;
    this.terminal?.focus();
  }

  private async open(): Promise<void> {
    if (this.opening || !this.session || !this.name) return;
    this.opening = true;
    const [{ Terminal, FitAddon, Unicode11Addon, WebLinksAddon, xtermStyle }] = await Promise.all([
      import("./xterm.js"),
      document.fonts.load('12.5px "JetBrains Mono Variable"').catch(() => []),
    ]);
    if (!this.isConnected) {
      this.opening = false;
      return;
    }
    const style = getComputedStyle(this);
    const terminal = new Terminal({
      allowProposedApi: true, // the Unicode 11 widths are one
      fontFamily: style.getPropertyValue("--mono").trim() || "monospace",
      fontSize: 12.5,
      lineHeight: 1.25,
      scrollback: SCROLLBACK,
      theme: terminalTheme(style),
      linkHandler: { activate: (_event, uri) => openLink(uri) },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.loadAddon(new Unicode11Addon());
    terminal.loadAddon(new WebLinksAddon((_event, uri) => openLink(uri)));
    terminal.unicode.activeVersion = "11";
    this.adopt(unsafeCSS(xtermStyle).styleSheet);
    this.ready = true;
    await this.updateComplete;
    if (!this.isConnected) {
      terminal.dispose();
      this.opening = this.ready = false;
      return;
    }
    terminal.open(this.screen);
    terminal.textarea?.setAttribute("aria-label", this.label || this.t("terminalScreen", { name: this.name }));
    this.terminal = terminal;
    this.fit = () => {
      if (this.screen.clientWidth > 20 && this.screen.clientHeight > 20) fit.fit();
    };
    this.wire(terminal);
    this.fit();
    this.connect(terminal);
    if (this.focusWhenReady) this.focus();
  }

  private adopt(sheet: CSSStyleSheet | undefined): void {
    const root = this.renderRoot as ShadowRoot;
    if (sheet && !root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  }

  private wire(terminal: Terminal): void {
    const encoder = new TextEncoder();
    // An answer to a question makes sense from the one place where the person is, and only when it was just asked.
    guardQuestions(terminal, () => this.drawn >= this.historyEnd && document.hasFocus());
    terminal.onData((data) => {
      this.type(encoder.encode(data));
    });
    terminal.onBinary((data) => {
      this.type(Uint8Array.from(data, (char) => char.charCodeAt(0)));
    });
    terminal.onResize(({ rows, cols }) => {
      this.link?.send(encodeResize(rows, cols));
    });
    terminal.onTitleChange((title) => {
      this.emit("madang-title", { title: cleanTitle(title) });
    });
    terminal.attachCustomKeyEventHandler((event) => this.ownKey(event));
    const observer = new ResizeObserver(() => requestAnimationFrame(() => { this.fit(); }));
    observer.observe(this.screen);
    this.onLeave(() => {
      observer.disconnect();
      this.link?.close();
      this.link = null;
      terminal.dispose();
      this.terminal = null;
      this.fit = () => undefined;
      this.opening = false;
      this.ready = false;
      this.next = this.drawn = this.historyEnd = this.undrawn = 0;
    });
  }

  /** False for keys that are not the terminal's. */
  private ownKey(event: KeyboardEvent): boolean {
    if (event.key === "F6") return false;
    if (event.ctrlKey && event.shiftKey && event.code === "KeyC" && event.type === "keydown") {
      event.preventDefault();
      void navigator.clipboard.writeText(this.terminal?.getSelection() ?? "");
      return false;
    }
    return true;
  }

  private connect(terminal: Terminal): void {
    const path = `/api/v1/sessions/${encodeURIComponent(this.session)}/terminals/${encodeURIComponent(this.name)}`;
    this.link = new Link({
      url: () => socketUrl(`${path}?since=${String(this.next)}`),
      onOpen: () => {
        // The size must be said before anything is typed.
        queueMicrotask(() => {
          this.link?.send(encodeResize(terminal.rows, terminal.cols));
          for (const bytes of this.typed.splice(0)) this.link?.send(bytes);
        });
      },
      onMessage: (data) => {
        if (typeof data !== "string") this.receive(data);
      },
      onState: (linkState, code) => {
        if (linkState === "closed" && code !== 1000) this.ended ??= this.t("terminalGone");
        this.emit("madang-link", { state: linkState, code });
      },
    });
  }

  private receive(data: ArrayBuffer): void {
    const frame = decodeTerminalFrame(data);
    switch (frame.kind) {
      case "output":
        this.draw(frame.seq, frame.bytes);
        break;
      case "attached":
        this.historyEnd = frame.next;
        break;
      case "cut":
        this.cut = true;
        this.next = Math.max(this.next, frame.oldest);
        this.drawn = Math.max(this.drawn, frame.oldest);
        break;
      case "ended":
        this.ended = frame.reason;
        this.link?.close();
        break;
    }
  }

  private draw(seq: number, bytes: Uint8Array): void {
    if (seq < this.next) return;
    this.next = seq + 1;
    this.undrawn += bytes.byteLength;
    this.terminal?.write(bytes, () => {
      this.drawn = seq + 1;
      this.undrawn -= bytes.byteLength;
      this.acknowledge();
    });
    if (document.hidden && this.undrawn < UNDRAWN_WHILE_HIDDEN) this.link?.send(encodeAcknowledge(this.next));
  }

  /** At most one acknowledgement per frame on the screen. */
  private acknowledge(): void {
    if (this.acknowledging) return;
    this.acknowledging = true;
    setTimeout(() => {
      this.acknowledging = false;
      this.link?.send(encodeAcknowledge(this.drawn));
    }, 16);
  }

  private type(bytes: Uint8Array): void {
    if (this.ended !== null) return;
    const frame = encodeInput(bytes);
    if (this.link?.send(frame)) return;
    const waiting = this.typed.reduce((sum, one) => sum + one.byteLength, 0);
    if (waiting + frame.byteLength <= TYPED_AHEAD) this.typed.push(frame);
  }

  override render(): TemplateResult {
    return html`
      ${this.cut ? html`<div class="note cut"><span>${this.t("terminalCut")}</span>
        <button class="quiet" @click=${() => (this.cut = false)}>${this.t("close")}</button></div>` : nothing}
      ${this.ready
        ? html`<div class="screen"></div>`
        : html`<div class="bones" aria-hidden="true"><i style="width:46%"></i><i style="width:30%"></i></div>`}
      ${this.ended === null ? nothing : html`<div class="note end" role="status">
        <span>${this.t("terminalEnded", { why: this.ended })}</span>
        <button @click=${() => { this.emit("madang-new-shell", { name: this.name }); }}>${this.t("newShell")}</button></div>`}
      <div class="keys">${KEYS.map(([name, code]) => html`<button @pointerdown=${(event: Event) => { event.preventDefault(); }}
        @click=${() => this.terminal?.input(code)}>${name}</button>`)}</div>`;
  }
}

function openLink(uri: string): void {
  if (/^https?:\/\//i.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminal": MadangTerminal;
  }
}
