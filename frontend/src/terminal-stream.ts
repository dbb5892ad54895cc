/** A terminal's WebSocket: what it shows, in order and once, and what is typed. */
import { socketUrl } from "./api.js";
import { decodeTerminalFrame, encodeAcknowledge, encodeInput, encodeResize } from "./frames.js";
import { Link, type LinkState } from "./link.js";
import type { Size } from "./terminal-fit.js";

/** What is typed while the connection is away waits, up to this many bytes. */
const TYPED_AHEAD = 4096;
/** A hidden page draws next to nothing. So that it slows no program, what it holds undrawn counts as drawn, up to this. */
const UNDRAWN_WHILE_HIDDEN = 4 * 1024 * 1024;
/** At most one acknowledgement per frame on the screen. */
const ACKNOWLEDGE_MS = 16;

export interface StreamHooks {
  /** Show `bytes`, and say when that is done. */
  draw: (bytes: Uint8Array, done: () => void) => void;
  /** What follows is for this size. */
  size: (size: Size) => void;
  /** What was before is no longer kept. */
  cut: () => void;
  ended: (reason: string) => void;
  state: (state: LinkState, code?: number) => void;
  /** The size that is wished for now. */
  wish: () => Size;
}

export class TerminalStream {
  private readonly link: Link;
  private next = 0;
  private drawn = 0;
  private historyEnd = 0;
  private undrawn = 0;
  private acknowledging: ReturnType<typeof setTimeout> | undefined;
  private typed: Uint8Array<ArrayBuffer>[] = [];

  constructor(session: string, name: string, private readonly hooks: StreamHooks) {
    const path = `/api/v1/sessions/${encodeURIComponent(session)}/terminals/${encodeURIComponent(name)}`;
    this.link = new Link({
      url: () => socketUrl(`${path}?since=${String(this.next)}`),
      // The size must be said before anything is typed.
      onOpen: () => { queueMicrotask(() => { this.opened(); }); },
      onMessage: (data) => { if (typeof data !== "string") this.receive(data); },
      onState: (state, code) => { hooks.state(state, code); },
    });
  }

  /** Is all that is drawn new, and not history? */
  get live(): boolean {
    return this.drawn >= this.historyEnd;
  }

  type(bytes: Uint8Array): void {
    const frame = encodeInput(bytes);
    if (this.link.send(frame)) return;
    const waiting = this.typed.reduce((sum, one) => sum + one.byteLength, 0);
    if (waiting + frame.byteLength <= TYPED_AHEAD) this.typed.push(frame);
  }

  /** Say what size is wished for. */
  say(): void {
    const { rows, cols } = this.hooks.wish();
    this.link.send(encodeResize(rows, cols));
  }

  close(): void {
    clearTimeout(this.acknowledging);
    this.link.close();
  }

  private opened(): void {
    this.say();
    for (const bytes of this.typed.splice(0)) this.link.send(bytes);
  }

  private receive(data: ArrayBuffer): void {
    const frame = decodeTerminalFrame(data);
    switch (frame.kind) {
      case "output":
        this.show(frame.seq, frame.bytes);
        break;
      case "attached":
        this.historyEnd = frame.next;
        break;
      case "size":
        this.hooks.size(frame);
        break;
      case "cut":
        this.next = Math.max(this.next, frame.oldest);
        this.drawn = Math.max(this.drawn, frame.oldest);
        this.hooks.cut();
        break;
      case "ended":
        this.hooks.ended(frame.reason);
        this.link.close();
        break;
    }
  }

  private show(seq: number, bytes: Uint8Array): void {
    if (seq < this.next) return;
    this.next = seq + 1;
    this.undrawn += bytes.byteLength;
    this.hooks.draw(bytes, () => {
      this.drawn = seq + 1;
      this.undrawn -= bytes.byteLength;
      this.acknowledge();
    });
    if (document.hidden && this.undrawn < UNDRAWN_WHILE_HIDDEN) this.link.send(encodeAcknowledge(this.next));
  }

  private acknowledge(): void {
    this.acknowledging ??= setTimeout(() => {
      this.acknowledging = undefined;
      this.link.send(encodeAcknowledge(this.drawn));
    }, ACKNOWLEDGE_MS);
  }
}
