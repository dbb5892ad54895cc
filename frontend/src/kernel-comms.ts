/** Jupyter's comms over a kernel's connection, for widgets that live in frames: who is in a frame says and hears nothing
 * else of the kernel. */
import { type Kernel, KernelMessage } from "@jupyterlab/services";
import { bytesOf, type CommInfo, type Comms, type CommWords } from "./frames/widget-words.js";
import { WidgetModels } from "./widget-models.js";

/** What ipywidgets calls its comms. Frames get no others. */
const TARGETS = ["jupyter.widget", "jupyter.widget.control"];

/** How often frames hear of outputs that come one after the other. */
const NEWS_MS = 60;

interface Listener {
  heard: (words: CommWords) => void;
  gone: () => void;
}

/** The comms of a kernel from now on, until its connection is disposed of. */
export function commsOf(connection: Kernel.IKernelConnection): Comms {
  const models = new WidgetModels();
  const listeners = new Set<Listener>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (words: CommWords): void => { for (const { heard } of listeners) heard(words); };
  const lose = (): void => {
    models.clear();
    for (const { gone } of listeners) gone();
  };
  connection.iopubMessage.connect((_, message) => {
    const words = wordsOf(message);
    if (words) {
      models.take(words);
      tell(words);
    } else if (KernelMessage.isStatusMsg(message)) {
      if (message.content.execution_state === "starting") lose();
    } else {
      models.takeOutput(parentOf(message), message.header.msg_type, message.content as Readonly<Record<string, unknown>>);
      timer ??= setTimeout(() => {
        timer = undefined;
        models.news().forEach(tell);
      }, NEWS_MS);
    }
  });
  connection.disposed.connect(lose);
  return {
    async info() {
      const reply = await connection.requestCommInfo({ target_name: "jupyter.widget" });
      return reply.content.status === "ok" ? (reply.content.comms as CommInfo) : {};
    },
    known: (model) => models.known(model),
    async send(words) {
      const message = messageOf(connection, words);
      if (message) await connection.sendShellMessage(message, false, true).done;
    },
    listen(heard, gone) {
      const listener = { heard, gone };
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
  };
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
