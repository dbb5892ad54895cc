/** One language server of a session: its connection, which comes back, and the client that speaks through it. */
import {
  findReferencesKeymap, hoverTooltips, jumpToDefinition, jumpToDefinitionKeymap, LSPClient, type LSPClientConfig, serverCompletion, signatureHelp, type Transport,
} from "@codemirror/lsp-client";
import { EditorView, keymap } from "@codemirror/view";
import DOMPurify from "dompurify";
import type { PublishDiagnosticsParams, ShowMessageParams } from "vscode-languageserver-protocol";
import { socketUrl } from "../api.js";
import { Link } from "../link.js";
import { ProjectWorkspace } from "./project-workspace.js";
import { keepDiagnosticsFresh } from "./diagnostics.js";

export interface Listener {
  /** It can be asked from now on; `root` is the project's folder, a URI. */
  attached(root: string): void;
  diagnostics(params: PublishDiagnosticsParams): void;
  /** Why it cannot be asked, "" while it can. */
  state(words: string): void;
  show(uri: string): Promise<EditorView | null>;
}

const TIMEOUT_MS = 15_000;
/** Of the protocol's kinds of messages (1 error, 2 warning, 3 information, 4 log) the last that is worth a dialog. */
const WARNING = 2;

/** So long after a change nobody is told what the mouse rests on: CodeMirror would ask anew after each key. */
const TYPING_MS = 500;

class Typing {
  private last = 0;
  readonly watch = EditorView.updateListener.of(({ docChanged }) => { if (docChanged) this.last = Date.now(); });

  get goesOn(): boolean {
    return Date.now() - this.last < TYPING_MS;
  }
}

class Client extends LSPClient {
  constructor(config: LSPClientConfig, private readonly typing: Typing) {
    super(config);
  }

  override request<Params, Result>(method: string, params: Params): Promise<Result> {
    if (method === "textDocument/hover" && this.typing.goesOn) return Promise.resolve(null as Result);
    return super.request<Params, Result>(method, params);
  }
}

export class Connection {
  readonly client: LSPClient;
  private readonly config: LSPClientConfig;
  private readonly link: Link;
  private hear: ((message: string) => void) | null = null;
  /** Requests that wait for an answer, and their methods. */
  private readonly asked = new Map<number, string>();

  constructor(session: string, readonly language: string, private readonly listener: Listener) {
    const typing = new Typing();
    const shown = new Set<string>();
    this.config = {
      timeout: TIMEOUT_MS,
      workspace: (client) => new ProjectWorkspace(client, (uri) => listener.show(uri)),
      sanitizeHTML: (html) => DOMPurify.sanitize(html),
      notificationHandlers: {
        "textDocument/publishDiagnostics": (_client, params: PublishDiagnosticsParams) => {
          listener.diagnostics(params);
          return true;
        },
        // "Finished loading packages." is nothing to be asked an OK for; errors and warnings are shown, each once.
        "window/showMessage": (_client, { type, message }: ShowMessageParams) => {
          if (type > WARNING || shown.has(message)) return true;
          shown.add(message);
          return false;
        },
      },
      extensions: [
        serverCompletion(), hoverTooltips(), signatureHelp(), keymap.of([...jumpToDefinitionKeymap, ...findReferencesKeymap]), jumpByMouse,
        { clientCapabilities: { textDocument: { publishDiagnostics: { versionSupport: true } } }, editorExtension: [keepDiagnosticsFresh, typing.watch] },
      ],
    };
    this.client = new Client(this.config, typing);
    const path = `/api/v1/sessions/${encodeURIComponent(session)}/servers/${encodeURIComponent(language)}`;
    this.link = new Link({
      url: () => socketUrl(path),
      onMessage: (data) => {
        if (typeof data === "string") this.receive(data);
      },
      onState: (state) => {
        if (state !== "open") this.lost();
        if (state === "closed") listener.state(state);
      },
    });
  }

  close(): void {
    this.link.close();
  }

  /** Tell the server that files changed on the disk: 1 made, 2 changed, 3 gone. */
  filesChanged(changes: readonly { uri: string; type: 1 | 2 | 3 }[]): void {
    if (this.client.connected) this.client.notification("workspace/didChangeWatchedFiles", { changes });
  }

  private receive(text: string): void {
    const ours = text.includes('"madang/') ? (JSON.parse(text) as { method?: string; params?: { root?: string; reason?: string } }) : null;
    if (ours?.method === "madang/attached") this.attach(ours.params?.root ?? "");
    else if (ours?.method === "madang/ended") this.listener.state(ours.params?.reason ?? "");
    else {
      const answered = /^\{(?:"jsonrpc": ?"2\.0", ?)?"id": ?(\d+)/.exec(text)?.[1];
      if (answered) this.asked.delete(Number(answered));
      this.hear?.(text);
    }
  }

  /** Nobody will answer what was asked: each is told so now, and not when its time is up. */
  private lost(): void {
    if (!this.hear) return;
    for (const [id, method] of [...this.asked]) {
      this.asked.delete(id);
      // What waits for the first answer has no other end in the client than a good one.
      this.hear(JSON.stringify(method === "initialize" ? { id, result: { capabilities: {} } } : { id, error: { code: -32097, message: "connection lost" } }));
    }
    setTimeout(() => {
      if (this.link.state !== "open") this.client.disconnect();
    });
  }

  private attach(root: string): void {
    this.config.rootUri = root;
    const transport: Transport = {
      send: (message) => {
        const { id, method } = JSON.parse(message) as { id?: number; method?: string };
        if (id !== undefined && method) this.asked.set(id, method);
        this.link.send(message);
      },
      subscribe: (handler) => {
        this.hear = handler;
      },
      unsubscribe: () => {
        this.hear = null;
      },
    };
    this.client.connect(transport);
    this.listener.attached(root);
    this.client.initializing.then(() => { this.listener.state(""); }, (error: unknown) => { this.listener.state(String(error)); });
  }
}

const jumpByMouse = EditorView.domEventHandlers({
  mousedown: (event, view) => {
    const at = (event.ctrlKey || event.metaKey) && event.button === 0 ? view.posAtCoords(event) : null;
    if (at === null) return false;
    view.dispatch({ selection: { anchor: at } });
    return jumpToDefinition(view);
  },
});
