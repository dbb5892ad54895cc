/** What changed in the project since its last commit: stage, compare, discard, commit, look back.
 *
 * Attributes: `session` (id; empty while none runs), `author` (a name to propose), `language`.
 * Events: `madang-branch` {branch, changes}, `madang-files-changed`. CSS variables: those of tokens.css. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError } from "../api.js";
import { MadangElement } from "../element.js";
import { icon } from "../icons.js";
import { shared } from "../styles.js";
import { gitStyle } from "./git-style.js";
import { NoIdentity, Repository } from "./repository.js";
import type { Change, Commit, Status } from "./status.js";

const COMMITS = 50;

@customElement("madang-git")
export class MadangGit extends MadangElement {
  static override styles = [shared, gitStyle];

  @property() session = "";
  @property() author = "";
  @state() private status: Status | null = null;
  @state() private phase: "waiting" | "ready" | "none" = "waiting";
  @state() private problem = "";
  @state() private busy = false;
  @state() private chosen: Change | null = null;
  @state() private noText = false;
  @state() private asking: Change | null = null;
  @state() private identify = false;
  @state() private draft = "";
  @state() private commits: readonly Commit[] | null = null;
  @query(".diff") private place!: HTMLElement | null;
  @query("textarea") private message!: HTMLTextAreaElement | null;
  private takeAway: () => void = () => undefined;
  private looking = false;
  private again = false;

  private get repository(): Repository {
    return new Repository(this.session);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(window, "focus", () => void this.refresh());
    this.onLeave(() => { this.takeAway(); });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("session")) void this.refresh();
  }

  /** Look again; calls meanwhile are one more look. */
  async refresh(): Promise<void> {
    if (!this.session) {
      this.phase = "waiting";
      return;
    }
    this.again = this.looking;
    if (this.looking) return;
    this.looking = true;
    try {
      this.status = await this.repository.status();
      this.phase = this.status ? "ready" : "none";
      this.emit("madang-branch", { branch: this.status?.branch ?? "", changes: new Set(this.status?.changes.map(({ path }) => path)).size });
      await this.stillChosen();
    } catch (error) {
      this.fail(error);
    } finally {
      this.looking = false;
      if (this.again) void this.refresh();
    }
  }

  private async stillChosen(): Promise<void> {
    const { chosen } = this;
    if (!chosen) return;
    const same = this.status?.changes.find(({ path, staged }) => path === chosen.path && staged === chosen.staged);
    await this.compare(same ?? null);
  }

  private fail(error: unknown): void {
    this.problem = error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(" ") : error instanceof Error ? error.message : String(error);
  }

  private async act(what: (repository: Repository) => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.problem = "";
    try {
      await what(this.repository);
      return true;
    } catch (error) {
      if (error instanceof NoIdentity) this.identify = true;
      else this.fail(error);
      return false;
    } finally {
      this.busy = false;
      await this.refresh();
      if (this.commits) await this.look(true);
    }
  }

  private async compare(change: Change | null): Promise<void> {
    this.chosen = change;
    this.noText = false;
    if (!change) {
      this.takeAway();
      return;
    }
    try {
      const [[before, after], { showDiff }] = await Promise.all([this.repository.sides(change), import("./diff-view.js")]);
      if (this.chosen !== change) return;
      this.takeAway();
      this.takeAway = () => undefined;
      this.noText = before === null || after === null;
      await this.updateComplete;
      if (before === null || after === null || !this.place) return;
      this.takeAway = await showDiff(this.place, this.renderRoot as ShadowRoot, change.path, before, after, this.t("gitCompared", { name: change.path }));
    } catch (error) {
      this.fail(error);
    }
  }

  private async commit(event?: Event): Promise<void> {
    event?.preventDefault();
    const text = this.draft.trim();
    if (!text) {
      this.message?.focus();
      return;
    }
    if (await this.act((repository) => repository.commit(text))) this.draft = "";
  }

  private async saveIdentity(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const word = (key: string): string => String(form.get(key)).trim();
    if (!(await this.act((repository) => repository.identify(word("name"), word("email"))))) return;
    this.identify = false;
    await this.updateComplete;
    await this.commit();
  }

  private async discard(change: Change): Promise<void> {
    this.asking = null;
    if (await this.act((repository) => repository.discard(change))) this.emit("madang-files-changed");
  }

  private async look(open: boolean): Promise<void> {
    try {
      this.commits = open ? (this.status?.born ? await this.repository.log(COMMITS) : []) : null;
    } catch (error) {
      this.fail(error);
    }
  }

  override render(): TemplateResult {
    if (this.phase === "waiting") return html`<div class="empty none">${this.problem || this.t("gitWaits")}</div>`;
    if (this.phase === "none") {
      return html`<div class="none">${this.trouble()}<div class="empty"><b>${this.t("gitNone")}</b><span>${this.t("gitNoneHint")}</span>
        <button class="primary" ?disabled=${this.busy} @click=${() => void this.act((repository) => repository.init())}>${this.t("gitInit")}</button></div></div>`;
    }
    const changes = this.status?.changes ?? [];
    const [staged, others] = [changes.filter((one) => one.staged), changes.filter((one) => !one.staged)];
    return html`<div class="side">${this.head()}${this.trouble()}${this.form(staged.length > 0)}
        ${staged.length > 0 ? this.group(this.t("gitStaged"), staged, this.t("gitUnstageAll"), (all) => this.act((repository) => repository.unstage(all))) : nothing}
        ${others.length > 0 ? this.group(this.t("gitChanges"), others, this.t("gitStageAll"), (all) => this.act((repository) => repository.stage(all))) : nothing}
        ${changes.length === 0 ? html`<p class="muted">${this.t("gitClean")}</p>` : nothing}
        <h3><button class="quiet" aria-expanded=${this.commits !== null} @click=${() => void this.look(this.commits === null)}>${icon(this.commits ? "down" : "chevron")}${this.t("gitLog")}</button></h3>
        ${this.commits ? this.log(this.commits) : nothing}</div>
      <div class="compare">${this.chosen && !this.noText ? nothing : html`<div class="empty">${this.noText ? this.t("gitNoText") : this.t("gitChoose")}</div>`}
        ${this.chosen ? html`<div class="name">${this.chosen.path}</div>` : nothing}<div class="diff" ?hidden=${!this.chosen || this.noText}></div></div>`;
  }

  private head(): TemplateResult {
    const { status } = this;
    const distance = [status?.ahead ? `↑${String(status.ahead)}` : "", status?.behind ? `↓${String(status.behind)}` : ""].filter(Boolean).join(" ");
    return html`<div class="head">${icon("branch")}<b>${status?.branch}</b><span class="muted">${status?.upstream ? `${status.upstream} ${distance}` : nothing}</span>
      <button class="icon quiet" title=${this.t("refresh")} aria-label=${this.t("refresh")} @click=${() => void this.refresh()}>${icon("refresh")}</button></div>`;
  }

  private trouble(): TemplateResult | typeof nothing {
    return this.problem ? html`<div class="note bad" role="alert"><span>${this.problem}</span><button class="quiet" @click=${() => { this.problem = ""; }}>${this.t("close")}</button></div>` : nothing;
  }

  private form(ready: boolean): TemplateResult {
    if (this.identify) {
      return html`<form class="identity" @submit=${(event: SubmitEvent) => void this.saveIdentity(event)}><p>${this.t("gitWho")}</p>
        <label>${this.t("gitName")}<input name="name" required .value=${this.author}></label><label>${this.t("gitEmail")}<input name="email" type="email" required></label>
        <div class="row"><button class="primary">${this.t("gitCommit")}</button><button type="button" @click=${() => { this.identify = false; }}>${this.t("cancel")}</button></div></form>`;
    }
    return html`<form @submit=${(event: SubmitEvent) => void this.commit(event)}>
      <textarea rows="2" .value=${this.draft} @input=${(event: InputEvent) => { this.draft = (event.target as HTMLTextAreaElement).value; }} aria-label=${this.t("gitMessage")} placeholder=${this.t("gitMessage")}
        @keydown=${(event: KeyboardEvent) => { if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.stopPropagation(); void this.commit(event); } }}></textarea>
      <button class="primary" ?disabled=${!ready || this.busy} title="Ctrl+Enter">${this.t("gitCommit")}</button></form>`;
  }

  private group(title: string, changes: readonly Change[], all: string, act: (paths: string[]) => Promise<boolean>): TemplateResult {
    return html`<h3>${title} <span class="muted num">${changes.length}</span><button class="icon quiet" title=${all} aria-label=${all} ?disabled=${this.busy}
        @click=${() => void act(changes.map(({ path }) => path))}>${icon(changes[0]?.staged ? "minus" : "plus")}</button></h3>
      <ul>${repeat(changes, ({ path }) => path, (change) => this.row(change))}</ul>`;
  }

  private row(change: Change): TemplateResult {
    const { path, letter, staged } = change;
    if (this.asking?.path === path && !staged) {
      return html`<li class="asking" role="alertdialog" aria-label=${this.t("gitDiscardSure", { name: path })}><span>${this.t("gitDiscardSure", { name: path })}</span>
        <button class="danger" @click=${() => void this.discard(change)}>${this.t("gitDiscard")}</button><button autofocus @click=${() => { this.asking = null; }}>${this.t("cancel")}</button></li>`;
    }
    const one = (key: "gitStage" | "gitUnstage" | "gitDiscard"): string => `${this.t(key)}: ${path}`;
    const name = path.slice(path.lastIndexOf("/") + 1);
    const on = this.chosen?.path === path && this.chosen.staged === staged;
    return html`<li class=${on ? "on" : ""}><button class="file" aria-pressed=${on} title=${path} @click=${() => void this.compare(change)}>
        <i class="letter ${letter === "?" || letter === "A" ? "new" : letter === "D" || letter === "U" ? "gone" : ""}">${letter === "?" ? "N" : letter}</i><span>${name}</span><span class="muted">${path.slice(0, -name.length - 1)}</span></button>
      ${staged ? nothing : html`<button class="icon quiet" title=${this.t("gitDiscard")} aria-label=${one("gitDiscard")} @click=${() => { this.asking = change; }}>${icon("undo")}</button>`}
      <button class="icon quiet" title=${this.t(staged ? "gitUnstage" : "gitStage")} aria-label=${one(staged ? "gitUnstage" : "gitStage")} ?disabled=${this.busy}
        @click=${() => void this.act((repository) => (staged ? repository.unstage([path]) : repository.stage([path])))}>${icon(staged ? "minus" : "plus")}</button></li>`;
  }

  private log(commits: readonly Commit[]): TemplateResult {
    if (commits.length === 0) return html`<p class="muted">${this.t("gitNoCommits")}</p>`;
    const when = new Intl.DateTimeFormat(this.languageCode, { dateStyle: "medium", timeStyle: "short" });
    return html`<ol>${commits.map(({ hash, author, when: at, subject }) => html`<li title=${subject}><span>${subject}</span><span class="muted"><code>${hash}</code> ${author} · ${when.format(new Date(at))}</span></li>`)}</ol>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-git": MadangGit;
  }
}
