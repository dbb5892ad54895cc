/** What the page and the frame of a widget say to each other. */

/** The type of an output that is a widget. */
export const WIDGET = "application/vnd.jupyter.widget-view+json";

/** A message of a comm, to the kernel or from it (https://jupyter-client.readthedocs.io, "Custom Messages"). */
export interface CommWords {
  kind: "comm_open" | "comm_msg" | "comm_close";
  comm: string;
  /** The message's own id where it goes to the kernel; where it comes from there, that of what it answers. */
  id: string;
  /** The comm's target, where it opens. */
  target: string;
  data: unknown;
  metadata: unknown;
  buffers: readonly ArrayBuffer[];
}

/** The comms that the kernel has, by their ids. */
export type CommInfo = Readonly<Record<string, { target_name: string }>>;

/** The comms of one kernel. */
export interface Comms {
  info: () => Promise<CommInfo>;
  /** Resolves when `known` says all that can be known of `model` without the kernel, which may be busy for long. */
  whenKnown: (model: string) => Promise<void>;
  /** All widgets that have been heard of, as if they opened now; null where that is not enough to show `model`. */
  known: (model: string) => readonly CommWords[] | null;
  /** Resolves when the kernel has dealt with the message. */
  send: (words: CommWords) => Promise<unknown>;
  /** Hear what the kernel says, until what is returned is called. `gone`: it knows none of its comms any more. */
  listen: (heard: (words: CommWords) => void, gone: () => void) => () => void;
}

/** Design tokens of the page, by name. */
export type Tokens = Readonly<Record<string, string>>;

/** From the page. */
export interface ToWidget {
  show?: { model: string; dark: boolean; tokens: Tokens; known: readonly CommWords[] | null };
  heard?: CommWords;
  /** The message of this id has been dealt with. */
  done?: string;
  info?: CommInfo;
}

/** From the frame. `problem`: `gone` where the kernel has no such widget, `class` where its code is not here. */
export interface FromWidget {
  ready?: true;
  send?: CommWords;
  asksInfo?: true;
  problem?: "gone" | "class" | "draw";
  detail?: string;
}

/** A message's buffer by itself, as it can go from window to window. */
export function bytesOf(buffer: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (buffer instanceof ArrayBuffer) return buffer;
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer;
}
