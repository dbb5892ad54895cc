/** What the browser asks a notebook's kernel itself: completion, explanations, variables. Cells are run by the server. */
import type { KernelConnection, KernelMessage } from "@jupyterlab/services";
import { request } from "../api.js";
import type { Comms } from "../frames/widget-words.js";
import type { Completion } from "../kernel-connection.js";
import type { WidgetSource } from "../output-widgets.js";
import { readVariables, type Variable, VARIABLES_EXPRESSION } from "./variables.js";

interface JupyterSession {
  path: string;
  kernel: { id: string; name: string };
}

/** A kernel that computes tells its variables later: after this long the page says so. */
const BUSY_AFTER_MS = 4000;

export class NotebookKernel implements WidgetSource {
  comms: Comms | null = null;
  private readonly watching = new Set<() => void>();
  private connection: KernelConnection | null = null;
  private id = "";

  /** `path` has the project's slug in front, as Jupyter's sessions name what is open. */
  constructor(private path: string) {}

  /** The notebook has another name now; its kernel stays. */
  moveTo(path: string): void {
    this.path = path;
  }

  /** Find the kernel that the notebook has by now, if any. Call it when the document says that there is another one. */
  async attach(): Promise<void> {
    const sessions = await request<JupyterSession[]>("/jupyter/api/sessions");
    const found = sessions.find(({ path }) => path === this.path)?.kernel;
    if (!found || found.id === this.id) return;
    const [{ connectKernel }, { KernelComms }] = await Promise.all([import("../kernel-connection.js"), import("../kernel-comms.js")]);
    this.dispose();
    this.id = found.id;
    const connection = connectKernel(found.id, found.name, {
      fromNow: true,
      onMessage: (message) => { comms.take(message as unknown as KernelMessage.IMessage); },
      onCut: () => { comms.catchUp(); },
      onLink: (state, code) => {
        if (state === "closed" && code !== 1000) this.dispose();
      },
    });
    this.connection = connection;
    const comms = new KernelComms(connection);
    comms.catchUp();
    this.setComms(comms);
  }

  onComms(changed: () => void): () => void {
    this.watching.add(changed);
    return () => { this.watching.delete(changed); };
  }

  private setComms(comms: Comms | null): void {
    this.comms = comms;
    for (const changed of this.watching) changed();
  }

  readonly complete = async (code: string, at: number): Promise<Completion | null> => {
    if (!this.connection) return null;
    const { complete } = await import("../kernel-connection.js");
    return complete(this.connection, code, at);
  };

  /** What the kernel knows of the thing at `at`, drawn. */
  readonly inspect = async (code: string, at: number): Promise<HTMLElement | null> => {
    if (!this.connection) return null;
    const [{ inspect }, { showText }] = await Promise.all([import("../kernel-connection.js"), import("../rendering.js")]);
    const text = await inspect(this.connection, code, at);
    if (text === null) return null;
    const host = document.createElement("div");
    host.className = "cm-inspect";
    host.setAttribute("role", "status");
    await showText(host, text);
    return host;
  };

  /** The variables of a Python kernel; null where there is none. It tells when it has time: `onBusy` is called before. */
  async variables(onBusy: () => void): Promise<Variable[] | null> {
    if (!this.connection) return null;
    const future = this.connection.requestExecute({
      code: "", silent: true, store_history: false, stop_on_error: false, user_expressions: { variables: VARIABLES_EXPRESSION },
    });
    const busy = setTimeout(onBusy, BUSY_AFTER_MS);
    const reply = await future.done.finally(() => { clearTimeout(busy); });
    if (reply?.content.status !== "ok") return null;
    const answer = reply.content.user_expressions.variables as { data?: Record<string, string> } | undefined;
    return readVariables(answer?.data?.["text/plain"] ?? "");
  }

  dispose(): void {
    this.connection?.dispose();
    this.connection = null;
    this.id = "";
    if (this.comms) this.setComms(null);
  }
}
