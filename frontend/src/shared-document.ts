/** A file that others write too: a Yjs document, kept the same as the server's (docs/developers/documents.md).
 *
 * Nothing is lost with a connection: what is written meanwhile is in the document, and goes out when both compare. */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import { messageYjsSyncStep1, readSyncMessage, writeSyncStep1, writeUpdate } from "y-protocols/sync";
import * as Y from "yjs";
import { socketUrl } from "./api.js";
import { Link, type LinkState } from "./link.js";
import type { SaveState } from "./madang-editor.js";

export type Role = "owner" | "editor" | "viewer";

export interface Person {
  id: number;
  name: string;
  color: string;
  /** The Yjs client of theirs that is meant. */
  client: number;
}

export interface Hooks {
  onSave: (state: SaveState, problem: string) => void;
  onRole: (role: Role) => void;
  onGone: (gone: boolean) => void;
  onPeople: (people: readonly Person[]) => void;
  /** Trying again cannot help: `code` is the close code. */
  onEnd: (code: number) => void;
}

/** The close code that says that the file is another document by now. */
export const ANOTHER = 4409;
const FINAL = [4400, ANOTHER, 4413, 4415];
const SYNC = 0;
const AWARENESS = 1;
const SAVE_MS = 10_000;

type Word =
  | { type: "hello"; document: string; role: Role; saved: number; user: Omit<Person, "client"> }
  | { type: "role"; role: Role }
  | { type: "taken"; frames: number; number: number }
  | { type: "saved"; number: number }
  | { type: "save_failed"; detail: string; hint: string }
  | { type: "gone" };

export class SharedDocument {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  role: Role = "viewer";
  state: SaveState = "saved";
  private document = "";
  private link: Link;
  private sent = 0;
  private taken = 0;
  private number = 0;
  private saved = 0;
  private synced = false;
  /** Something was written that no frame has carried yet. */
  private unsent = false;
  private failed = "";
  private ready: (() => void) | null = null;
  private waiting: ((saved: boolean) => void)[] = [];

  private constructor(project: string, path: string, private readonly hooks: Hooks) {
    const address = `/api/v1/projects/${project}/documents/${path.split("/").map(encodeURIComponent).join("/")}`;
    this.awareness.on("update", (_: unknown, origin: unknown) => { this.moved(origin); });
    this.link = new Link({
      url: () => socketUrl(this.document ? `${address}?document=${this.document}` : address),
      final: FINAL,
      onOpen: () => { this.sent = this.taken = 0; this.synced = false; },
      onMessage: (data) => { this.receive(data); },
      onState: (state, code) => { this.linked(state, code); },
    });
  }

  /** Resolves once the document is here; to null, with `onEnd` called, where the file cannot be one. */
  static async open(project: string, path: string, hooks: Hooks): Promise<SharedDocument | null> {
    let code = 0;
    let settle: (document: SharedDocument | null) => void;
    const found = new Promise<SharedDocument | null>((resolve) => { settle = resolve; });
    const document = new SharedDocument(project, path, {
      ...hooks,
      onEnd: (why) => { code = why; settle(null); hooks.onEnd(why); },
    });
    document.ready = () => { settle(document); };
    const opened = await found;
    if (code) document.close();
    return opened;
  }

  get text(): Y.Text {
    return this.doc.getText("source");
  }

  /** Would be lost with this page: the server has not said that it has it. */
  get pending(): boolean {
    return this.unsent || this.sent > this.taken;
  }

  /** Save at once, and make the file again if it is gone; true when the file holds all that is here. */
  save(): Promise<boolean> {
    const asked = this.link.send(JSON.stringify({ type: "save" }));
    if (this.state === "saved" || !asked) return Promise.resolve(this.state === "saved");
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      setTimeout(() => { resolve(this.state === "saved"); }, SAVE_MS);
    });
  }

  close(): void {
    removeAwarenessStates(this.awareness, [this.doc.clientID], "local");
    this.link.close();
    this.awareness.destroy();
    this.doc.destroy();
  }

  private linked(state: LinkState, code?: number): void {
    if (state === "open") return;
    this.synced = false;
    const others = [...this.awareness.getStates().keys()].filter((client) => client !== this.doc.clientID);
    removeAwarenessStates(this.awareness, others, this);
    if (this.sent > this.taken) this.unsent = true;
    this.judge();
    if (state === "closed" && code !== undefined && code !== 1000) this.hooks.onEnd(code);
  }

  private receive(data: ArrayBuffer | string): void {
    if (typeof data === "string") {
      this.hear(JSON.parse(data) as Word);
      return;
    }
    const decoder = decoding.createDecoder(new Uint8Array(data));
    const kind = decoding.readVarUint(decoder);
    if (kind === AWARENESS) applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this);
    if (kind !== SYNC) return;
    const answer = encoding.createEncoder();
    encoding.writeVarUint(answer, SYNC);
    const step = readSyncMessage(decoder, answer, this.doc, this);
    if (step === messageYjsSyncStep1) this.compare(answer);
    else if (step === 1) this.complete();
  }

  /** The server has said what it has: it gets the rest, and is asked for what is missing here. */
  private compare(answer: encoding.Encoder): void {
    this.push(encoding.toUint8Array(answer));
    this.unsent = false;
    const question = encoding.createEncoder();
    encoding.writeVarUint(question, SYNC);
    writeSyncStep1(question, this.doc);
    this.link.send(encoding.toUint8Array(question));
    this.judge();
  }

  private complete(): void {
    this.synced = true;
    this.moved("local");
    this.begin();
    this.judge();
  }

  /** Before all of the document is here nobody writes, and whoever listens has it encoded once more. */
  private begin(): void {
    if (!this.ready) return;
    this.doc.on("update", (update: Uint8Array, origin: unknown) => { this.changed(update, origin); });
    this.ready();
    this.ready = null;
  }

  private push(frame: Uint8Array<ArrayBuffer>): boolean {
    if (!this.link.send(frame)) return false;
    this.sent += 1;
    return true;
  }

  private changed(update: Uint8Array, origin: unknown): void {
    if (origin === this) return;
    const message = encoding.createEncoder();
    encoding.writeVarUint(message, SYNC);
    writeUpdate(message, update);
    // Before the server has said what it has, the answer to that will carry this too.
    if (!this.sent || !this.push(encoding.toUint8Array(message))) this.unsent = true;
    this.judge();
  }

  private moved(origin: unknown): void {
    this.tellPeople();
    if (origin === this || !this.synced) return;
    const message = encoding.createEncoder();
    encoding.writeVarUint(message, AWARENESS);
    encoding.writeVarUint8Array(message, encodeAwarenessUpdate(this.awareness, [this.doc.clientID]));
    this.link.send(encoding.toUint8Array(message));
  }

  private tellPeople(): void {
    const people: Person[] = [];
    for (const [client, state] of this.awareness.getStates()) {
      const user = state.user as Omit<Person, "client"> | undefined;
      if (client !== this.doc.clientID && user) people.push({ ...user, client });
    }
    this.hooks.onPeople(people);
  }

  private hear(word: Word): void {
    switch (word.type) {
      case "hello":
        this.document = word.document;
        this.saved = word.saved;
        this.awareness.setLocalStateField("user", word.user);
        this.become(word.role);
        break;
      case "role":
        this.become(word.role);
        break;
      case "taken":
        this.taken = word.frames;
        this.number = word.number;
        break;
      case "saved":
        this.saved = word.number;
        this.failed = "";
        this.hooks.onGone(false);
        break;
      case "save_failed":
        this.failed = [word.detail, word.hint].filter(Boolean).join(" ");
        break;
      case "gone":
        this.hooks.onGone(true);
        break;
    }
    this.judge();
  }

  private become(role: Role): void {
    this.role = role;
    this.hooks.onRole(role);
  }

  private judge(): void {
    const here = this.role === "viewer" || (!this.pending && this.saved >= this.number);
    const state: SaveState = here ? "saved" : this.failed ? "failed" : this.unsent ? "unsaved" : "saving";
    this.state = state;
    this.hooks.onSave(state, this.failed);
    if (state === "saved" || state === "failed") {
      for (const resolve of this.waiting.splice(0)) resolve(state === "saved");
    }
  }
}
