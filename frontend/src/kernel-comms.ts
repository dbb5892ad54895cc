/** Jupyter's comms over a kernel's connection, for widgets that live in frames: who is in a frame says and hears nothing
 * else of the kernel. */
import { type Kernel, KernelMessage } from "@jupyterlab/services";
import { bytesOf, type CommInfo, type Comms, type CommWords } from "./frames/widget-words.js";
import { WidgetModels, widgetsIn } from "./widget-models.js";

/** What ipywidgets calls its comms. Frames get no others. */
const TARGETS = ["jupyter.widget", "jupyter.widget.control"];

/** What a kernel is said to do when it knows none of its comms any more. */
const AFRESH = ["starting", "restarting", "autorestarting", "dead"];

/** How often frames hear of outputs that come one after the other. */
const NEWS_MS = 60;

interface Listener {
  heard: (words: CommWords) => void;
  gone: () => void;
}

/** The comms of a kernel, which is whatever {@link KernelComms.take} is given to hear. */
export class KernelComms implements Comms {
  private readonly models = new WidgetModels();
  private readonly listeners = new Set<Listener>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private caughtUp: Promise<void> | null = null;
  private answered: () => void = () => undefined;

  constructor(private readonly connection: Kernel.IKernelConnection) {
    connection.disposed.connect(() => { this.lose(); });
  }

  /** Hear a message of the kernel's. Whether it is an output that a widget has taken, and no cell's any more. */
  take(message: KernelMessage.IMessage): boolean {
    if (message.channel === "control" && message.header.msg_type === "comm_info_reply") this.restore(message);
    if (message.channel !== "iopub") return false;
    const words = wordsOf(message as KernelMessage.IIOPubMessage);
    if (words) {
      this.models.take(words);
      this.tell(words);
      return false;
    }
    if (message.header.msg_type === "status" && AFRESH.includes(String((message.content as { execution_state?: unknown }).execution_state))) this.lose();
    const taken = this.models.takeOutput(parentOf(message), message.header.msg_type, message.content as Readonly<Record<string, unknown>>);
    if (taken) this.timer ??= setTimeout(() => { this.tellNews(); }, NEWS_MS);
    return taken;
  }

  async info(): Promise<CommInfo> {
    const reply = await this.connection.requestCommInfo({ target_name: "jupyter.widget" });
    return reply.content.status === "ok" ? (reply.content.comms as CommInfo) : {};
  }

  /** Ask for the widgets of which this page has not heard all: it came later than they, or has missed something. The
   * session answers in the kernel's place, at once and in the order of what the kernel says. */
  catchUp(): void {
    this.caughtUp ??= new Promise((resolve) => { this.answered = resolve; });
    this.connection.connectionStatusChanged.connect(this.ask, this);
    this.ask();
  }

  async whenKnown(model: string): Promise<void> {
    if (!this.models.known(model)) await this.caughtUp;
  }

  known(model: string): readonly CommWords[] | null {
    return this.models.known(model);
  }

  async send(words: CommWords): Promise<void> {
    const message = messageOf(this.connection, words);
    if (message) await this.connection.sendShellMessage(message, false, true).done;
  }

  listen(heard: Listener["heard"], gone: Listener["gone"]): () => void {
    const listener = { heard, gone };
    this.listeners.add(listener);
    return () => { this.listeners.delete(listener); };
  }

  /** As soon as the connection is there: what waits for it would be sent once a kernel has answered. */
  private ask(): void {
    const { connectionStatus, connectionStatusChanged, clientId: session, username, status } = this.connection;
    if (connectionStatus !== "connected") return;
    connectionStatusChanged.disconnect(this.ask, this);
    if (status === "dead") {
      this.settle();
      return;
    }
    const request = { session, username, msgType: "comm_info_request", channel: "control", content: { target_name: "jupyter.widget", states: true } };
    const future = this.connection.sendControlMessage(KernelMessage.createMessage(request as never) as unknown as KernelMessage.IControlMessage, true);
    future.onReply = () => { future.dispose(); }; // there is no kernel that says it is idle after this
    future.done.catch(() => undefined);
  }

  private restore(message: KernelMessage.IMessage): void {
    for (const words of widgetsIn(message.content, (message.buffers ?? []).map(bytesOf))) this.tell(this.models.restore(words));
    this.settle();
  }

  private settle(): void {
    this.answered();
    this.caughtUp = null;
  }

  private tell(words: CommWords): void {
    for (const { heard } of this.listeners) heard(words);
  }

  private tellNews(): void {
    this.timer = undefined;
    for (const words of this.models.news()) this.tell(words);
  }

  private lose(): void {
    this.models.clear();
    if (this.connection.isDisposed) this.settle();
    for (const { gone } of this.listeners) gone();
  }
}

function parentOf(message: KernelMessage.IMessage): string {
  return (message.parent_header as { msg_id?: string }).msg_id ?? "";
}

function messageOf(connection: Kernel.IKernelConnection, words: CommWords): KernelMessage.IShellMessage | null {
  const common = { channel: "shell" as const, msgId: words.id, session: connection.clientId, username: connection.username, metadata: words.metadata as never, buffers: [...words.buffers] };
  const data = words.data as never;
  switch (words.kind) {
    case "comm_open":
      if (!TARGETS.includes(words.target)) return null;
      return KernelMessage.createMessage<KernelMessage.ICommOpenMsg<"shell">>({ ...common, msgType: "comm_open", content: { comm_id: words.comm, target_name: words.target, data } });
    case "comm_msg":
      return KernelMessage.createMessage<KernelMessage.ICommMsgMsg<"shell">>({ ...common, msgType: "comm_msg", content: { comm_id: words.comm, data } });
    case "comm_close":
      return KernelMessage.createMessage<KernelMessage.ICommCloseMsg<"shell">>({ ...common, msgType: "comm_close", content: { comm_id: words.comm, data } });
  }
}

function wordsOf(message: KernelMessage.IIOPubMessage): CommWords | null {
  const open = KernelMessage.isCommOpenMsg(message);
  if (!open && !KernelMessage.isCommMsgMsg(message) && !KernelMessage.isCommCloseMsg(message)) return null;
  return {
    kind: message.header.msg_type as CommWords["kind"],
    comm: message.content.comm_id,
    id: parentOf(message),
    target: open ? message.content.target_name : "",
    data: message.content.data,
    metadata: message.metadata,
    buffers: (message.buffers ?? []).map(bytesOf),
  };
}
