/** The uploads of <madang-files>: what is asked before they begin, and how far they are. */
import { html, nothing, type TemplateResult } from "lit";
import { join } from "./contents.js";
import type { Key } from "./i18n.js";
import type { MadangFiles } from "./madang-files.js";
import { names, throwAway } from "./project-files.js";
import { type Answer, settled } from "./upload-clash.js";
import { UploadQueue } from "./upload-queue.js";
import { bytes } from "./usage-model.js";

interface Wanted {
  path: string;
  file: File;
}

interface Clash {
  count: number;
  name: string;
  resolve: (answer: Answer) => void;
}

export class FilesUploads {
  private queue: UploadQueue;
  private clash: Clash | null = null;

  constructor(private readonly files: MadangFiles) {
    this.queue = new UploadQueue(() => files.project, () => { files.requestUpdate(); }, (error) => files.words(error));
  }

  get busy(): boolean {
    return this.queue.progress.left > 0;
  }

  stop(): void {
    this.queue.cancel();
    this.clash?.resolve("skip");
  }

  /** Upload into `folder`; paths are relative to it. What fails is said by the element. */
  async add(folder: string, uploads: readonly Wanted[]): Promise<void> {
    const { files } = this;
    const limit = files.uploadLimit;
    const small = uploads.filter(({ file }) => limit === 0 || file.size <= limit);
    const large = uploads.find((one) => !small.includes(one))?.file;
    if (large) files.problem = files.t("tooLarge", { name: large.name, size: bytes(large.size), limit: bytes(limit) });
    try {
      await this.queue.add(await this.settle(small.map(({ path, file }) => ({ path: join(folder, path), file }))));
    } catch (error) {
      files.problem = files.words(error);
    }
    const failed = this.queue.items.find(({ state }) => state === "failed");
    if (failed) files.problem = files.t("uploadFailed", { name: failed.file.name, why: failed.why });
    files.expand(folder);
    await files.refresh();
  }

  /** Nothing is written over without a question, and what is replaced goes to the trash. */
  private async settle(wanted: readonly Wanted[]): Promise<Wanted[]> {
    const { files } = this;
    const there = new Set((await names(files.project)).map((path) => join(files.slug, path)));
    const taken = new Set(wanted.map(({ path }) => path).filter((path) => there.has(path)));
    if (taken.size === 0) return [...wanted];
    const answer = await this.ask(taken.size, [...taken][0]?.split("/").at(-1) ?? "");
    const { uploads, gone } = settled(wanted, taken, answer);
    if (gone.length) await throwAway(files.project, gone.map((path) => files.inside(path)));
    return uploads;
  }

  private async ask(count: number, name: string): Promise<Answer> {
    this.clash?.resolve("skip");
    const answer = await new Promise<Answer>((resolve) => {
      this.clash = { count, name, resolve };
      this.files.requestUpdate();
    });
    this.clash = null;
    this.files.requestUpdate();
    return answer;
  }

  question(): TemplateResult | typeof nothing {
    const { clash, files } = this;
    if (!clash) return nothing;
    const { count, name, resolve } = clash;
    const button = (answer: Answer, key: Key): TemplateResult => html`<button @click=${() => { resolve(answer); }}>${files.t(key)}</button>`;
    return html`<div class="note" role="alertdialog" aria-label=${files.t("upload")}><span>${count === 1 ? files.t("clashOne", { name }) : files.t("clashN", { n: count })}</span>
      ${button("replace", "clashReplace")}${button("both", "clashBoth")}${button("skip", "clashSkip")}</div>`;
  }

  progress(): TemplateResult | typeof nothing {
    const { left, sent, size } = this.queue.progress;
    if (left === 0) return nothing;
    const { files } = this;
    const now = this.queue.items.find(({ state }) => state === "sending")?.file.name ?? "";
    return html`<div class="toast"><span><span role="status">${left > 1 ? files.t("uploadingN", { name: now, n: left }) : files.t("uploading", { name: now })}</span>
        <progress aria-label=${files.t("upload")} max=${Math.max(size, 1)} value=${sent}></progress><small class="num">${bytes(sent)} / ${bytes(size)}</small></span>
      <button @click=${() => { this.queue.cancel(); void files.refresh(); }}>${files.t("cancel")}</button></div>`;
  }
}
