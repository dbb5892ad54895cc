import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonKey, type Refusal, withRefusal } from "../src/refusals.js";

const refusal = (call: string, count: number, reason = "tracing"): Refusal => ({ call, reason, detail: "", count, at: "" });

test("a new total takes the place of the old one, in front", () => {
  const before = [refusal("mount", 1, "mounts"), refusal("ptrace", 1), refusal("ptrace", 1, "other")];
  const after = withRefusal(before, refusal("ptrace", 3));
  assert.deepEqual(after.map(({ call, reason, count }) => [call, reason, count]), [
    ["ptrace", "tracing", 3], ["mount", "mounts", 1], ["ptrace", "other", 1],
  ]);
});

test("known reasons have words, others and inherited names have not", () => {
  assert.equal(reasonKey("tracing"), "refused_tracing");
  assert.equal(reasonKey("unheard-of"), undefined);
  assert.equal(reasonKey("constructor"), undefined);
});
