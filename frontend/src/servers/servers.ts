/** The language servers of a project's session, and the editors that ask them. Its own chunk. */
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { formatDocument, LSPPlugin } from "@codemirror/lsp-client";
import { diff } from "@codemirror/merge";
import { Compartment, type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap, ViewPlugin } from "@codemirror/view";
import type { Diagnostic as Said } from "vscode-languageserver-protocol";
import { readText, writeText } from "../contents.js";
import { runCommand } from "../tools/commands.js";
import type { Image } from "../tools/images.js";
import { Connection } from "./connection.js";
import { type Problem, problemOf, showProblems } from "./diagnostics.js";
import type { Mark } from "./places.js";
import { renameSymbol } from "./rename.js";
import { hasEnding, languageId, pathOf, uriOf } from "./uris.js";

export interface Host {
  /** Show a file of the project. */
  open(path: string): void;
  /** Run a file. */
  run(path: string): void;
  /** Problems or states are others now. */
  changed(): void;
  say(key: "renameSymbol" | "rename" | "formatFailed", values?: Record<string, string>): string;
}

interface Editor {
  path: string;
  readonly view: EditorView;
  readonly place: Compartment;
}

const OPENS_WITHIN_MS = 10_000;

export class Servers {
  /** What is wrong with each server that runs or should; "" for those that answer. */
  readonly states = new Map<string, string>();
  private readonly editors = new Set<Editor>();
  private readonly connections = new Map<string, Connection>();
  private readonly roots = new Map<string, string>();
  private readonly said = new Map<string, readonly Said[]>();
  private marks: readonly Mark[] = [];
  private session = "";
  private image: Image | null = null;
  private readonly waiting = new Set<(editor: Editor) => void>();

  constructor(private readonly slug: string, private readonly host: Host) {}

  /** What an editor of `path` (with the slug in front) needs besides. */
  extension(path: string): Extension {
    const place = new Compartment();
    const own = ViewPlugin.define((view) => {
      const editor: Editor = { path: this.inProject(path), view, place };
      this.editors.add(editor);
      queueMicrotask(() => { this.joined(editor); });
      return {
        destroy: () => {
          this.editors.delete(editor);
        },
      };
    });
    const edited = EditorView.updateListener.of((update) => {
      if (update.docChanged) this.edited(update.view);
    });
    return [place.of([]), own, edited, lintGutter(), Prec.high(keymap.of([...lintKeymap, ...this.keys()]))];
  }

  /** The session that runs now, "" for none, and its image. */
  use(session: string, image: Image | null): void {
    if (session !== this.session) {
      for (const connection of this.connections.values()) connection.close();
      this.connections.clear();
      this.states.clear();
      this.said.clear();
    }
    this.session = session;
    this.image = image;
    for (const editor of this.editors) this.connect(editor);
    this.host.changed();
  }

  moved(from: string, to: string): void {
    const [before, after] = [this.inProject(from), this.inProject(to)];
    for (const editor of this.editors) {
      if (editor.path !== before && !editor.path.startsWith(`${before}/`)) continue;
      editor.path = after + editor.path.slice(before.length);
      editor.view.dispatch({ effects: editor.place.reconfigure([]) });
      this.connect(editor);
    }
  }

  saved(path: string): void {
    for (const [language, connection] of this.connections) {
      const root = this.roots.get(language);
      if (root) connection.filesChanged([{ uri: uriOf(root, this.inProject(path)), type: 2 }]);
    }
  }

  /** Show what a program that ran said, beside the code. */
  mark(marks: readonly Mark[]): void {
    this.marks = marks;
    for (const editor of this.editors) this.show(editor);
    this.host.changed();
  }

  get problems(): Problem[] {
    const ran = this.marks.map((mark): Problem => ({ ...mark, source: "", code: "" }));
    const served = [...this.said].flatMap(([path, said]) => said.map((one) => problemOf(path, one)));
    return [...ran, ...served].sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
  }

  /** Show a place, in an editor that is opened for it where there is none. */
  async goTo(path: string, line: number, column = 1): Promise<void> {
    const editor = await this.editorOf(path);
    if (!editor) return;
    const { doc } = editor.view.state;
    const found = doc.line(Math.max(1, Math.min(line, doc.lines)));
    const anchor = Math.min(found.from + column - 1, found.to);
    editor.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    editor.view.focus();
  }

  /** Lay out the file that is in `view`: by its server, else by the image's formatter. */
  async format(view: EditorView): Promise<void> {
    const editor = this.find(view);
    if (!editor) return;
    const plugin = LSPPlugin.get(view);
    if (plugin?.client.connected && plugin.client.serverCapabilities?.documentFormattingProvider) {
      formatDocument(view);
      return;
    }
    const format = this.image?.languages.find(({ extensions }) => hasEnding(editor.path, extensions))?.format;
    if (!format || !this.session) return;
    const before = view.state.doc.toString();
    const name = `'${editor.path.replaceAll("'", `'\\''`)}'`;
    const { exit_code, stdout, stderr } = await runCommand(this.session, ["bash", "-c", format.replaceAll("{main}", name)], { stdin: before });
    if (exit_code !== 0 || view.state.doc.toString() !== before) {
      if (exit_code !== 0) plugin?.reportError(this.host.say("formatFailed"), stderr.trim().split("\n")[0]);
      return;
    }
    const changes = diff(before, stdout).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, insert: stdout.slice(fromB, toB) }));
    view.dispatch({ changes, userEvent: "format" });
  }

  async formatFile(path: string): Promise<void> {
    const editor = [...this.editors].find((one) => one.path === this.inProject(path));
    if (editor) await this.format(editor.view);
  }

  private keys(): { key: string; run: (view: EditorView) => boolean; preventDefault: boolean }[] {
    const command = (key: string, act: (view: EditorView) => void) => ({ key, preventDefault: true, run: (view: EditorView) => (act(view), true) });
    return [
      command("Shift-Alt-f", (view) => void this.format(view)),
      command("F2", (view) => void this.rename(view)),
      command("F5", (view) => {
        const editor = this.find(view);
        if (editor) this.host.run(editor.path);
      }),
    ];
  }

  private async rename(view: EditorView): Promise<void> {
    const editor = this.find(view);
    const root = editor && this.roots.get(this.languageOf(editor.path) ?? "");
    if (!root) return;
    const full = (uri: string): string => {
      const path = pathOf(root, uri);
      if (path === null) throw new Error(uri);
      return `${this.slug}/${path}`;
    };
    await renameSymbol(view, this.host.say("renameSymbol"), this.host.say("rename"), {
      viewOf: (uri) => [...this.editors].find(({ path }) => path === pathOf(root, uri))?.view ?? null,
      read: async (uri) => (await readText(full(uri))).content,
      write: async (uri, text) => {
        await writeText(full(uri), text);
        this.saved(full(uri));
      },
    });
  }

  private inProject(path: string): string {
    return path.slice(this.slug.length + 1);
  }

  private find(view: EditorView): Editor | undefined {
    return [...this.editors].find((editor) => editor.view === view);
  }

  private languageOf(path: string): string | undefined {
    return this.image?.servers.find(({ extensions }) => hasEnding(path, extensions))?.language;
  }

  private joined(editor: Editor): void {
    if (!this.editors.has(editor)) return;
    this.connect(editor);
    this.show(editor);
    for (const hear of this.waiting) hear(editor);
  }

  private connect(editor: Editor): void {
    const language = this.languageOf(editor.path);
    if (!language || !this.session) return;
    if (!this.connections.has(language)) {
      this.states.set(language, "starting");
      this.connections.set(language, this.start(language));
      return;
    }
    const root = this.roots.get(language);
    if (root) this.plug(editor, language, root);
  }

  private start(language: string): Connection {
    return new Connection(this.session, language, {
      attached: (root) => {
        this.roots.set(language, root);
        for (const editor of this.editors) if (this.languageOf(editor.path) === language) this.plug(editor, language, root);
      },
      diagnostics: ({ uri, diagnostics }) => {
        const path = pathOf(this.roots.get(language) ?? "", uri);
        if (path === null) return;
        if (diagnostics.length > 0) this.said.set(path, diagnostics);
        else this.said.delete(path);
        for (const editor of this.editors) if (editor.path === path) this.show(editor);
        this.host.changed();
      },
      state: (words) => {
        this.states.set(language, words);
        this.host.changed();
      },
      show: async (uri) => {
        const path = pathOf(this.roots.get(language) ?? "", uri);
        return path === null ? null : ((await this.editorOf(path))?.view ?? null);
      },
    });
  }

  private plug(editor: Editor, language: string, root: string): void {
    const connection = this.connections.get(language);
    if (!connection || LSPPlugin.get(editor.view)?.client === connection.client) return;
    const plugin = connection.client.plugin(uriOf(root, editor.path), languageId(editor.path, language));
    editor.view.dispatch({ effects: editor.place.reconfigure(plugin) });
  }

  private async editorOf(path: string): Promise<Editor | null> {
    this.host.open(`${this.slug}/${path}`);
    const known = [...this.editors].find((editor) => editor.path === path);
    if (known) return known;
    return new Promise((resolve) => {
      const hear = (editor: Editor): void => {
        if (editor.path === path) done(editor);
      };
      const done = (editor: Editor | null): void => {
        clearTimeout(timer);
        this.waiting.delete(hear);
        resolve(editor);
      };
      const timer = setTimeout(() => { done(null); }, OPENS_WITHIN_MS);
      this.waiting.add(hear);
    });
  }

  private edited(view: EditorView): void {
    const path = this.find(view)?.path;
    if (!this.marks.some((mark) => mark.path === path)) return;
    const marks = this.marks.filter((mark) => mark.path !== path); // they are about lines that may have moved
    queueMicrotask(() => { this.mark(marks); });
  }

  private show(editor: Editor): void {
    showProblems(editor.view, this.said.get(editor.path) ?? [], this.marks.filter(({ path }) => path === editor.path));
  }
}
