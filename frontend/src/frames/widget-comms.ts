/** Inside the frame of a widget: comms that lead through the page to the kernel. */
import { type IClassicComm, type ICallbacks, uuid } from "@jupyter-widgets/base";
import type { KernelMessage } from "@jupyterlab/services";
import { bytesOf, type CommInfo, type CommWords, type FromWidget } from "./widget-words.js";

type Heard = (message: unknown) => void;
type Buffers = readonly (ArrayBuffer | ArrayBufferView)[];

export class FrameComms {
  private readonly comms = new Map<string, FrameComm>();
  private readonly waiting = new Map<string, () => void>();
  private asking: ((info: CommInfo) => void)[] = [];

  constructor(private readonly say: (words: FromWidget) => void) {}

  /** A comm that the kernel has already. */
  join(target: string, id: string): FrameComm {
    const comm = new FrameComm(target, id, this);
    this.comms.set(id, comm);
    return comm;
  }

  info(): Promise<CommInfo> {
    return new Promise((resolve) => {
      this.asking.push(resolve);
      this.say({ asksInfo: true });
    });
  }

  answerInfo(info: CommInfo): void {
    for (const resolve of this.asking.splice(0)) resolve(info);
  }

  /** Send it; `done` is called when the kernel has dealt with it. */
  send(words: CommWords, done: () => void): void {
    this.waiting.set(words.id, done);
    this.say({ send: words });
  }

  done(id: string): void {
    this.waiting.get(id)?.();
    this.waiting.delete(id);
  }

  /** Hand on what the kernel said; false where nobody here has this comm. */
  hear(words: CommWords): boolean {
    const comm = this.comms.get(words.comm);
    if (comm && words.kind === "comm_close") this.comms.delete(words.comm);
    comm?.hear(words);
    return comm !== undefined;
  }
}

/** As JupyterLab's message, as far as widgets look at one. */
export function messageOf({ kind, comm, id, target, data, metadata, buffers }: CommWords): unknown {
  return {
    header: { msg_type: kind }, parent_header: { msg_id: id }, content: { comm_id: comm, target_name: target, data }, metadata,
    buffers: buffers.map((buffer) => new DataView(buffer)),
  };
}

export class FrameComm implements IClassicComm {
  private onMessage: Heard | null = null;
  /** What came before somebody listened: a model is made in several turns. */
  private readonly early: CommWords[] = [];
  private onClose: Heard = () => undefined;

  constructor(readonly target_name: string, readonly comm_id: string, private readonly all: FrameComms) {}

  open(data: unknown, callbacks?: ICallbacks, metadata?: unknown, buffers?: Buffers): string {
    return this.say("comm_open", data, callbacks, metadata, buffers);
  }

  send(data: unknown, callbacks?: ICallbacks, metadata?: unknown, buffers?: Buffers): string {
    return this.say("comm_msg", data, callbacks, metadata, buffers);
  }

  close(data?: unknown, callbacks?: ICallbacks, metadata?: unknown, buffers?: Buffers): string {
    return this.say("comm_close", data ?? {}, callbacks, metadata, buffers);
  }

  on_msg(callback: Heard): void {
    this.onMessage = callback;
    for (const words of this.early.splice(0)) callback(messageOf(words));
  }

  on_close(callback: Heard): void {
    this.onClose = callback;
  }

  hear(words: CommWords): void {
    if (words.kind === "comm_close") this.onClose(messageOf(words));
    else if (this.onMessage) this.onMessage(messageOf(words));
    else this.early.push(words);
  }

  private say(kind: CommWords["kind"], data: unknown, callbacks: ICallbacks = {}, metadata: unknown = {}, buffers: Buffers = []): string {
    const id = uuid();
    const words = { kind, comm: this.comm_id, id, target: this.target_name, data, metadata, buffers: buffers.map(bytesOf) };
    // A model sends its next change when the kernel is idle after the last one.
    const idle = { content: { execution_state: "idle" } } as KernelMessage.IStatusMsg;
    this.all.send(words, () => callbacks.iopub?.status?.(idle));
    return id;
  }
}
