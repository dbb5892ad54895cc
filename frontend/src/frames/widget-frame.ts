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
import type { FromWidget, ToWidget } from "./widget-words.js";

const MODULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "@jupyter-widgets/base": base as unknown as Record<string, unknown>,
  "@jupyter-widgets/controls": controls as unknown as Record<string, unknown>,
  "@jupyter-widgets/output": output,
};

const nonce = document.currentScript?.dataset.nonce ?? "";
const say = (words: FromWidget): void => { parent.postMessage({ madang: nonce, ...words }, "*"); };
const comms = new FrameComms(say);

class Manager extends ManagerBase {
  load(): Promise<void> {
    return this._loadFromKernel();
  }

  protected override loadClass(name: string, module: string): Promise<typeof base.WidgetModel | typeof base.WidgetView> {
    const found = Object.hasOwn(MODULES, module) ? MODULES[module]?.[name] : undefined;
    if (found) return Promise.resolve(found as typeof base.WidgetModel);
    say({ problem: "class", detail: module });
    return Promise.reject(new Error(`${module} is not here`));
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
function hear(words: NonNullable<ToWidget["heard"]>): void {
  if (comms.hear(words) || words.kind !== "comm_open" || words.target !== "jupyter.widget") return;
  const message = messageOf(words) as Parameters<ManagerBase["handle_comm_open"]>[1];
  void manager.handle_comm_open(comms.join(words.target, words.comm), message).catch(() => undefined); // loadClass has told
}

async function show({ model: id, dark, tokens }: NonNullable<ToWidget["show"]>): Promise<void> {
  look.textContent = [colours, variables, lumino, slider, rules, lookOf(tokens)].join("\n");
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  document.documentElement.classList.toggle("dark", dark);
  if (shown === id) return;
  shown = id;
  await manager.load();
  if (!manager.has_model(id)) {
    say({ problem: "gone" });
    return;
  }
  const view = await manager.create_view((await manager.get_model(id)) as base.DOMWidgetModel);
  MessageLoop.sendMessage(view.luminoWidget, Widget.Msg.BeforeAttach);
  document.body.append(view.el as HTMLElement);
  MessageLoop.sendMessage(view.luminoWidget, Widget.Msg.AfterAttach);
}

const look = document.createElement("style");
document.head.append(look);
addEventListener("message", (event: MessageEvent<(ToWidget & { madang?: unknown }) | null>) => {
  if (event.source !== parent || event.data?.madang !== nonce) return;
  const { show: order, heard, done, info } = event.data;
  if (order) show(order).catch((error: unknown) => { say({ problem: "draw", detail: error instanceof Error ? error.message : String(error) }); });
  if (heard) hear(heard);
  if (done !== undefined) comms.done(done);
  if (info) comms.answerInfo(info);
});
tellHeight(nonce);
say({ ready: true });
