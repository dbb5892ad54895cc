// Reads cells from descriptor 3 and runs them; see sandbox/runner/records.py for what it says on descriptor 4.
// The inspector evaluates as a browser's console does: names can be declared again, and await works at the top.
"use strict";
const fs = require("fs");
const { Session } = require("inspector");
const { createRequire } = require("module");
const { Socket } = require("net");
const { inspect } = require("util");
const { Script } = require("vm");

const inspector = new Session();
inspector.connect();
const again = new Script("__madang()");
const post = (method, parameters) => new Promise((answer, fail) => {
  inspector.post(method, parameters, (error, result) => (error ? fail(error) : answer(result)));
});
const say = (kind, text = "") => fs.writeSync(4, `${kind}\n${text.replaceAll("\0", "")}\0`);
Object.defineProperty(globalThis, "require", { value: createRequire(`${process.cwd()}/cell.js`), writable: true });

// An interrupt amid a stream's write would leave the stream waiting for ever: what is printed goes straight out.
const doze = new Int32Array(new SharedArrayBuffer(4));
function print(descriptor, chunk, encoding, done) {
  let bytes = typeof chunk === "string" ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8") : chunk;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs.writeSync(descriptor, bytes));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(doze, 0, 0, 5);
    }
  }
  const called = typeof encoding === "function" ? encoding : done;
  if (called) process.nextTick(called);
  return true;
}
process.stdout.write = print.bind(null, 1);
process.stderr.write = print.bind(null, 2);

let interrupt = () => {};
process.on("SIGINT", () => interrupt());
// What fails outside of a cell, in a timer or a promise that nobody waits for, is told and ends nothing.
process.on("uncaughtException", (error) => process.stderr.write(`Uncaught ${inspect(error)}\n`));
process.on("unhandledRejection", (error) => process.stderr.write(`Uncaught (in promise) ${inspect(error)}\n`));

function evaluate(expression) {
  return new Promise((answer, fail) => {
    interrupt = () => fail({ interrupted: true });
    const parameters = { expression, replMode: true, awaitPromise: true };
    globalThis.__madang = () => {
      delete globalThis.__madang;
      post("Runtime.evaluate", parameters).then(answer, fail);
    };
    try {
      again.runInThisContext({ breakOnSigint: true });  // a loop without end listens to no event
    } catch {
      interrupt();
    }
  });
}

async function shown({ objectId, value, unserializableValue, description }) {
  if (objectId === undefined) return unserializableValue ?? (value === undefined ? description : inspect(value));
  return new Promise((answer) => {
    globalThis.__madang_shown = (object) => answer(inspect(object, { depth: 4 }));
    post("Runtime.callFunctionOn", { functionDeclaration: "function () { __madang_shown(this); }", objectId })
      .catch(() => answer(description));
  });
}

function failure({ exception, text, lineNumber }) {
  const description = exception?.description ?? `${text} ${exception?.value ?? ""}`;
  // The frames below the cell's own are this file's.
  const lines = description.split("\n").filter((line, index, all) =>
    !all.slice(0, index + 1).some((before) => before.includes("node:inspector")));
  const [, name, value] = /^(\w+): (.*)$/.exec(lines[0]) ?? [null, "Error", lines[0]];
  const frames = lines.map((line) => line.replace(/<anonymous>:(\d+):(\d+)/, "cell, line $1, column $2"));
  if (name === "SyntaxError") frames.push(`    at cell, line ${lineNumber + 1}`);
  return [name, value, ...frames].join("\n");
}

async function run(code) {
  try {
    const { result, exceptionDetails } = await evaluate(code);
    if (exceptionDetails) say("error", failure(exceptionDetails));
    else if (result.type !== "undefined") say("data", JSON.stringify({ "text/plain": await shown(result) }));
  } catch (error) {
    say("error", error?.interrupted ? "Interrupted\nThe cell was interrupted." : `Error\n${error?.message ?? error}`);
  }
  interrupt = () => {};
  say("done");
}

let waiting = "";
let last = Promise.resolve();
// A file's stream would read in a thread, for which an exit waits.
new Socket({ fd: 3, readable: true, writable: false }).setEncoding("utf8").on("data", (text) => {
  const cells = (waiting + text).split("\0");
  waiting = cells.pop();
  for (const cell of cells) last = last.then(() => run(cell));
}).on("end", () => process.exit());
say("ready");
