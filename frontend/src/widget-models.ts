/** What a kernel has said of its widgets. A kernel that computes answers nothing: from here a frame learns at once what there is
 * to show, and what an `Output` has taken so far. Pure.
 *
 * The protocol: https://ipywidgets.readthedocs.io, "Low Level Widget Explanation". */
import type { CommWords } from "./frames/widget-words.js";

/** Beyond these a frame asks the kernel. The outputs are bounded as the server bounds them. */
const MOST_MODELS = 1000, MOST_BYTES = 8 << 20, MOST_OUTPUTS = 100, MOST_TEXT = 256 * 1024;
const OUTPUT_MODULE = "@jupyter-widgets/output";
const OUTPUTS = ["stream", "display_data", "execute_result", "error"];

type State = Record<string, unknown>;
type Path = readonly (string | number)[];
type Output = Readonly<Record<string, unknown>>;

interface CommState {
  target_name: string;
  state?: State;
  metadata?: unknown;
}

interface Model {
  readonly open: CommWords;
  state: State;
  /** Where in the state the buffers belong. */
  paths: readonly Path[];
  buffers: readonly ArrayBuffer[];
  /** An `Output`: the next output is to take the place of all that it has. */
  clears: boolean;
}

export class WidgetModels {
  private readonly models = new Map<string, Model>();
  private readonly changed = new Set<string>();

  /** Hear a message of a comm, as frames do. */
  take(words: CommWords): void {
    const { state, paths } = stateIn(words.data);
    if (words.kind === "comm_open" && words.target === "jupyter.widget") {
      this.models.set(words.comm, { open: words, state, paths, buffers: words.buffers, clears: false });
      this.bound();
    } else if (words.kind === "comm_close") this.models.delete(words.comm);
    const model = this.models.get(words.comm);
    if (!model || words.kind !== "comm_msg" || !state) return;
    const told = new Set([...Object.keys(state), ...paths.map(([key]) => String(key))]); // a key comes with all its buffers
    const kept = model.paths.map((path, at) => ({ path, buffer: model.buffers[at] })).filter(({ path }) => !told.has(String(path[0])));
    model.paths = [...kept.map(({ path }) => path), ...paths];
    model.buffers = [...kept.map(({ buffer }) => buffer ?? new ArrayBuffer(0)), ...words.buffers];
    model.state = { ...model.state, ...state };
    if ("outputs" in state) this.changed.delete(words.comm);
  }

  /** Take what the runner knows of a widget in the place of what is known here; what frames are to hear of it. */
  restore(words: CommWords): CommWords {
    const here = this.models.has(words.comm);
    this.take(words);
    return here ? { ...words, kind: "comm_msg", data: { ...(words.data as object), method: "update" } } : words;
  }

  /** Hear an output of what the message `parent` asked for; whether a widget has taken it. */
  takeOutput(parent: string, kind: string, content: Output): boolean {
    if (!parent || !(OUTPUTS.includes(kind) || kind === "clear_output")) return false;
    const taker = [...this.models].reverse().find(([, { state }]) => state._model_module === OUTPUT_MODULE && state.msg_id === parent);
    if (!taker) return false;
    const [id, model] = taker;
    if (kind !== "clear_output") {
      const before = model.clears || !Array.isArray(model.state.outputs) ? [] : (model.state.outputs as Output[]);
      const after = withOutput(before, { output_type: kind, ...content });
      if (after) this.setOutputs(id, model, after);
    } else if (content.wait === true) model.clears = true;
    else this.setOutputs(id, model, []);
    return true;
  }

  /** What frames are to be told of outputs since the last time. */
  news(): CommWords[] {
    const told = [...this.changed].flatMap((id) => {
      const model = this.models.get(id);
      return model ? [{ ...model.open, kind: "comm_msg" as const, data: { method: "update", state: { outputs: model.state.outputs }, buffer_paths: [] }, buffers: [] }] : [];
    });
    this.changed.clear();
    return told;
  }

  /** All models as if they opened now, the oldest first; null where `id` or something that it refers to is not known. */
  known(id: string): CommWords[] | null {
    const seen = new Set<string>(), waiting = [id];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const model = this.models.get(next);
      if (!model) return null;
      waiting.push(...referencesIn(model.state));
    }
    return [...this.models.values()].map(({ open, state, paths, buffers }) => ({ ...open, data: { state, buffer_paths: paths }, buffers }));
  }

  clear(): void {
    this.models.clear();
    this.changed.clear();
  }

  private setOutputs(id: string, model: Model, outputs: readonly Output[]): void {
    model.state = { ...model.state, outputs };
    model.clears = false;
    this.changed.add(id);
  }

  private bound(): void {
    let bytes = 0;
    for (const { buffers } of this.models.values()) bytes += buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    for (const [id, { buffers }] of this.models) {
      if (this.models.size <= MOST_MODELS && bytes <= MOST_BYTES) return;
      bytes -= buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
      this.models.delete(id);
    }
  }
}

/** The widgets of a `comm_info_reply` with states, as if they opened now (sandbox/runner/widgets.py). */
export function widgetsIn(content: unknown, buffers: readonly ArrayBuffer[]): CommWords[] {
  const { comms, buffer_paths: places } = (content ?? {}) as { comms?: Record<string, CommState>; buffer_paths?: readonly Path[] };
  const belongs = new Map<unknown, { buffer: ArrayBuffer; place: Path }[]>();
  buffers.forEach((buffer, at) => {
    const [comm, ...place] = places?.[at] ?? [];
    belongs.set(comm, [...(belongs.get(comm) ?? []), { buffer, place }]);
  });
  return Object.entries(comms ?? {}).flatMap(([comm, { target_name: target, state, metadata }]) => {
    if (!state) return []; // a kernel's own answer has none
    const own = belongs.get(comm) ?? [];
    const data = { state, buffer_paths: own.map(({ place }) => place) };
    return [{ kind: "comm_open" as const, comm, id: "", target, data, metadata, buffers: own.map(({ buffer }) => buffer) }];
  });
}

function stateIn(data: unknown): { state: State; paths: readonly Path[] } {
  const { state, buffer_paths: paths } = (data ?? {}) as { state?: unknown; buffer_paths?: unknown };
  return { state: (state && typeof state === "object" ? state : {}) as State, paths: Array.isArray(paths) ? (paths as Path[]) : [] };
}

/** The ids of the models that a state refers to, however deep. */
function referencesIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("IPY_MODEL_") ? [value.slice("IPY_MODEL_".length)] : [];
  return value && typeof value === "object" ? Object.values(value).flatMap(referencesIn) : [];
}

/** `outputs` with another one, joined to what the last one began to print; null where no more are kept. */
function withOutput(outputs: readonly Output[], output: Output): Output[] | null {
  if (outputs.length >= MOST_OUTPUTS || JSON.stringify(outputs).length > MOST_TEXT) return null;
  const last = outputs.at(-1);
  if (last?.output_type !== "stream" || output.output_type !== "stream" || last.name !== output.name) return [...outputs, output];
  return [...outputs.slice(0, -1), { ...last, text: String(last.text) + String(output.text) }];
}
