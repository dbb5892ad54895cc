/** A terminal of a session.
 *
 * Attributes: `session` (id), `name` (of the terminal in its session), `label` (for screen readers), `program` (it is none of a shell: whoever started it says how it ended), `reader` (for a screen reader), `language`.
 * Events: `madang-link` {state, code}, `madang-title` {title}, `madang-terminal` (xterm's own, once it is there), `madang-ended` {reason}, `madang-new-shell` {name} (the person wants a shell after the end).
 * CSS variables: --term-ground, --term-ink, --mono; for what surrounds the screen those of tokens.css. */
import { css, html, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { MadangElement } from "./element.js";
import "./madang-terminal-find.js";
import "./madang-terminal-keys.js";
import "./madang-terminal-paste.js";
import type { MadangTerminalPaste } from "./madang-terminal-paste.js";
import { shared } from "./styles.js";
import { Fitting } from "./terminal-fit.js";
import { type KeyName, sent, withCtrl } from "./terminal-keys.js";
import { cleanPaste, wantsQuestion } from "./terminal-paste.js";
import { cleanTitle, guardQuestions } from "./terminal-questions.js";
import { makeScreen, type Screen } from "./terminal-screen.js";
import { TerminalStream } from "./terminal-stream.js";

@customElement("madang-terminal")
export class MadangTerminal extends MadangElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template: auto minmax(0, 1fr) auto auto / minmax(0, 1fr); min-height: 0; min-width: 0; background: var(--term-ground); }
      .screen { grid-row: 2; min-height: 0; min-width: 0; overflow: hidden; }
      .screen > .xterm { height: 100%; padding: 8px 2px 4px 12px; }
      .screen.foreign .xterm-screen { outline: 1px dashed #ffffff3d; outline-offset: 2px; }
      .xterm .xterm-viewport { background: var(--term-ground) !important; }
      .note { border: 0; border-top: 1px solid var(--line); }
      .cut, madang-terminal-find { grid-row: 1; }
      .end { grid-row: 3; }
      madang-terminal-keys { grid-row: 4; }
      .bones { grid-row: 2; padding: 14px; display: grid; gap: 9px; align-content: start; }
      .bones i { height: 11px; border-radius: 4px; background: #ffffff14; }
    `,
  ];

  @property() session = "";
  @property() name = "";
  @property() label = "";
  @property({ type: Boolean }) program = false;
  @property({ type: Boolean }) reader = false;
  @state() private ready = false;
  @state() private ended: string | null = null;
  @state() private cut = false;
  @state() private finding = false;
  @state() private ctrl = false;
  /** Has the screen another size than this window would give it? */
  @state() private foreign = false;
  @query(".screen") private place!: HTMLElement | null;
  @query("madang-terminal-paste") private guard!: MadangTerminalPaste;

  private screen: Screen | null = null;
  private fitting: Fitting | null = null;
  private stream: TerminalStream | null = null;
  private opening = false;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.open();
  }

  override firstUpdated(): void {
    void this.open();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("reader")) this.draw();
    const input = this.screen?.terminal.textarea;
    if (input && (changed.has("label") || changed.has("name") || changed.has("language"))) input.setAttribute("aria-label", this.label || this.t("terminalScreen", { name: this.name }));
  }

  override focus(): void {
    if (this.screen) this.screen.terminal.focus();
    else this.holdFocus();
  }

  private async open(): Promise<void> {
    if (this.opening || !this.session || !this.name) return;
    this.opening = true;
    const screen = await makeScreen(getComputedStyle(this), {
      hint: (uri) => { this.hint(uri); },
      sure: (uri) => confirm(this.t("openLinkSure", { uri: uri.slice(0, 300) })),
    });
    this.ready = this.isConnected;
    await this.updateComplete;
    if (!this.isConnected) {
      screen.terminal.dispose();
      this.opening = this.ready = false;
      return;
    }
    this.adopt(unsafeCSS(screen.sheet).styleSheet);
    if (this.place) this.begin(screen, this.place);
  }

  private begin(screen: Screen, place: HTMLElement): void {
    const { terminal } = screen;
    terminal.open(place);
    terminal.textarea?.setAttribute("aria-label", this.label || this.t("terminalScreen", { name: this.name }));
    this.screen = screen;
    this.fitting = new Fitting(screen, () => this.inSight, () => this.stream?.say());
    this.emit("madang-terminal", terminal);
    this.wire(screen, place, this.fitting);
    this.look();
    this.connect(screen, this.fitting);
    if (this.releaseFocus()) this.focus();
  }

  private get inSight(): boolean {
    const { clientWidth = 0, clientHeight = 0 } = this.place ?? {}; // none once it has left the page
    return clientWidth > 20 && clientHeight > 20;
  }

  private look(): void {
    this.fitting?.look();
    this.foreign = this.fitting?.foreign ?? false;
    this.draw();
  }

  private draw(): void {
    if (!this.screen) return;
    this.screen.terminal.options.screenReaderMode = this.reader;
    void this.screen.drawing.use(this.inSight && !this.reader);
  }

  private adopt(sheet: CSSStyleSheet | undefined): void {
    const root = this.renderRoot as ShadowRoot;
    if (sheet && !root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  }

  private wire({ terminal, drawing }: Screen, place: HTMLElement, fitting: Fitting): void {
    const encoder = new TextEncoder();
    // An answer to a question makes sense from the one place where the person is, and only when it was just asked.
    guardQuestions(terminal, () => (this.stream?.live ?? false) && document.hasFocus());
    terminal.onData((data) => { this.type(encoder.encode(this.held(data))); });
    terminal.onBinary((data) => { this.type(Uint8Array.from(data, (char) => char.charCodeAt(0))); });
    terminal.onTitleChange((title) => { this.emit("madang-title", { title: cleanTitle(title) }); });
    terminal.attachCustomKeyEventHandler((event) => this.ownKey(event));
    this.listen(place, "paste", (event) => { this.onPaste(event as ClipboardEvent); }, { capture: true });
    const observer = new ResizeObserver(() => requestAnimationFrame(() => { if (this.fitting === fitting) this.look(); }));
    observer.observe(place);
    this.onLeave(() => {
      observer.disconnect();
      fitting.end();
      this.stream?.close();
      drawing.bar();
      terminal.dispose();
      this.stream = this.screen = this.fitting = null;
      this.finding = this.opening = this.ready = this.foreign = this.ctrl = this.cut = false;
      this.ended = null;
    });
  }

  /** False for keys that are not the terminal's. */
  private ownKey(event: KeyboardEvent): boolean {
    if (event.key === "F6") return false;
    if (event.ctrlKey && event.shiftKey && event.code === "KeyF") {
      event.preventDefault();
      if (event.type === "keydown") this.find();
      return false;
    }
    if (event.ctrlKey && event.shiftKey && event.code === "KeyC" && event.type === "keydown") {
      event.preventDefault();
      void navigator.clipboard.writeText(this.screen?.terminal.getSelection() ?? "");
      return false;
    }
    return true;
  }

  /** Show the field to find text with. */
  find(): void {
    this.finding = true;
    void this.updateComplete.then(() => this.renderRoot.querySelector("madang-terminal-find")?.focus());
  }

  private endFind(): void {
    this.finding = false;
    this.focus();
  }

  private onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    void this.paste(event.clipboardData?.getData("text/plain") ?? "");
  }

  /** Type `text` as a paste, after a question where a program would take each of its lines at once. */
  async paste(text: string): Promise<void> {
    const bracketed = this.screen?.terminal.modes.bracketedPasteMode ?? false;
    const clean = cleanPaste(text);
    const wanted = wantsQuestion(clean, bracketed) ? await this.guard.ask(clean) : clean;
    if (wanted) this.screen?.terminal.paste(wanted);
    this.focus();
  }

  private hint(uri: string): void {
    const key = /Mac|iPhone|iPad/.test(navigator.platform) ? "openLinkHintMac" : "openLinkHint";
    if (this.place) this.place.title = uri ? this.t(key, { uri: uri.slice(0, 300) }) : "";
  }

  private connect({ terminal }: Screen, fitting: Fitting): void {
    this.stream = new TerminalStream(this.session, this.name, {
      draw: (bytes, done) => {
        fitting.drawn();
        terminal.write(bytes, done);
      },
      size: (size) => { fitting.tell(size, () => { this.foreign = fitting.foreign; }); },
      cut: () => { this.cut = true; },
      ended: (reason) => {
        this.ended = reason;
        this.emit("madang-ended", { reason });
      },
      state: (state, code) => {
        if (!this.isConnected) return;
        if (state === "closed" && code !== 1000) this.ended ??= this.t("terminalGone");
        this.emit("madang-link", { state, code });
      },
      wish: () => fitting.wish,
    });
  }

  /** What was typed, with Ctrl where the key on the screen holds it. */
  private held(data: string): string {
    if (!this.ctrl) return data;
    this.ctrl = false;
    return withCtrl(data);
  }

  private press(name: KeyName): void {
    const terminal = this.screen?.terminal;
    this.ctrl = false;
    terminal?.input(sent(name, terminal.modes.applicationCursorKeysMode));
    terminal?.focus();
  }

  private type(bytes: Uint8Array): void {
    if (this.ended === null) this.stream?.type(bytes);
  }

  override render(): TemplateResult {
    return html`
      ${this.finding ? html`<madang-terminal-find language=${this.language} .addon=${this.screen?.search ?? null} @madang-find-end=${() => { this.endFind(); }}></madang-terminal-find>` : nothing}
      ${this.cut ? html`<div class="note cut"><span>${this.t("terminalCut")}</span>
        <button class="quiet" @click=${() => (this.cut = false)}>${this.t("close")}</button></div>` : nothing}
      ${this.ready
        ? html`<div class="screen ${this.foreign ? "foreign" : ""}"></div>`
        : html`<div class="bones" aria-hidden="true"><i style="width:46%"></i><i style="width:30%"></i></div>`}
      ${this.ended === null || this.program ? nothing : html`<div class="note end" role="status">
        <span>${this.t("terminalEnded", { why: this.ended })}</span>
        <button @click=${() => { this.emit("madang-new-shell", { name: this.name }); }}>${this.t("newShell")}</button></div>`}
      <madang-terminal-keys ?ctrl=${this.ctrl} language=${this.language} @madang-key=${(event: CustomEvent<{ name: KeyName }>) => { this.press(event.detail.name); }}
        @madang-ctrl=${() => { this.ctrl = !this.ctrl; }}></madang-terminal-keys><madang-terminal-paste language=${this.language}></madang-terminal-paste>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-terminal": MadangTerminal;
  }
}
