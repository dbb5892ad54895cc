import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../src/i18n.js";
import { asPath, newPorts, portOfTab, portsWith, portTab, previewAddress, type Share, timeLeft } from "../src/ports.js";

const flask = { port: 5000, program: "flask" };
const vite = { port: 5173, program: "node" };
const shares: Share[] = [{ port: 8000, audience: "public", until: "2030-01-01T00:00:00Z" }, { port: 5000, audience: "project", until: null }];

test("what listens and what is shared make one list, in order", () => {
  assert.deepEqual(portsWith([vite, flask], shares), [
    { port: 5000, program: "flask", listening: true, audience: "project", until: null },
    { port: 5173, program: "node", listening: true, audience: "private", until: null },
    { port: 8000, program: "", listening: false, audience: "public", until: "2030-01-01T00:00:00Z" },
  ]);
});

test("only what did not listen before is new", () => {
  assert.deepEqual(newPorts([flask], [flask, vite]), [vite]);
  assert.deepEqual(newPorts([flask, vite], [flask]), []);
});

test("a tab names its port, and nothing else does", () => {
  for (const port of [1, 80, 5000, 65535]) assert.equal(portOfTab(portTab(port)), port);
  for (const tab of ["console", "file:port:80", "port:", "port:0", "port:080", "port:65536", "port:99999", "port:1e3", "port:5000x"]) assert.equal(portOfTab(tab), 0);
});

test("a typed path never leaves the preview", () => {
  const typed: Record<string, string> = { "": "/", "/": "/", "a/b?c=d": "/a/b?c=d", "//evil.example/x": "/evil.example/x", "/\\evil.example": "/evil.example", "http://localhost:5000/a#b": "/a#b", " /a ": "/a" };
  for (const [text, path] of Object.entries(typed)) assert.equal(asPath(text), path);
});

test("an address says where in the preview, and whether for a frame", () => {
  assert.equal(previewAddress("s", 5000), "/sessions/s/ports/5000/");
  assert.equal(previewAddress("s/../x", 5000, "/a?b=c&d", true), "/sessions/s%2F..%2Fx/ports/5000/?path=%2Fa%3Fb%3Dc%26d&framed=1");
});

test("time is told in the largest units, and never as nothing while some is left", () => {
  const words = (minutes: number): string => timeLeft(minutes * 60_000, (key, values) => translate("en", key, values));
  assert.deepEqual([0, 0.1, 15, 59.5, 60, 61, 480].map(words), ["1 min", "1 min", "15 min", "1 h", "1 h", "1 h 1 min", "8 h"]);
  assert.equal(timeLeft(90 * 60_000, (key, values) => translate("ko", key, values)), "1시간 30분");
});
