import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import { Signal } from "@lumino/signaling";
import type { CommWords } from "../src/frames/widget-words.js";
import { KernelComms } from "../src/kernel-comms.js";

type Message = KernelMessage.IMessage;

/** As much of a connection as comms ask for. */
class Line {
  connectionStatus = "connecting";
  status = "busy";
  clientId = "page";
  username = "";
  isDisposed = false;
  readonly disposed = new Signal<this, undefined>(this);
  readonly connectionStatusChanged = new Signal<this, string>(this);
  readonly sent: Message[] = [];

  sendControlMessage(message: Message): object {
    this.sent.push(message);
    return { done: Promise.resolve() };
  }

  open(): void {
    this.connectionStatus = "connected";
    this.connectionStatusChanged.emit("connected");
  }

  end(): void {
    this.isDisposed = true;
    this.disposed.emit(undefined);
  }
}

function start(): { line: Line; comms: KernelComms; heard: CommWords[] } {
  const line = new Line(), heard: CommWords[] = [];
  const comms = new KernelComms(line as unknown as Kernel.IKernelConnection);
  comms.listen((words) => { heard.push(words); }, () => undefined);
  return { line, comms, heard };
}

function message(channel: string, type: string, content: object): Message {
  return { channel, header: { msg_type: type }, parent_header: {}, metadata: {}, content, buffers: [] } as unknown as Message;
}

const reply = (comms: object): Message => message("control", "comm_info_reply", { status: "ok", comms, buffer_paths: [] });
const bar = { target_name: "jupyter.widget", metadata: { version: "2.1.0" }, state: { value: 50 } };

async function isSettled(promise: Promise<void>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => { setTimeout(() => { resolve(false); }, 1); });
  return Promise.race([promise.then(() => true), late]);
}

test("a page that came late asks once it is connected, and frames wait for the answer", async () => {
  const { line, comms, heard } = start();
  comms.catchUp();
  assert.equal(line.sent.length, 0);
  line.open();
  const [request] = line.sent;
  assert.equal(line.sent.length, 1);
  assert.equal(request?.channel, "control");
  assert.deepEqual(request.content, { target_name: "jupyter.widget", states: true });
  const known = comms.whenKnown("bar");
  assert.equal(await isSettled(known), false);
  assert.equal(comms.take(reply({ bar })), false);
  await known;
  assert.deepEqual(comms.known("bar")?.map(({ data }) => data), [{ state: { value: 50 }, buffer_paths: [] }]);
  assert.deepEqual(heard.map(({ kind, comm }) => [kind, comm]), [["comm_open", "bar"]]);
  comms.take(message("iopub", "comm_msg", { comm_id: "bar", data: { method: "update", state: { value: 60 }, buffer_paths: [] } }));
  assert.deepEqual(comms.known("bar")?.map(({ data }) => (data as { state: unknown }).state), [{ value: 60 }]);
});

test("who has missed something asks again, and frames hear what has changed", async () => {
  const { line, comms, heard } = start();
  line.open();
  comms.take(message("iopub", "comm_open", { comm_id: "bar", target_name: "jupyter.widget", data: { state: { value: 1 }, buffer_paths: [] } }));
  await comms.whenKnown("other");
  comms.catchUp();
  assert.equal(line.sent.length, 1);
  await comms.whenKnown("bar");
  comms.take(reply({ bar }));
  assert.deepEqual(heard.map(({ kind }) => kind), ["comm_open", "comm_msg"]);
  assert.deepEqual((heard[1]?.data as { state: unknown }).state, { value: 50 });
});

test("nobody waits for an answer that has no states, or that cannot come any more", async () => {
  const { line, comms } = start();
  comms.catchUp();
  line.open();
  const first = comms.whenKnown("bar");
  comms.take(reply({ bar: { target_name: "jupyter.widget" } }));
  await first;
  assert.equal(comms.known("bar"), null);
  comms.catchUp();
  const second = comms.whenKnown("bar");
  line.end();
  await second;
  assert.equal(comms.known("bar"), null);
});
