/** What a kernel's log says happened, as cells. The log is the truth: a reloaded page, a second tab and another
 * device replay the same messages and come to the same cells. Pure: no DOM, no clock, no network. */
import { append, EMPTY, type StreamText } from "./text.js";

/** The parts of a Jupyter message that matter here. */
export interface Message {
  readonly channel?: string;
  readonly header: { readonly msg_id: string; readonly msg_type: string; readonly date?: string };
  readonly parent_header: { readonly msg_id?: string; readonly msg_type?: string };
  readonly content: Readonly<Record<string, unknown>>;
}

export type MimeBundle = Readonly<Record<string, unknown>>;

export type Output =
  | { readonly kind: "stream"; readonly name: "stdout" | "stderr"; readonly text: StreamText }
  | {
      readonly kind: "display";
      readonly data: MimeBundle;
      readonly metadata: MimeBundle;
      readonly displayId: string | null;
      readonly result: boolean;
    }
  | { readonly kind: "error"; readonly name: string; readonly value: string; readonly traceback: readonly string[] }
  | {
      readonly kind: "input";
      readonly prompt: string;
      readonly password: boolean;
      /** Header of the request, which the answer must carry as its parent. */
      readonly request: Message["header"];
      readonly open: boolean;
      /** What was answered here; null when it was elsewhere, is not yet, or must not be shown. */
      readonly answer: string | null;
    };

export type CellState = "queued" | "running" | "done" | "failed" | "aborted" | "lost";

export interface Cell {
  readonly kind: "cell";
  /** The id of the message that asked for it. */
  readonly id: string;
  /** null where the log no longer has the code. */
  readonly code: string | null;
  readonly count: number | null;
  readonly state: CellState;
  /** Milliseconds since 1970 by the kernel's clock. */
  readonly started: number | null;
  readonly ended: number | null;
  readonly outputs: readonly Output[];
  /** A `clear_output(wait=True)` waits for the next output. */
  readonly clearNext: boolean;
  /** Outputs that were there and are no longer kept: the oldest, where there were more than OUTPUTS. */
  readonly cut: number;
}

/** Outputs of one cell that a page keeps and shows. Each may be a frame of its own. */
export const OUTPUTS = 200;

export interface Divider {
  readonly kind: "divider";
  readonly id: string;
  readonly what: "restarted" | "cut";
}

export type KernelState = "unknown" | "starting" | "idle" | "busy" | "restarting" | "dead";

export interface Transcript {
  readonly entries: readonly (Cell | Divider)[];
  readonly kernel: KernelState;
}

export const EMPTY_TRANSCRIPT: Transcript = { entries: [], kernel: "unknown" };

export type Action =
  | { type: "message"; message: Message }
  /** We asked for an execution and have not heard of it yet. */
  | { type: "sent"; id: string; code: string }
  | { type: "answered"; request: string; value: string }
  /** The kernel is idle and knows nothing of this cell. */
  | { type: "lost"; id: string }
  | { type: "forget"; id: string }
  | { type: "cut"; id: string }
  /** The stream is over for good: the session ended. `at`: when, by this page's clock. */
  | { type: "ended"; at: number };

/** The next transcript. Entries that did not change keep their identity. */
export function reduce(transcript: Transcript, action: Action): Transcript {
  switch (action.type) {
    case "message":
      return onMessage(transcript, action.message);
    case "sent":
      return { ...transcript, entries: [...transcript.entries, newCell(action.id, action.code, "queued")] };
    case "answered":
      return mapOutputs(transcript, (output) =>
        output.kind === "input" && output.request.msg_id === action.request
          ? { ...output, open: false, answer: output.password ? null : action.value }
          : output,
      );
    case "lost":
      return change(transcript, action.id, (cell) => (cell.state === "queued" ? { ...cell, state: "lost" } : cell));
    case "forget":
      return { ...transcript, entries: transcript.entries.filter((entry) => entry.id !== action.id) };
    case "cut":
      return { ...transcript, entries: [...transcript.entries, { kind: "divider", id: action.id, what: "cut" }] };
    case "ended":
      return { entries: withoutLastRestart(aborted(transcript, action.at)), kernel: "dead" };
  }
}

function onMessage(transcript: Transcript, message: Message): Transcript {
  const parent = message.parent_header.msg_id ?? "";
  switch (message.header.msg_type) {
    case "status":
      return onStatus(transcript, message, parent);
    case "execute_input":
      return onExecuteInput(transcript, message, parent);
    case "stream":
      return addStream(transcript, message, parent);
    case "display_data":
    case "execute_result":
      return addOutput(transcript, message, parent, displayOf(message));
    case "update_display_data":
      return updateDisplay(transcript, message);
    case "error":
      return addOutput(transcript, message, parent, errorOf(message));
    case "clear_output":
      return change(transcript, parent, (cell) =>
        message.content.wait === true ? { ...cell, clearNext: true } : { ...cell, outputs: [], clearNext: false, cut: 0 },
      );
    case "input_request":
      return addOutput(transcript, message, parent, inputOf(message));
    case "execute_reply":
      if (message.content.status !== "aborted") return transcript;
      return change(transcript, parent, (cell) => ({ ...cell, state: "aborted" }));
    default:
      return transcript;
  }
}

function onStatus(transcript: Transcript, message: Message, parent: string): Transcript {
  const state = message.content.execution_state;
  if (state === "restarting" || state === "autorestarting" || state === "dead") return onRestart(transcript, message);
  if (state === "starting") return { ...transcript, kernel: "starting" };
  const runs = message.parent_header.msg_type === "execute_request";
  if (state === "busy") return runs || transcript.kernel !== "idle" ? { ...transcript, kernel: "busy" } : transcript;
  if (state !== "idle") return transcript;
  const ended = dateOf(message);
  return change({ ...transcript, kernel: "idle" }, parent, (cell) => closeCell(cell, ended));
}

function closeCell(cell: Cell, ended: number | null): Cell {
  if (cell.state === "queued" || cell.state === "lost") return { ...cell, state: "aborted" };
  if (cell.state !== "running") return cell;
  const failed = cell.outputs.some((output) => output.kind === "error");
  return { ...cell, state: failed ? "failed" : "done", ended, outputs: cell.outputs.map(closeInput) };
}

function onRestart(transcript: Transcript, message: Message): Transcript {
  const dead = message.content.execution_state === "dead";
  const entries = aborted(transcript, dateOf(message));
  const last = entries.at(-1);
  const kernel = dead ? "dead" : "restarting";
  if (dead || last === undefined || last.kind === "divider") return { entries, kernel };
  return { entries: [...entries, { kind: "divider", id: message.header.msg_id, what: "restarted" }], kernel };
}

/** A kernel that was taken down with its session looked as if it began anew. */
function withoutLastRestart(entries: (Cell | Divider)[]): (Cell | Divider)[] {
  const last = entries.at(-1);
  return last?.kind === "divider" && last.what === "restarted" ? entries.slice(0, -1) : entries;
}

/** The entries after what ran and what waited has come to nothing. */
function aborted(transcript: Transcript, at: number | null): (Cell | Divider)[] {
  return transcript.entries.map((entry) =>
    entry.kind === "cell" && (entry.state === "running" || entry.state === "queued")
      ? { ...entry, state: "aborted" as const, ended: at, outputs: entry.outputs.map(closeInput) }
      : entry,
  );
}

function onExecuteInput(transcript: Transcript, message: Message, parent: string): Transcript {
  const known = find(transcript, parent) ?? newCell(parent, "", "running");
  const cell: Cell = {
    ...known,
    code: String(message.content.code ?? ""),
    count: typeof message.content.execution_count === "number" ? message.content.execution_count : null,
    state: "running",
    started: dateOf(message),
  };
  // What another device runs comes before what still waits here.
  const others = transcript.entries.filter((entry) => entry.id !== parent);
  const waiting = others.findIndex((entry) => entry.kind === "cell" && entry.state === "queued");
  const at = waiting < 0 ? others.length : waiting;
  return { entries: [...others.slice(0, at), cell, ...others.slice(at)], kernel: "busy" };
}

function addStream(transcript: Transcript, message: Message, parent: string): Transcript {
  const name = message.content.name === "stderr" ? "stderr" : "stdout";
  const chunk = String(message.content.text ?? "");
  return withCell(transcript, parent, (cell) => {
    const outputs = settled(cell, message);
    const last = outputs.at(-1);
    if (last?.kind === "stream" && last.name === name) {
      return { ...cell, clearNext: false, outputs: [...outputs.slice(0, -1), { ...last, text: append(last.text, chunk) }] };
    }
    return withOutput(cell, outputs, { kind: "stream", name, text: append(EMPTY, chunk) });
  });
}

function addOutput(transcript: Transcript, message: Message, parent: string, output: Output): Transcript {
  const shown = output.kind === "display" && output.displayId ? updateDisplay(transcript, message) : transcript;
  return withCell(shown, parent, (cell) => withOutput(cell, settled(cell, message), output));
}

function withOutput(cell: Cell, outputs: readonly Output[], output: Output): Cell {
  const over = Math.max(0, outputs.length + 1 - OUTPUTS);
  return { ...cell, clearNext: false, outputs: [...outputs.slice(over), output], cut: (cell.clearNext ? 0 : cell.cut) + over };
}

/** The outputs that stay when another arrives: none after clear_output(wait=True); an open input is over, if the
 * message is younger than its question (what was printed before may be delivered after it). */
function settled(cell: Cell, message: Message): readonly Output[] {
  if (cell.clearNext) return [];
  if (!cell.outputs.some((output) => output.kind === "input" && output.open)) return cell.outputs;
  const at = message.header.date ?? "";
  return cell.outputs.map((output) =>
    output.kind === "input" && output.open && at > (output.request.date ?? "") ? closeInput(output) : output,
  );
}

function updateDisplay(transcript: Transcript, message: Message): Transcript {
  const fresh = displayOf(message);
  if (!fresh.displayId) return transcript;
  return mapOutputs(transcript, (output) =>
    output.kind === "display" && output.displayId === fresh.displayId
      ? { ...output, data: fresh.data, metadata: fresh.metadata }
      : output,
  );
}

function displayOf(message: Message): Output & { kind: "display" } {
  const { data, metadata, transient } = message.content as Record<string, MimeBundle | undefined>;
  const id = transient?.display_id;
  return {
    kind: "display",
    data: data ?? {},
    metadata: metadata ?? {},
    displayId: typeof id === "string" ? id : null,
    result: message.header.msg_type === "execute_result",
  };
}

function errorOf(message: Message): Output {
  const { ename, evalue, traceback } = message.content;
  return {
    kind: "error",
    name: String(ename ?? "Error"),
    value: String(evalue ?? ""),
    traceback: Array.isArray(traceback) ? traceback.map(String) : [],
  };
}

function inputOf(message: Message): Output {
  return {
    kind: "input",
    prompt: String(message.content.prompt ?? ""),
    password: message.content.password === true,
    request: message.header,
    open: true,
    answer: null,
  };
}

function closeInput(output: Output): Output {
  return output.kind === "input" && output.open ? { ...output, open: false } : output;
}

function newCell(id: string, code: string | null, state: CellState): Cell {
  return {
    kind: "cell", id, code, count: null, state, started: null, ended: null, outputs: [], clearNext: false, cut: 0,
  };
}

function find(transcript: Transcript, id: string): Cell | undefined {
  const entry = transcript.entries.findLast((candidate) => candidate.id === id);
  return entry?.kind === "cell" ? entry : undefined;
}

function change(transcript: Transcript, id: string, update: (cell: Cell) => Cell): Transcript {
  const at = transcript.entries.findLastIndex((entry) => entry.kind === "cell" && entry.id === id);
  const cell = transcript.entries[at];
  if (cell?.kind !== "cell") return transcript;
  return { ...transcript, entries: transcript.entries.with(at, update(cell)) };
}

/** As `change`, with a cell made for output whose beginning the log no longer has. */
function withCell(transcript: Transcript, id: string, update: (cell: Cell) => Cell): Transcript {
  if (find(transcript, id)) return change(transcript, id, update);
  return { ...transcript, entries: [...transcript.entries, update(newCell(id, null, "running"))] };
}

function mapOutputs(transcript: Transcript, update: (output: Output) => Output): Transcript {
  const entries = transcript.entries.map((entry) => {
    if (entry.kind !== "cell") return entry;
    const outputs = entry.outputs.map(update);
    return outputs.some((output, at) => output !== entry.outputs[at]) ? { ...entry, outputs } : entry;
  });
  return { ...transcript, entries };
}

function dateOf(message: Message): number | null {
  const time = Date.parse(message.header.date ?? "");
  return Number.isNaN(time) ? null : time;
}
