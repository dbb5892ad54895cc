import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeTerminalFrame, encodeAcknowledge, encodeInput, encodeResize, encodeTaken, FrameError, splitKernelFrame,
} from "../src/frames.js";
import { backoff } from "../src/link.js";

const buffer = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;

test("a kernel frame is a big-endian number and the message", () => {
  const { seq, body } = splitKernelFrame(buffer(0, 0, 0, 0, 0, 0, 1, 2, 7, 8));
  assert.equal(seq, 258);
  assert.deepEqual([...new Uint8Array(body)], [7, 8]);
  assert.throws(() => splitKernelFrame(buffer(1, 2)), FrameError);
  assert.throws(() => splitKernelFrame(buffer(255, 0, 0, 0, 0, 0, 0, 0)), FrameError);
});

test("terminal frames from the server", () => {
  const output = decodeTerminalFrame(buffer(0, 0, 0, 0, 0, 0, 0, 0, 5, 65, 66));
  assert.ok(output.kind === "output");
  assert.equal(output.seq, 5);
  assert.deepEqual([...output.bytes], [65, 66]);
  assert.deepEqual(decodeTerminalFrame(buffer(1, 104, 105)), { kind: "ended", reason: "hi" });
  assert.deepEqual(decodeTerminalFrame(buffer(2, 0, 0, 0, 0, 0, 0, 0, 9)), { kind: "cut", oldest: 9 });
  assert.deepEqual(decodeTerminalFrame(buffer(3, 0, 0, 0, 0, 0, 0, 0, 9)), { kind: "attached", next: 9 });
  assert.deepEqual(decodeTerminalFrame(buffer(4, 0, 24, 1, 44)), { kind: "size", rows: 24, cols: 300 });
  for (const bad of [buffer(), buffer(0, 1), buffer(2), buffer(3, 1), buffer(99)]) {
    assert.throws(() => decodeTerminalFrame(bad), FrameError);
  }
});

test("terminal frames to the server", () => {
  assert.deepEqual([...encodeInput(new Uint8Array([3]))], [0, 3]);
  assert.deepEqual([...encodeResize(24, 300)], [1, 0, 24, 1, 44]);
  assert.deepEqual([...encodeResize(0, 1e9)], [1, 0, 0, 255, 255]);
  assert.deepEqual([...encodeAcknowledge(258)], [2, 0, 0, 0, 0, 0, 0, 1, 2]);
});

test("delays grow, stay short, and differ between clients", () => {
  assert.ok(backoff(1, 0.5) <= 300);
  assert.ok(backoff(2, 0.5) > backoff(1, 0.5));
  assert.ok(backoff(40, 0.999) <= 6250);
  assert.notEqual(backoff(3, 0.1), backoff(3, 0.9));
});

test("what was taken is said as a number", () => {
  assert.deepEqual([...encodeTaken(258)], [0, 0, 0, 0, 0, 0, 1, 2]);
});

test("a cut is a number without a message", () => {
  const { seq, body } = splitKernelFrame(encodeTaken(7).buffer);
  assert.equal(seq, 7);
  assert.equal(body.byteLength, 0);
});
