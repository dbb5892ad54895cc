/** A connection to a kernel with Jupyter's own client, over a socket that comes back. */
import { KernelConnection, type KernelMessage, ServerConnection } from "@jupyterlab/services";
import { csrfToken } from "./api.js";
import type { LinkState } from "./link.js";
import { resumableSocket } from "./resumable-socket.js";
import type { Message } from "./transcript.js";

export interface ConnectionHooks {
  onMessage?: (message: Message) => void;
  onLink: (state: LinkState, code?: number) => void;
  onCut?: (first: number) => void;
  /** Leave out what the kernel said before. */
  fromNow?: boolean;
}

export interface Completion {
  matches: string[];
  start: number;
  end: number;
}

export function connectKernel(id: string, name: string, hooks: ConnectionHooks): KernelConnection {
  const baseUrl = `${location.origin}/jupyter/`;
  const { serializer } = ServerConnection.makeSettings();
  const serverSettings = ServerConnection.makeSettings({
    baseUrl,
    wsUrl: baseUrl.replace(/^http/, "ws"),
    token: "",
    appendToken: false,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => {
      const asked = new Request(input, init);
      asked.headers.set("X-CSRFToken", csrfToken());
      return fetch(asked);
    },
    serializer: {
      serialize: serializer.serialize,
      deserialize: (data, protocol) => {
        const message = serializer.deserialize(data, protocol);
        hooks.onMessage?.(message as unknown as Message);
        return withoutRestart(message);
      },
    },
    WebSocket: resumableSocket(hooks),
  });
  return new KernelConnection({ model: { id, name }, serverSettings, handleComms: false });
}

/** What may stand at `cursor`; null where the kernel does not say. */
export async function complete(connection: KernelConnection | null, code: string, cursor: number): Promise<Completion | null> {
  const reply = await connection?.requestComplete({ code, cursor_pos: points(code, cursor) });
  if (reply?.content.status !== "ok") return null;
  const { matches, cursor_start, cursor_end } = reply.content;
  return { matches, start: units(code, cursor_start), end: units(code, cursor_end) };
}

/** What the kernel knows of the thing at `cursor`, with terminal colours. */
export async function inspect(connection: KernelConnection | null, code: string, cursor: number): Promise<string | null> {
  const reply = await connection?.requestInspect({ code, cursor_pos: points(code, cursor), detail_level: 0 });
  if (reply?.content.status !== "ok" || !reply.content.found) return null;
  const text = reply.content.data["text/plain"];
  return typeof text === "string" ? text : null;
}

/** The connection would connect anew at each restart that the log tells of, also of those long past. Ours survives
 * them, so it is told something that it only writes down. */
function withoutRestart(message: KernelMessage.IMessage): KernelMessage.IMessage {
  const state = (message.content as { execution_state?: string }).execution_state ?? "";
  if (message.header.msg_type !== "status" || !["restarting", "autorestarting"].includes(state)) return message;
  return { ...message, content: { execution_state: "starting" } } as KernelMessage.IMessage;
}

/** Jupyter counts code points, the browser UTF-16 units. */
function points(code: string, unit: number): number {
  return [...code.slice(0, unit)].length;
}

function units(code: string, point: number): number {
  return [...code].slice(0, point).join("").length;
}
