/** Inside the frame of a widget: the widget that shows outputs (`Output`, `interact`). What it shows is its state `outputs`,
 * which the notebook's server keeps as they come. */
import { DOMWidgetModel, DOMWidgetView, type WidgetModel } from "@jupyter-widgets/base";
import { renderText } from "@jupyterlab/rendermime/lib/renderers";
import DOMPurify from "dompurify";

interface Output {
  output_type?: string;
  name?: string;
  text?: unknown;
  data?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
  traceback?: unknown;
}

const PICTURES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"];
const sanitizer = { sanitize: (dirty: string): string => DOMPurify.sanitize(dirty), getAutolink: (): boolean => true };

export class OutputModel extends DOMWidgetModel {
  override defaults(): Record<string, unknown> {
    return {
      ...(super.defaults() as Record<string, unknown>),
      _model_name: "OutputModel", _view_name: "OutputView", _model_module: "@jupyter-widgets/output", _view_module: "@jupyter-widgets/output",
      _model_module_version: "1.0.0", _view_module_version: "1.0.0", msg_id: "", outputs: [],
    };
  }
}

export class OutputView extends DOMWidgetView {
  private drawn = Promise.resolve();

  override render(): void {
    super.render();
    this.listenTo(this.model, "change:outputs", () => { this.redraw(); });
    this.el.classList.add("madang-output");
    this.redraw();
  }

  private redraw(): void {
    this.drawn = this.drawn.then(() => this.draw()).catch(() => undefined); // what cannot be drawn is left out
  }

  private async draw(): Promise<void> {
    const outputs = this.model.get("outputs") as readonly Output[] | null;
    const parts = await Promise.all((outputs ?? []).map((output) => this.part(output)));
    this.el.replaceChildren(...parts);
  }

  private async part({ output_type: kind, name, text, data, ename, evalue, traceback }: Output): Promise<HTMLElement> {
    if (kind === "stream") return textPart(joined(text), name === "stderr" ? "stderr" : "");
    if (kind === "error") return textPart(joined(traceback, "\n") || `${ename ?? ""}: ${evalue ?? ""}`, "error");
    return this.bundlePart(data ?? {});
  }

  private async bundlePart(data: Record<string, unknown>): Promise<HTMLElement> {
    const widget = data["application/vnd.jupyter.widget-view+json"] as { model_id?: string } | undefined;
    if (widget?.model_id) {
      const manager = this.model.widget_manager;
      const view = await manager.create_view((await manager.get_model(widget.model_id)) as WidgetModel & DOMWidgetModel, { parent: this });
      return view.el as HTMLElement;
    }
    const made = document.createElement("div");
    const picture = PICTURES.find((type) => type in data);
    if ("text/html" in data) {
      made.innerHTML = joined(data["text/html"]); // scripts do not run here: the frame's policy knows one script only
    } else if (picture) {
      const image = document.createElement("img");
      const source = joined(data[picture]);
      image.alt = joined(data["text/plain"]).slice(0, 120);
      image.src = picture === "image/svg+xml" ? `data:image/svg+xml,${encodeURIComponent(source)}` : `data:${picture};base64,${source.replace(/\s/g, "")}`;
      made.append(image);
    } else return textPart(joined(data["text/plain"]), "");
    return made;
  }
}

async function textPart(source: string, kind: string): Promise<HTMLElement> {
  const made = document.createElement("div");
  made.className = kind;
  await renderText({ host: made, source, sanitizer });
  return made;
}

function joined(value: unknown, between = ""): string {
  return Array.isArray(value) ? value.join(between) : typeof value === "string" ? value : "";
}
