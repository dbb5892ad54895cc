// Reads requests from descriptor 3 and answers on descriptor 4; see sandbox/runner/records.py for both.
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

// Each cell has an input of its own, which may end. A cell that listens to it is not over before it no longer does.
let input = null;
Object.defineProperty(process, "stdin", { configurable: true, get: () => (input ??= listenAnew()) });
function listenAnew() {
  const fd = fs.openSync("/proc/self/fd/0", fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  return Object.assign(new Socket({ fd, readable: true, writable: false, manualStart: true }), { fd: 0 });
}
const listening = () => input !== null && !input.destroyed && !input.readableEnded
  && (input.readableFlowing || input.listenerCount("readable") > 0);
function heard() {
  return new Promise((answer, fail) => {
    interrupt = () => fail({ interrupted: true });
    const look = () => (listening() ? undefined : answer());
    for (const change of ["pause", "end", "close"]) input?.on(change, () => setImmediate(look));
    look();
  });
}
function hangUp() {
  input?.destroy();
  input = null;
}

let interrupt = () => {};
let interrupted = false;  // also where nobody listened for it: a cell that ends just then was interrupted all the same
process.on("SIGINT", () => {
  interrupted = true;
  interrupt();
});
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
      interrupted = true;
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
  interrupted = false;
  try {
    const { result, exceptionDetails } = await evaluate(code);
    if (exceptionDetails) say("error", failure(exceptionDetails));
    else if (result.type !== "undefined") say("data", JSON.stringify({ "text/plain": await shown(result) }));
    await heard();
    await new Promise(setImmediate);  // the interrupt's own end of the input may be heard of before the interrupt
    if (interrupted) throw { interrupted };
  } catch (error) {
    say("error", error?.interrupted ? "Interrupted\nThe cell was interrupted." : `Error\n${error?.message ?? error}`);
  }
  interrupt = () => {};
  hangUp();
}

const KEYWORDS = "async await break case catch class const continue debugger default delete do else export extends false "
  + "finally for function if import in instanceof let new null of return static super switch this throw true try typeof "
  + "undefined var void while with yield";
// What is asked while somebody writes must change nothing.
const look = (expression) => post("Runtime.evaluate", { expression, throwOnSideEffect: true, replMode: true });
async function namesOf(expression) {
  const { result, exceptionDetails } = await look(`Object(${expression})`);
  if (exceptionDetails || !result.objectId) return [];
  const functionDeclaration = `function () {
    const names = new Set();
    for (let object = this; object; object = Object.getPrototypeOf(object))
      for (const name of Object.getOwnPropertyNames(object)) names.add(name);
    return [...names];
  }`;
  const found = await post("Runtime.callFunctionOn", { functionDeclaration, objectId: result.objectId, returnByValue: true });
  return found.result.value ?? [];
}

async function complete(code) {
  const [, path, last] = /((?:[\w$]+\??\.)*)([\w$]*)$/.exec(code);
  let names = await namesOf(path ? path.replace(/\??\.$/, "") : "globalThis");
  if (!path) names = [...names, ...(await post("Runtime.globalLexicalScopeNames", {})).names, ...KEYWORDS.split(" ")];
  const fitting = names.filter((name) => name.startsWith(last) && /^[A-Za-z_$][\w$]*$/.test(name) && !/^__madang/.test(name));
  say("answer", [last, ...[...new Set(fitting)].sort()].join("\n"));
}

async function inspected(code) {
  const name = /[\w$]+(?:\.[\w$]+)*$/.exec(code)?.[0];
  if (!name) return;
  const { result, exceptionDetails } = await look(name);
  if (!exceptionDetails && result.type !== "undefined") {
    const text = result.type === "function" ? result.description.slice(0, 2000) : await shown(result);
    say("answer", `${result.className ?? result.type}: ${text}`);
  }
}

function wrong(code) {
  try {
    new Script(code);
    return "";
  } catch (error) {
    return error.message;
  }
}
function whole(code) {
  let message = wrong(code);
  if (/await/.test(message)) message = wrong(`(async () => {${code}\n})()`);
  const open = /Unexpected end of input|Unterminated template/.test(message)
    || (/missing \) after/.test(message) && wrong(`${code})`) !== message);
  say("answer", !message ? "complete" : open ? "incomplete" : "invalid");
}

const ANSWERS = { run, complete, inspect: inspected, whole };
async function answer(request) {
  const at = request.indexOf("\n");
  try {
    await ANSWERS[request.slice(0, at)](request.slice(at + 1));
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`);
  }
  say("done");
}

let waiting = "";
let last = Promise.resolve();
// A file's stream would read in a thread, for which an exit waits.
new Socket({ fd: 3, readable: true, writable: false }).setEncoding("utf8").on("data", (text) => {
  const requests = (waiting + text).split("\0");
  waiting = requests.pop();
  for (const request of requests) last = last.then(() => answer(request));
}).on("end", () => process.exit());
say("ready");
