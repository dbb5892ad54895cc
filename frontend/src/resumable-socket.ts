/** The WebSocket that @jupyterlab/services is given: it looks like one that never breaks.
 *
 * Underneath it asks for `madang.kernel.v1`, whose frames are numbered, and after each loss connects again and
 * asks for what came since. Messages written meanwhile wait. To its user it speaks plain
 * `v1.kernel.websocket.jupyter.org`. */
import { encodeTaken, splitKernelFrame } from "./frames.js";
import { Link, type LinkState } from "./link.js";

const OURS = "madang.kernel.v1";
const JUPYTERS = "v1.kernel.websocket.jupyter.org";

export interface SocketHooks {
  onLink?: (state: LinkState, code?: number) => void;
  /** Records before `first` are lost to this client: they are no longer kept. */
  onCut?: (first: number) => void;
  /** Leave out what came before the first connection. */
  fromNow?: boolean;
}

/** Bytes after which the server is told what has been taken, and the time after which it is told anyway. A hidden page's
 * clocks stand almost still, but what comes is still taken. */
const TELL_BYTES = 8 * 1024;
const TELL_MS = 16;

type Handler<E extends Event> = ((event: E) => void) | null;

/** Make the class for `ServerConnection.makeSettings({WebSocket})`. Numbers are remembered per URL (which carries
 * the client's session id) for as long as the page lives. */
export function resumableSocket(hooks: SocketHooks): typeof WebSocket {
  const nextByUrl = new Map<string, number>();

  class ResumableSocket {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;
    readyState = 0;
    binaryType: BinaryType = "arraybuffer";
    onopen: Handler<Event> = null;
    onmessage: Handler<MessageEvent> = null;
    onclose: Handler<CloseEvent> = null;
    onerror: Handler<Event> = null;
    protocol = JUPYTERS;
    private numbered = true;
    private waiting: (string | ArrayBuffer | Uint8Array<ArrayBuffer>)[] = [];
    private readonly link: Link;
    private untold = 0;
    private telling: ReturnType<typeof setTimeout> | undefined;

    constructor(readonly url: string) {
      this.link = new Link({
        url: () => {
          const next = nextByUrl.get(url) ?? (hooks.fromNow ? null : 0);
          return next === null ? url : `${url}${url.includes("?") ? "&" : "?"}since=${String(next)}`;
        },
        protocols: [OURS, JUPYTERS],
        onOpen: (protocol) => {
          this.opened(protocol);
        },
        onMessage: (data) => {
          this.received(data);
        },
        onState: (state, code) => {
          if (state === "closed") this.ended(code ?? 1000);
          hooks.onLink?.(state, code);
        },
      });
    }

    send(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): void {
      if (this.waiting.length > 0 || !this.link.send(data)) this.waiting.push(data);
    }

    close(): void {
      this.onclose = null; // whoever closes knows
      this.readyState = ResumableSocket.CLOSED;
      clearTimeout(this.telling);
      this.link.close();
    }

    private opened(protocol: string): void {
      this.numbered = protocol === OURS;
      this.protocol = protocol === OURS ? JUPYTERS : protocol;
      if (this.numbered) this.tell();
      while (this.waiting[0] !== undefined && this.link.send(this.waiting[0])) this.waiting.shift();
      if (this.readyState !== ResumableSocket.CONNECTING) return; // to its user it was open all the time
      this.readyState = ResumableSocket.OPEN;
      this.onopen?.(new Event("open"));
    }

    private received(data: ArrayBuffer | string): void {
      if (!this.numbered || typeof data === "string") {
        this.onmessage?.(new MessageEvent("message", { data }));
        return;
      }
      const { seq, body } = splitKernelFrame(data);
      const next = nextByUrl.get(this.url) ?? 0;
      if (seq < next) return; // seen before the connection was lost
      if (body.byteLength === 0) {
        nextByUrl.set(this.url, seq);
        hooks.onCut?.(seq);
        return;
      }
      nextByUrl.set(this.url, seq + 1);
      this.onmessage?.(new MessageEvent("message", { data: body }));
      this.untold += data.byteLength;
      if (this.untold >= TELL_BYTES) this.tell();
      else this.telling ??= setTimeout(() => { this.tell(); }, TELL_MS);
    }

    /** Only what is acknowledged makes room for more: a page that cannot keep up slows the program. */
    private tell(): void {
      clearTimeout(this.telling);
      this.telling = undefined;
      this.untold = 0;
      this.link.send(encodeTaken(nextByUrl.get(this.url) ?? 0));
    }

    private ended(code: number): void {
      if (this.readyState === ResumableSocket.CLOSED) return;
      this.readyState = ResumableSocket.CLOSED;
      // 1000: its user must not try again by itself, which only makes sense where we would have.
      this.onclose?.(new CloseEvent("close", { code: 1000, reason: String(code), wasClean: true }));
    }
  }

  return ResumableSocket as unknown as typeof WebSocket;
}
