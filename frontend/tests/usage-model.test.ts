import assert from "node:assert/strict";
import { test } from "node:test";
import { addSample, bytes, costRate, idleLeft, idleSoon, latest, type Point, type Session, sparkline, type Usage, WINDOW_MS } from "../src/usage-model.js";

const usage = (wall_ms: number, cpu_ms: number, bytes_written = 0): Usage => ({
  wall_ms, cpu_ms, bytes_written, memory_kib_s: 0, memory_kib: 1024, memory_peak_kib: 2048, processes: 3, bytes_read: 0, bytes_received: 0, bytes_sent: 0,
  gpu_ms: 0, gpu_memory_kib: 0, gpu_memory_peak_kib: 0,
});
const granted = (cpu: number, gpu = 0): { cpu: number; gpu: number } => ({ cpu, gpu });

test("rates are differences over the session's own clock", () => {
  const [point] = addSample([], usage(1000, 0), usage(2000, 500, 4096), granted(2));
  assert.equal(point?.cpu, 0.25);
  assert.equal(point.written, 4096);
  assert.equal(point.memory, 1024 * 1024);
});

test("a repeated or older sample adds nothing, and old points go", () => {
  const points = addSample([], null, usage(1000, 0), granted(1));
  assert.equal(addSample(points, usage(1000, 0), usage(1000, 9), granted(1)).length, 1);
  const later = addSample(points, usage(1000, 0), usage(1001 + WINDOW_MS, 9), granted(1));
  assert.equal(later.length, 1);
});

test("what is received and what is sent make one rate", () => {
  const moved = { ...usage(3000, 0), bytes_received: 3000, bytes_sent: 1000 };
  const [point] = addSample([], usage(1000, 0), moved, granted(1));
  assert.equal(point?.network, 2000);
});

test("a GPU in use is a part of what was granted", () => {
  const [point] = addSample([], usage(1000, 0), { ...usage(2000, 0), gpu_ms: 250 }, granted(1, 0.5));
  assert.equal(point?.gpu, 0.5);
});

test("the chart's newest point is at the right edge and never above the box", () => {
  const points: Point[] = [
    { at: 0, cpu: 0, memory: 0, processes: 0, written: 0, network: 0, gpu: 0, disk: 0, cost: 0 },
    { at: WINDOW_MS / 2, cpu: 9, memory: 0, processes: 0, written: 0, network: 0, gpu: 0, disk: 0, cost: 0 },
  ];
  assert.equal(sparkline(points, (point) => point.cpu, 1), "M50.0 25.0L100.0 1.0");
  assert.equal(sparkline(points.slice(1), (point) => point.cpu, 1), "");
});

test("what an hour costs is told once enough of it was seen", () => {
  const seen = (...samples: [number, number][]): Point[] =>
    samples.reduce<Point[]>((points, [at, cost]) => addSample(points, usage(at - 1, 0), usage(at, 0), granted(1), { cost }), []);
  assert.equal(costRate([]), null);
  assert.equal(costRate(seen([1000, 5], [2000, 9])), null);
  assert.equal(costRate(seen([1000, 5], [2000, 9], [11_000, 105])), 36_000);
});

test("bytes for people", () => {
  const shown = [0, 999, 1024, 1536, 212 * 1024 ** 2, 1024 ** 3, 2 * 1024 ** 3].map(bytes);
  assert.deepEqual(shown, ["0 B", "999 B", "1 KiB", "1.5 KiB", "212 MiB", "1 GiB", "2 GiB"]);
});

test("the idle end is counted down and said loudly near it", () => {
  const now = Date.UTC(2026, 0, 1);
  const session = { state: "running", idle_timeout: 1800, idle_deadline: new Date(now + 240_000).toISOString() } as Session;
  assert.equal(idleLeft(session, now), 240_000);
  assert.equal(idleSoon(session, now), false);
  assert.equal(idleSoon(session, now + 120_000), true);
  assert.equal(idleLeft(session, now + 1e9), 0);
  assert.equal(idleLeft({ ...session, state: "paused" }, now), null);
});

test("a session that is over stays over, whatever a late answer says", () => {
  const told = (id: string, state: Session["state"]): Session => ({ id, state }) as Session;
  const stopped = told("a", "stopped");
  assert.equal(latest(stopped, told("a", "stopping")), stopped);
  assert.equal(latest(told("a", "stopping"), stopped), stopped);
  assert.equal(latest(stopped, told("b", "pending")).id, "b");
  assert.equal(latest(null, stopped), stopped);
});
