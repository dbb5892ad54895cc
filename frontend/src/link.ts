/** A WebSocket that comes back: reconnects quickly and for ever, unless the server said that there is no point. */

export type LinkState = "connecting" | "open" | "closed";

/** Close codes after which trying again cannot help (docs/developers/architecture.md). */
const FINAL = new Set([4401, 4403, 4404, 4410]);

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5000;
/** A connection that lived this long starts the delays anew. */
const STABLE_MS = 5000;

/** How long to wait before attempt `failures` (1 is the first after a loss); `random` in [0, 1) spreads clients. */
export function backoff(failures: number, random: number): number {
  const base = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);
  return base * (0.75 + random / 2);
}

export interface LinkOptions {
  /** Asked at each attempt, so that it can carry the newest sequence number. */
  url: () => string;
  protocols?: string[];
  /** More close codes after which trying again cannot help. */
  final?: readonly number[];
  onOpen?: (protocol: string) => void;
  onMessage: (data: ArrayBuffer | string) => void;
  /** `code` comes with "closed": one of the final close codes, or 1000 after `close()`. */
  onState?: (state: LinkState, code?: number) => void;
}

export class Link {
  state: LinkState = "connecting";
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private openedAt = 0;

  constructor(private readonly options: LinkOptions) {
    addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.connect();
  }

  /** Send if connected; false otherwise, and nothing is kept. */
  send(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(data);
    return true;
  }

  close(): void {
    this.end(1000);
  }

  private readonly wake = (): void => {
    if (this.timer === undefined || document.visibilityState === "hidden") return;
    this.failures = 0;
    this.connect();
  };

  private connect(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const socket = new WebSocket(this.options.url(), this.options.protocols ?? []);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.openedAt = Date.now();
      this.options.onOpen?.(socket.protocol);
      this.become("open");
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      this.options.onMessage(event.data);
    };
    socket.onclose = (event) => {
      this.lost(event.code);
    };
  }

  private lost(code: number): void {
    this.socket = null;
    if (FINAL.has(code) || this.options.final?.includes(code)) {
      this.end(code);
      return;
    }
    if (this.openedAt && Date.now() - this.openedAt > STABLE_MS) this.failures = 0;
    this.openedAt = 0;
    this.failures += 1;
    this.become("connecting");
    this.timer = setTimeout(() => {
      this.connect();
    }, backoff(this.failures, Math.random()));
  }

  private end(code: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    if (this.socket) {
      this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
      this.socket.close();
      this.socket = null;
    }
    this.become("closed", code);
  }

  private become(state: LinkState, code?: number): void {
    if (this.state === "closed") return;
    this.state = state;
    this.options.onState?.(state, code);
  }
}
