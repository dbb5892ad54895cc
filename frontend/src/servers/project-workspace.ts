/** The files that a language server is told of, and how one that is not open is shown. */
import { type LSPClient, LSPPlugin, Workspace, type WorkspaceFile } from "@codemirror/lsp-client";
import type { ChangeSet, Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

interface Update {
  file: WorkspaceFile;
  prevDoc: Text;
  changes: ChangeSet;
}

class ProjectFile implements WorkspaceFile {
  version = 0;
  readonly views: EditorView[] = [];
  doc: Text;

  constructor(readonly uri: string, readonly languageId: string, view: EditorView) {
    this.doc = view.state.doc;
    this.views.push(view);
  }

  getView(main?: EditorView): EditorView | null {
    return (main && this.views.includes(main) ? main : this.views[0]) ?? null;
  }
}

export class ProjectWorkspace extends Workspace {
  files: ProjectFile[] = [];

  constructor(client: LSPClient, private readonly show: (uri: string) => Promise<EditorView | null>) {
    super(client);
  }

  override syncFiles(): readonly Update[] {
    const updates: Update[] = [];
    for (const file of this.files) {
      // Views of one file show one text: the first speaks for all.
      const [first, ...others] = file.views.map((view) => LSPPlugin.get(view));
      if (!first || first.unsyncedChanges.empty) continue;
      updates.push({ file, prevDoc: file.doc, changes: first.unsyncedChanges });
      file.doc = first.view.state.doc;
      file.version += 1;
      first.clear();
      for (const other of others) other?.clear();
    }
    return updates;
  }

  override openFile(uri: string, languageId: string, view: EditorView): void {
    const known = this.files.find((file) => file.uri === uri);
    if (known) {
      known.views.push(view);
      return;
    }
    const file = new ProjectFile(uri, languageId, view);
    this.files.push(file);
    this.client.didOpen(file);
  }

  override closeFile(uri: string, view: EditorView): void {
    const file = this.files.find((one) => one.uri === uri);
    if (!file) return;
    file.views.splice(file.views.indexOf(view), 1);
    if (file.views.length > 0) return;
    this.files = this.files.filter((one) => one !== file);
    this.client.didClose(uri);
  }

  override displayFile(uri: string): Promise<EditorView | null> {
    return this.show(uri);
  }
}
