import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommWords } from "../src/frames/widget-words.js";
import { WidgetModels, widgetsIn } from "../src/widget-models.js";

function words(kind: CommWords["kind"], comm: string, data: unknown, buffers: ArrayBuffer[] = []): CommWords {
  return { kind, comm, id: "", target: kind === "comm_open" ? "jupyter.widget" : "", data, metadata: { version: "2.1.0" }, buffers };
}
const open = (comm: string, state: object): CommWords => words("comm_open", comm, { state, buffer_paths: [] });
const update = (comm: string, state: object): CommWords => words("comm_msg", comm, { method: "update", state, buffer_paths: [] });
const output = (comm: string, parent: string): CommWords => open(comm, { _model_module: "@jupyter-widgets/output", msg_id: parent, outputs: [] });
const outputsOf = (told: readonly CommWords[]): unknown => told.map(({ comm, data }) => [comm, (data as { state: { outputs: unknown } }).state.outputs]);

test("a model is known with all that it refers to, as it is by now", () => {
  const models = new WidgetModels();
  models.take(open("look", { width: "3em" }));
  models.take(open("box", { layout: "IPY_MODEL_look", children: [] }));
  assert.equal(models.known("other"), null);
  models.take(update("box", { children: ["IPY_MODEL_late"] }));
  assert.equal(models.known("box"), null);
  models.take(open("late", { value: 1 }));
  models.take(update("late", { value: 2 }));
  const known = models.known("box");
  assert.deepEqual(known?.map(({ comm, kind, metadata }) => [comm, kind, metadata]), ["look", "box", "late"].map((id) => [id, "comm_open", { version: "2.1.0" }]));
  assert.deepEqual(known?.map(({ data }) => (data as { state: unknown }).state), [{ width: "3em" }, { layout: "IPY_MODEL_look", children: ["IPY_MODEL_late"] }, { value: 2 }]);
  models.take(words("comm_close", "late", {}));
  assert.equal(models.known("box"), null);
  models.clear();
  assert.equal(models.known("look"), null);
});

test("comms that are no widgets are none of ours", () => {
  const models = new WidgetModels();
  models.take({ ...open("control", {}), target: "jupyter.widget.control" });
  models.take(update("unheard", { value: 1 }));
  models.take(words("comm_msg", "unheard", null));
  assert.equal(models.known("control"), null);
});

test("a buffer belongs to its place until that is told anew", () => {
  const models = new WidgetModels(), [first, second, third] = [1, 2, 3].map((size) => new ArrayBuffer(size));
  assert(first && second && third);
  models.take(words("comm_open", "image", { state: { value: null, deep: { at: null } }, buffer_paths: [["value"], ["deep", "at"]] }, [first, second]));
  models.take(words("comm_msg", "image", { method: "update", state: { value: null }, buffer_paths: [["value"]] }, [third]));
  const [known] = models.known("image") ?? [];
  assert.deepEqual((known?.data as { buffer_paths: unknown }).buffer_paths, [["deep", "at"], ["value"]]);
  assert.deepEqual(known?.buffers, [second, third]);
});

test("a buffer that takes its key's place alone replaces the one before", () => {
  const models = new WidgetModels();
  models.take(words("comm_open", "video", { state: {}, buffer_paths: [["value"]] }, [new ArrayBuffer(1)])); // as ipywidgets writes it
  models.take(words("comm_msg", "video", { method: "update", state: {}, buffer_paths: [["value"]] }, [new ArrayBuffer(2)]));
  assert.deepEqual(models.known("video")?.map(({ buffers }) => buffers.map(({ byteLength }) => byteLength)), [[2]]);
});

test("what the runner knows of widgets is known, and frames hear of it", () => {
  const [first, second, third] = [1, 2, 3].map((size) => new ArrayBuffer(size));
  assert(first && second && third);
  const comm = (state: object): object => ({ target_name: "jupyter.widget", metadata: { version: "2.1.0" }, state });
  const content = { status: "ok", comms: { a: comm({ value: 1 }), 7: comm({ deep: [null] }), stock: { target_name: "jupyter.widget" } }, buffer_paths: [["a", "x"], ["7", "deep", 0], ["a", "y"]] };
  const told = widgetsIn(content, [first, second, third]);
  assert.deepEqual(Object.fromEntries(told.map(({ comm: id, data, buffers }) => [id, [data, buffers]])), {
    a: [{ state: { value: 1 }, buffer_paths: [["x"], ["y"]] }, [first, third]],
    7: [{ state: { deep: [null] }, buffer_paths: [["deep", 0]] }, [second]],
  });
  const models = new WidgetModels();
  models.take(open("a", { value: 0 }));
  models.take(open("mine", {}));
  const heard = told.map((each) => models.restore(each));
  assert.deepEqual(Object.fromEntries(heard.map(({ comm: id, kind }) => [id, kind])), { a: "comm_msg", 7: "comm_open" });
  assert.equal((heard.find(({ comm: id }) => id === "a")?.data as { method?: string }).method, "update");
  const values = models.known("a")?.map(({ comm: id, data }) => [id, (data as { state: { value?: number } }).state.value]);
  assert.deepEqual(values, [["a", 1], ["mine", undefined], ["7", undefined]]);
  assert.deepEqual(widgetsIn({ status: "error" }, []), []);
});

test("the oldest are forgotten where there are too many, or too much in them", () => {
  const models = new WidgetModels();
  for (let at = 0; at < 1001; at += 1) models.take(open(String(at), {}));
  assert.equal(models.known("0"), null);
  assert.equal(models.known("1000")?.length, 1000);
  models.take(words("comm_open", "large", { state: {}, buffer_paths: [["value"]] }, [new ArrayBuffer(9 << 20)]));
  assert.equal(models.known("large"), null);
});

test("an output goes to the widget that takes it, and frames are told once", () => {
  const models = new WidgetModels();
  models.take(output("out", "run-1"));
  models.takeOutput("run-2", "stream", { name: "stdout", text: "not its" });
  models.takeOutput("", "stream", { name: "stdout", text: "nobody's" });
  assert.deepEqual(models.news(), []);
  models.takeOutput("run-1", "stream", { name: "stdout", text: "a" });
  models.takeOutput("run-1", "status", { execution_state: "busy" });
  models.takeOutput("run-1", "stream", { name: "stdout", text: "b" });
  models.takeOutput("run-1", "stream", { name: "stderr", text: "c" });
  const both = [{ output_type: "stream", name: "stdout", text: "ab" }, { output_type: "stream", name: "stderr", text: "c" }];
  assert.deepEqual(outputsOf(models.news()), [["out", both]]);
  assert.deepEqual(models.news(), []);
  models.takeOutput("run-1", "clear_output", { wait: true });
  assert.deepEqual(models.news(), []);
  models.takeOutput("run-1", "display_data", { data: { "text/plain": "d" }, metadata: {} });
  const shown = [{ output_type: "display_data", data: { "text/plain": "d" }, metadata: {} }];
  assert.deepEqual(outputsOf(models.known("out") ?? []), [["out", shown]]);
  models.takeOutput("run-1", "clear_output", {});
  assert.deepEqual(outputsOf(models.news()), [["out", []]]);
});

test("what the kernel says of outputs stands, and the inner of two takers takes", () => {
  const models = new WidgetModels();
  models.take(output("outer", "run"));
  models.take(output("inner", "run"));
  models.takeOutput("run", "stream", { name: "stdout", text: "a" });
  assert.deepEqual(outputsOf(models.news()), [["inner", [{ output_type: "stream", name: "stdout", text: "a" }]]]);
  models.takeOutput("run", "stream", { name: "stdout", text: "b" });
  models.take(update("inner", { outputs: [], msg_id: "" }));
  assert.deepEqual(models.news(), []);
  models.takeOutput("run", "stream", { name: "stdout", text: "c" });
  models.take(update("outer", { msg_id: "" })); // which takes nothing back
  assert.deepEqual(outputsOf(models.news()), [["outer", [{ output_type: "stream", name: "stdout", text: "c" }]]]);
});

test("a widget takes so much and no more", () => {
  const models = new WidgetModels();
  models.take(output("out", "run"));
  for (let at = 0; at < 200; at += 1) models.takeOutput("run", "display_data", { data: { at } });
  for (const [, outputs] of outputsOf(models.news()) as [string, unknown[]][]) assert.equal(outputs.length, 100);
});
