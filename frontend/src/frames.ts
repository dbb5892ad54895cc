/** The binary frames of our WebSockets (docs/developers/architecture.md): encoding and decoding, nothing else. */

/** The peer sent something that is not a frame. */
export class FrameError extends Error {}

/** A kernel frame of `madang.kernel.v1`: a sequence number and a message in Jupyter's v1 layout. An empty message says
 * that what came before this number is lost. */
export function splitKernelFrame(data: ArrayBuffer): { seq: number; body: ArrayBuffer } {
  if (data.byteLength < 8) throw new FrameError("kernel frame without a sequence number");
  return { seq: readU64(new DataView(data), 0), body: data.slice(8) };
}

/** Say on a kernel's socket that all records below `next` are taken. */
export function encodeTaken(next: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(8);
  new DataView(frame.buffer).setBigUint64(0, BigInt(next));
  return frame;
}

export type TerminalFrame =
  | { kind: "output"; seq: number; bytes: Uint8Array }
  | { kind: "ended"; reason: string }
  | { kind: "cut"; oldest: number }
  | { kind: "attached"; next: number }
  | { kind: "size"; rows: number; cols: number };

/** Read a frame that the server sent on a terminal's socket.
 * @throws FrameError it is none. */
export function decodeTerminalFrame(data: ArrayBuffer): TerminalFrame {
  const view = new DataView(data);
  if (data.byteLength < 1) throw new FrameError("empty terminal frame");
  switch (view.getUint8(0)) {
    case 0:
      needs(data, 9);
      return { kind: "output", seq: readU64(view, 1), bytes: new Uint8Array(data, 9) };
    case 1:
      return { kind: "ended", reason: new TextDecoder().decode(new Uint8Array(data, 1)) };
    case 2:
      needs(data, 9);
      return { kind: "cut", oldest: readU64(view, 1) };
    case 3:
      needs(data, 9);
      return { kind: "attached", next: readU64(view, 1) };
    case 4:
      needs(data, 5);
      return { kind: "size", rows: view.getUint16(1), cols: view.getUint16(3) };
    default:
      throw new FrameError(`unknown terminal opcode ${String(view.getUint8(0))}`);
  }
}

export function encodeInput(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(1 + bytes.byteLength);
  frame.set(bytes, 1);
  return frame;
}

/** Wish for a size; 0 by 0 from a terminal out of sight. */
export function encodeResize(rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(5);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 1);
  view.setUint16(1, Math.min(rows, 0xffff));
  view.setUint16(3, Math.min(columns, 0xffff));
  return frame;
}

/** Say that all records below `next` are drawn. */
export function encodeAcknowledge(next: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(9);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 2);
  view.setBigUint64(1, BigInt(next));
  return frame;
}

function needs(data: ArrayBuffer, size: number): void {
  if (data.byteLength < size) throw new FrameError("terminal frame is too short");
}

function readU64(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FrameError("sequence number out of range");
  return Number(value);
}
