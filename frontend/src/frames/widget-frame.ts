/** Runs inside the sandboxed frame of a Jupyter widget: a widget manager whose comms lead through the page. */
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import variables from "@jupyter-widgets/controls/css/labvariables.css";
import lumino from "@jupyter-widgets/controls/css/lumino.css";
import colours from "@jupyter-widgets/controls/css/materialcolors.css";
import slider from "@jupyter-widgets/controls/css/nouislider.css";
import rules from "@jupyter-widgets/controls/css/widgets-base.css";
import { MessageLoop } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { tellHeight } from "./height.js";
import * as output from "./output-widget.js";
import { FrameComms, messageOf } from "./widget-comms.js";
import { lookOf } from "./widget-look.js";
import type { CommWords, FromWidget, ToWidget } from "./widget-words.js";

const MODULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "@jupyter-widgets/base": base as unknown as Record<string, unknown>,
  "@jupyter-widgets/controls": controls as unknown as Record<string, unknown>,
  "@jupyter-widgets/output": output,
};

const nonce = document.currentScript?.dataset.nonce ?? "";
const say = (words: FromWidget): void => { parent.postMessage({ madang: nonce, ...words }, "*"); };
const comms = new FrameComms(say);

class NotHere extends Error {}

class Manager extends ManagerBase {
  /** All widgets of the kernel's: of those in `known` it need not be asked, and it may be busy for long. */
  async load(known: readonly CommWords[] | null): Promise<void> {
    if (known) for (const words of known) this.open(words);
    else await this._loadFromKernel();
  }

  /** A widget that the kernel has made. Whoever asks for it hears what went wrong. */
  open(words: CommWords): void {
    const message = messageOf(words) as Parameters<ManagerBase["handle_comm_open"]>[1];
    void this.handle_comm_open(comms.join(words.target, words.comm), message).catch(() => undefined);
  }

  protected override loadClass(name: string, module: string): Promise<typeof base.WidgetModel | typeof base.WidgetView> {
    const found = Object.hasOwn(MODULES, module) ? MODULES[module]?.[name] : undefined;
    return found ? Promise.resolve(found as typeof base.WidgetModel) : Promise.reject(new NotHere(module));
  }

  protected override _create_comm(target: string, id = base.uuid(), data?: object, metadata?: object, buffers?: ArrayBuffer[] | ArrayBufferView[]): Promise<base.IClassicComm> {
    const comm = comms.join(target, id);
    if (data || metadata) comm.open(data ?? {}, undefined, metadata, buffers);
    return Promise.resolve(comm);
  }

  protected override _get_comm_info(): Promise<object> {
    return comms.info();
  }
}

const manager = new Manager();
let shown = "";

/** Widgets made after this frame: those that it shows may come to hold them. */
function hear(words: CommWords): void {
  if (!comms.hear(words) && words.kind === "comm_open" && words.target === "jupyter.widget") manager.open(words);
}

async function show({ model: id, dark, tokens, known }: NonNullable<ToWidget["show"]>): Promise<void> {
  look.textContent = [colours, variables, lumino, slider, rules, lookOf(tokens)].join("\n");
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  document.documentElement.classList.toggle("dark", dark);
  if (shown === id) return;
  shown = id;
  await manager.load(known);
  if (!manager.has_model(id)) {
    say({ problem: "gone" });
    return;
  }
  const model = (await manager.get_model(id)) as base.DOMWidgetModel;
  const failure = model.get("error") as unknown; // a model of what went wrong is made where none could be
  if (failure instanceof Error) throw failure;
  const view = await manager.create_view(model);
  MessageLoop.sendMessage(view.luminoWidget, Widget.Msg.BeforeAttach);
  document.body.append(view.el as HTMLElement);
  MessageLoop.sendMessage(view.luminoWidget, Widget.Msg.AfterAttach);
}

const look = document.createElement("style");
document.head.append(look);
addEventListener("message", (event: MessageEvent<(ToWidget & { madang?: unknown }) | null>) => {
  if (event.source !== parent || event.data?.madang !== nonce) return;
  const { show: order, heard, done, info } = event.data;
  if (order) show(order).catch((error: unknown) => { say({ problem: error instanceof NotHere ? "class" : "draw", detail: error instanceof Error ? error.message : String(error) }); });
  if (heard) hear(heard);
  if (done !== undefined) comms.done(done);
  if (info) comms.answerInfo(info);
});
tellHeight(nonce);
say({ ready: true });
