/** A file that runs: its terminal, and the places in files that it speaks of.
 *
 * Attributes: `session`, `slug`, `language`. Events: `madang-marks` (what to show beside the code), `madang-place`
 * {path, line, column} (the person wants to see it). CSS variables: those of tokens.css. */
import type { IBufferLine, Terminal } from "@xterm/xterm";
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { ApiError } from "../api.js";
import { MadangElement } from "../element.js";
import { icon } from "../icons.js";
import "../madang-terminal.js";
import { marksOf, placesIn, projectPath } from "../servers/places.js";
import { shared } from "../styles.js";
import { toolsStyle } from "./tools-style.js";
import { endProgram, type Program, startProgram } from "./commands.js";

/** Where the project lies inside (sandbox/jail/plan.py): what programs call it. */
const ROOT = /^\/home\/[^/]+\/project(?=\/)/;

@customElement("madang-run")
export class MadangRun extends MadangElement {
  static override styles = [shared, toolsStyle, css`:host { border: 0; } madang-terminal { min-height: 0; }`];

  @property() session = "";
  @property() slug = "";
  @state() private program: (Program & { path: string; session: string }) | null = null;
  @state() private ended: string | null = null;
  @state() private problem = "";
  private terminal: Terminal | null = null;

  /** Run `path` (with the slug in front); what ran before is ended. */
  async run(path: string): Promise<void> {
    const before = this.program;
    this.problem = "";
    this.emit("madang-marks", []);
    try {
      if (before) await endProgram(before.session, before.name);
      const program = await startProgram(this.session, path.slice(this.slug.length + 1));
      this.ended = null;
      this.program = { ...program, path, session: this.session };
      await this.updateComplete;
      this.renderRoot.querySelector("madang-terminal")?.focus();
    } catch (error) {
      this.problem = error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(" ") : String(error);
    }
  }

  private async end(): Promise<void> {
    if (this.program && this.ended === null) await endProgram(this.program.session, this.program.name);
  }

  private onEnd(reason: string): void {
    this.ended = reason;
    const { terminal } = this;
    if (!terminal) return;
    terminal.write("", () => { this.emit("madang-marks", marksOf(linesOf(terminal).map(({ text }) => text), (file) => this.inProject(file))); });
  }

  private inProject(file: string): string | null {
    const root = ROOT.exec(file)?.[0] ?? "/project";
    return projectPath(file, this.program?.folder ?? "", root);
  }

  private onTerminal(terminal: Terminal): void {
    this.terminal = terminal;
    terminal.registerLinkProvider({
      provideLinks: (row, give) => {
        const line = linesOf(terminal).find(({ first, last }) => first <= row && row <= last);
        const links = line ? placesIn(line.text).flatMap((place) => {
          const path = this.inProject(place.file);
          if (path === null) return [];
          const at = (index: number) => ({ x: (index % terminal.cols) + 1, y: line.first + Math.floor(index / terminal.cols) });
          return [{ range: { start: at(place.start), end: at(place.end - 1) }, text: place.file, activate: () => { this.emit("madang-place", { path, line: place.line, column: place.column }); } }];
        }) : [];
        give(links);
      },
    });
  }

  override render(): TemplateResult {
    const { program, ended } = this;
    if (!program) return html`<div class="empty">${this.problem ? html`<span role="alert">${this.problem}</span>` : this.t("runHint")}</div>`;
    const name = program.path.slice(program.path.lastIndexOf("/") + 1);
    const status = /^exited with status (\d+)$/.exec(ended ?? "")?.[1];
    const words = status === "0" ? this.t("programDone") : status ? this.t("exitStatus", { n: status }) : this.t("programEnds", { why: ended ?? "" });
    return html`<div class="bar"><code title=${program.command}>${program.command}</code>
        ${this.problem ? html`<span class="bad" role="alert">${this.problem}</span>` : nothing}
        <span role="status" class=${status === "0" ? "good" : ended === null ? "muted" : "bad"}>${ended === null ? this.t("programRuns") : words}</span>
        ${ended === null ? html`<button class="danger" @click=${() => void this.end()}>${icon("stop")}${this.t("endProgram")}</button>`
          : html`<button @click=${() => void this.run(program.path)}>${icon("restart")}${this.t("runAgainHere")}</button>`}</div>
      ${keyed(program.name, html`<madang-terminal session=${program.session} name=${program.name} program label=${this.t("outputOf", { name })} language=${this.language}
        @madang-terminal=${(event: CustomEvent<Terminal>) => { this.onTerminal(event.detail); }} @madang-ended=${(event: CustomEvent<{ reason: string }>) => { this.onEnd(event.detail.reason); }}
        @madang-link=${(event: Event) => { event.stopPropagation(); }}></madang-terminal>`)}`;
  }
}

/** A terminal's lines as the program wrote them: rows that wrapped are one. `first` and `last` count rows from 1. */
function linesOf(terminal: Terminal): { text: string; first: number; last: number }[] {
  const { active } = terminal.buffer;
  const lines: { text: string; first: number; last: number }[] = [];
  for (let row = 0; row < active.length; row += 1) {
    const line: IBufferLine | undefined = active.getLine(row);
    const text = line?.translateToString(!active.getLine(row + 1)?.isWrapped) ?? "";
    const before = lines.at(-1);
    if (line?.isWrapped && before) {
      before.text += text;
      before.last = row + 1;
    } else lines.push({ text, first: row + 1, last: row + 1 });
  }
  return lines;
}

declare global {
  interface HTMLElementTagNameMap {
    "madang-run": MadangRun;
  }
}
