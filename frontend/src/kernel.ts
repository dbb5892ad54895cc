/** A project's kernel: joins or starts it, keeps its transcript, and asks it to run, complete and explain.
 *
 * A chunk of its own: it brings @jupyterlab/services. */
import type { KernelConnection, KernelMessage } from "@jupyterlab/services";
import { request } from "./api.js";
import { KernelComms } from "./kernel-comms.js";
import { complete, type Completion, connectKernel, inspect } from "./kernel-connection.js";
import type { LinkState } from "./link.js";
import type { WidgetSource } from "./output-widgets.js";
import { type Action, EMPTY_TRANSCRIPT, type Message, reduce, type Transcript } from "./transcript.js";

/** A cell that an idle, connected kernel has not taken up after this time never reached it. */
const LOST_AFTER_MS = 4000;
const RESTART_POLL_MS = 300;

interface JupyterSession {
  id: string;
  kernel: { id: string; name: string };
}

export interface KernelHooks {
  onTranscript: (transcript: Transcript) => void;
  onLink: (state: LinkState, code?: number) => void;
}

export class Kernel implements WidgetSource {
  transcript: Transcript = EMPTY_TRANSCRIPT;
  comms: KernelComms | null = null;
  linkState: LinkState = "connecting";
  private connection: KernelConnection | null = null;
  private scheduled = false;
  private held: { id: string; code: string }[] = [];
  private counter = 0;
  private lostTimer: ReturnType<typeof setTimeout> | undefined;
  private restartTimer: ReturnType<typeof setInterval> | undefined;

  private constructor(
    readonly id: string,
    readonly name: string,
    private readonly hooks: KernelHooks,
  ) {}

  /** Join the project's console session, or start one with its kernel.
   * @throws ApiError there is no room, no such project, ... */
  static async start(slug: string, kernelName: string, hooks: KernelHooks): Promise<Kernel> {
    const session = await request<JupyterSession>("/jupyter/api/sessions", {
      method: "POST",
      body: { path: `${slug}/console`, type: "console", name: "console", kernel: { name: kernelName } },
    });
    const kernel = new Kernel(session.kernel.id, session.kernel.name, hooks);
    kernel.connect();
    return kernel;
  }

  /** They are there from the first message on. */
  onComms(): () => void {
    return () => undefined;
  }

  get busy(): boolean {
    return this.transcript.kernel === "busy";
  }

  run(code: string): void {
    if (this.transcript.kernel === "restarting" || !this.connection) {
      this.hold(code);
      return;
    }
    const future = this.connection.requestExecute({ code, stop_on_error: true, allow_stdin: true });
    future.done.catch(() => undefined); // the log tells how it ended, this promise does not survive a restart
    this.apply({ type: "sent", id: future.msg.header.msg_id, code });
  }

  again(id: string, code: string): void {
    this.apply({ type: "forget", id });
    this.run(code);
  }

  forget(id: string): void {
    this.apply({ type: "forget", id });
  }

  answer(requestHeader: Message["header"], value: string): void {
    const parent = requestHeader as KernelMessage.IInputRequestMsg["header"];
    this.connection?.sendInputReply({ value, status: "ok" }, parent);
    this.apply({ type: "answered", request: requestHeader.msg_id, value });
  }

  complete(code: string, cursor: number): Promise<Completion | null> {
    return complete(this.connection, code, cursor);
  }

  inspect(code: string, cursor: number): Promise<string | null> {
    return inspect(this.connection, code, cursor);
  }

  async interrupt(): Promise<void> {
    await request(`/jupyter/api/kernels/${this.id}/interrupt`, { method: "POST" });
  }

  async restart(): Promise<void> {
    await request(`/jupyter/api/kernels/${this.id}/restart`, { method: "POST" });
  }

  dispose(): void {
    clearTimeout(this.lostTimer);
    clearInterval(this.restartTimer);
    this.connection?.dispose();
    this.connection = null;
    this.hooks.onTranscript = this.hooks.onLink = () => undefined;
  }

  private connect(): void {
    this.connection = connectKernel(this.id, this.name, {
      onMessage: (message) => {
        if (!this.comms?.take(message as unknown as KernelMessage.IMessage)) this.apply({ type: "message", message });
      },
      onLink: (state, code) => {
        this.linkState = state;
        if (state === "closed" && code !== 1000) this.apply({ type: "ended", at: Date.now() });
        this.hooks.onLink(state, code);
        this.watch();
      },
      onCut: (first) => {
        this.apply({ type: "cut", id: `cut-${String(first)}` });
        this.comms?.catchUp();
      },
    });
    this.comms = new KernelComms(this.connection);
  }

  private apply(action: Action): void {
    const before = this.transcript.kernel;
    this.transcript = reduce(this.transcript, action);
    if (this.transcript.kernel !== before) this.kernelChanged();
    if (this.scheduled) return;
    this.scheduled = true;
    // One drawing for many messages; hidden pages get no animation frames, so a timer it is.
    setTimeout(() => {
      this.scheduled = false;
      this.hooks.onTranscript(this.transcript);
      this.watch();
    }, 16);
  }

  private kernelChanged(): void {
    clearInterval(this.restartTimer);
    const state = this.transcript.kernel;
    if (state === "restarting" || state === "starting") {
      // A kernel says nothing by itself once it is up again, and does not hear what comes before: ask until it answers.
      this.restartTimer = setInterval(() => {
        this.connection?.requestKernelInfo().catch(() => undefined);
      }, RESTART_POLL_MS);
    } else if (state === "idle") {
      for (const { id, code } of this.held.splice(0)) this.again(id, code);
    }
  }

  private hold(code: string): void {
    this.counter += 1;
    const id = `held-${String(this.counter)}`;
    this.held.push({ id, code });
    this.apply({ type: "sent", id, code });
  }

  /** Notice cells that went down with a connection. */
  private watch(): void {
    clearTimeout(this.lostTimer);
    const waiting = this.transcript.entries.filter((entry) => entry.kind === "cell" && entry.state === "queued");
    if (waiting.length === 0 || this.linkState !== "open" || this.transcript.kernel !== "idle") return;
    this.lostTimer = setTimeout(() => {
      for (const cell of waiting) this.apply({ type: "lost", id: cell.id });
    }, LOST_AFTER_MS);
  }
}
