import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../src/text.js";
import { type Action, type Cell, EMPTY_TRANSCRIPT, type Message, OUTPUTS, reduce, type Transcript } from "../src/transcript.js";

let clock = 0;

function message(msg_type: string, content: Record<string, unknown>, parent = "a", parentType = "execute_request"): Message {
  clock += 1;
  const date = new Date(Date.UTC(2026, 0, 1) + clock * 1000).toISOString();
  return {
    header: { msg_id: `m${String(clock)}`, msg_type, date },
    parent_header: parent ? { msg_id: parent, msg_type: parentType } : {},
    content,
  };
}

const status = (state: string, parent = "a", type = "execute_request"): Message =>
  message("status", { execution_state: state }, parent, type);
const input = (code: string, count: number, parent = "a"): Message =>
  message("execute_input", { code, execution_count: count }, parent);
const out = (text: string, name = "stdout", parent = "a"): Message => message("stream", { name, text }, parent);

function play(steps: (Message | Action)[], from: Transcript = EMPTY_TRANSCRIPT): Transcript {
  return steps.reduce<Transcript>(
    (transcript, step) => reduce(transcript, "header" in step ? { type: "message", message: step } : step),
    from,
  );
}

function cell(transcript: Transcript, at = 0): Cell {
  const entry = transcript.entries[at];
  assert.ok(entry?.kind === "cell");
  return entry;
}

test("a run becomes a cell with its output, times and end", () => {
  const done = play([status("busy"), input("print(42)", 1), out("4"), out("2\n"), status("idle")]);
  const only = cell(done);
  assert.equal(done.entries.length, 1);
  assert.deepEqual([only.code, only.count, only.state], ["print(42)", 1, "done"]);
  assert.equal((only.ended ?? 0) - (only.started ?? 0), 3000);
  assert.equal(only.outputs.length, 1);
  assert.ok(only.outputs[0]?.kind === "stream" && textOf(only.outputs[0].text) === "42\n");
  assert.equal(done.kernel, "idle");
});

test("a replay on another page gives the same cells", () => {
  const log = [
    status("busy"), input("x", 1), out("1"), out("!", "stderr"), out("2"), status("idle"),
    status("busy", "b"), input("y", 2, "b"), message("error", { ename: "E", evalue: "v", traceback: ["t"] }, "b"), status("idle", "b"),
  ];
  const here = play([{ type: "sent", id: "a", code: "x" }, { type: "sent", id: "b", code: "y" }, ...log]);
  assert.deepEqual(play(log), here);
  assert.equal(cell(here).outputs.length, 3);
  assert.equal(cell(here, 1).state, "failed");
});

test("late output of a finished cell goes into that cell", () => {
  const played = play([input("t", 1), status("idle"), input("u", 2, "b"), out("late")]);
  assert.equal(cell(played).outputs.length, 1);
  assert.equal(cell(played, 1).outputs.length, 0);
});

test("what waits here stays below what runs elsewhere", () => {
  const played = play([{ type: "sent", id: "mine", code: "m" }, input("theirs", 1, "b")]);
  assert.deepEqual(played.entries.map((entry) => entry.id), ["b", "mine"]);
  assert.equal(cell(played, 1).state, "queued");
});

test("a queued cell after an error is aborted", () => {
  const sent: Action = { type: "sent", id: "a", code: "x" };
  assert.equal(cell(play([sent, message("execute_reply", { status: "aborted" })])).state, "aborted");
  assert.equal(cell(play([sent, status("busy"), status("idle")])).state, "aborted");
});

test("displays update in place, wherever they are", () => {
  const display = (type: string, text: string, parent: string): Message =>
    message(type, { data: { "text/plain": text }, metadata: {}, transient: { display_id: "d" } }, parent);
  const played = play([
    input("1", 1), display("display_data", "old", "a"), input("2", 2, "b"), display("update_display_data", "new", "b"),
  ]);
  const shown = cell(played).outputs[0];
  assert.ok(shown?.kind === "display");
  assert.equal(shown.data["text/plain"], "new");
  assert.equal(cell(played, 1).outputs.length, 0);
  const again = cell(play([display("display_data", "newer", "b")], played), 0).outputs[0];
  assert.ok(again?.kind === "display" && again.data["text/plain"] === "newer");
});

test("clear_output clears now, or when the next output comes", () => {
  const now = play([input("x", 1), out("1"), message("clear_output", { wait: false })]);
  assert.equal(cell(now).outputs.length, 0);
  const waits = play([input("x", 1), out("1"), message("clear_output", { wait: true })]);
  assert.equal(cell(waits).outputs.length, 1);
  const next = cell(play([out("2")], waits)).outputs;
  assert.ok(next.length === 1 && next[0]?.kind === "stream" && textOf(next[0].text) === "2");
});

test("input() is open until something younger happens", () => {
  const before = out("printed before\n");
  const request = message("input_request", { prompt: "name? ", password: false });
  const asked = play([input("input()", 1), request, before]);
  assert.ok(cell(asked).outputs.some((output) => output.kind === "input" && output.open));
  const after = cell(play([out("hello")], asked)).outputs.find((output) => output.kind === "input");
  assert.ok(after?.kind === "input" && !after.open && after.answer === null);
  const ended = cell(play([status("idle")], asked)).outputs.find((output) => output.kind === "input");
  assert.ok(ended?.kind === "input" && !ended.open);
});

test("an answer is shown, a password is not", () => {
  const ask = (password: boolean): Cell["outputs"][number] | undefined => {
    const request = message("input_request", { prompt: "?", password });
    return cell(play([input("x", 1), request, { type: "answered", request: request.header.msg_id, value: "v" }])).outputs[0];
  };
  const open = ask(false);
  assert.ok(open?.kind === "input" && open.answer === "v" && !open.open);
  const secret = ask(true);
  assert.ok(secret?.kind === "input" && secret.answer === null && !secret.open);
});

test("a restart ends what ran and draws a line once", () => {
  const played = play([input("loop", 1), status("restarting", "", ""), status("restarting", "", ""), status("starting", "", "")]);
  assert.equal(cell(played).state, "aborted");
  assert.deepEqual(played.entries.map((entry) => entry.kind), ["cell", "divider"]);
  assert.equal(played.kernel, "starting");
  assert.equal(play([status("dead", "", "")], played).kernel, "dead");
});

test("when the session ends, what ran has not run to its end", () => {
  const played = play([input("loop", 1), { type: "ended", at: 5 }]);
  assert.equal(cell(played).state, "aborted");
  assert.equal(played.kernel, "dead");
});

test("other requests do not make the kernel look busy", () => {
  const played = play([status("idle"), status("busy", "c", "complete_request")]);
  assert.equal(played.kernel, "idle");
  assert.equal(played.entries.length, 0);
});

test("output whose code the log has lost gets a cell without code", () => {
  const played = play([{ type: "cut", id: "cut" }, out("tail", "stdout", "gone"), status("idle", "gone")]);
  assert.equal(cell(played, 1).code, null);
  assert.equal(cell(played, 1).state, "done");
});

test("what the kernel never got can be told and forgotten", () => {
  const lost = play([{ type: "sent", id: "a", code: "x" }, { type: "lost", id: "a" }]);
  assert.equal(cell(lost).state, "lost");
  assert.equal(play([{ type: "forget", id: "a" }], lost).entries.length, 0);
});

test("entries that did not change keep their identity", () => {
  const first = play([input("1", 1), status("idle"), input("2", 2, "b")]);
  const second = play([out("x", "stdout", "b")], first);
  assert.equal(second.entries[0], first.entries[0]);
  assert.notEqual(second.entries[1], first.entries[1]);
});

test("of a thousand displays the latest are kept, and how many are not is known", () => {
  const displays = Array.from({ length: 1000 }, (_, n) => message("display_data", { data: { "text/plain": String(n) } }));
  const only = cell(play([status("busy"), input("x", 1), ...displays, status("idle")]));
  assert.equal(only.outputs.length, OUTPUTS);
  assert.equal(only.cut, 1000 - OUTPUTS);
  assert.ok(only.outputs.at(-1)?.kind === "display");
  const cleared = cell(play([status("busy"), input("x", 1), ...displays, message("clear_output", { wait: true }), out("new")]));
  assert.deepEqual([cleared.outputs.length, cleared.cut], [1, 0]);
});
