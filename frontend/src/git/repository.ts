/** The project's repository: git is run inside the session, whose sandbox holds what a repository's settings may start. */
import { type Finished, runCommand } from "../tools/commands.js";
import { type Change, type Commit, LOG_FORMAT, readLog, readStatus, type Status } from "./status.js";

/** Git said no; the message is what it said. */
export class GitError extends Error {}

/** It wants to know who commits. */
export class NoIdentity extends GitError {}

const ENVIRONMENT = ["env", "LC_ALL=C.UTF-8", "GIT_TERMINAL_PROMPT=0", "GIT_EDITOR=true", "GIT_OPTIONAL_LOCKS=0", "git"];

export class Repository {
  constructor(private readonly session: string) {}

  /** Null where the project is none yet. */
  async status(): Promise<Status | null> {
    const finished = await this.run(["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all"]);
    if (finished.exit_code === 128 && finished.stderr.includes("not a git repository")) return null;
    return readStatus(this.check(finished));
  }

  init(): Promise<string> {
    return this.git(["init", "--quiet", "--initial-branch=main"]);
  }

  stage(paths: readonly string[]): Promise<string> {
    return this.git(["add", "--all", "--", ...paths]);
  }

  unstage(paths: readonly string[]): Promise<string> {
    return this.git(["reset", "--quiet", "--", ...paths]);
  }

  /** What is not staged of it is lost. */
  discard({ letter, path }: Change): Promise<string> {
    return this.git(letter === "?" ? ["clean", "--force", "--quiet", "--", path] : ["restore", "--", path]);
  }

  /** @throws NoIdentity */
  commit(message: string): Promise<string> {
    return this.git(["commit", "--quiet", "--file=-"], message);
  }

  async identify(name: string, email: string): Promise<void> {
    await this.git(["config", "user.name", name]);
    await this.git(["config", "user.email", email]);
  }

  async log(count: number): Promise<Commit[]> {
    return readLog(await this.git(["log", `--max-count=${String(count)}`, "-z", `--format=${LOG_FORMAT}`]));
  }

  /** The text before and after a change; null for a side that is not text, or too large. */
  async sides({ path, before, letter, staged }: Change): Promise<[string | null, string | null]> {
    const shown = (what: string): Promise<string | null> => this.text(["show", what]);
    const old = letter === "?" || letter === "A" ? "" : await shown(staged ? `HEAD:${before || path}` : `:${path}`);
    if (letter === "D") return [old, ""];
    const fresh = staged ? await shown(`:${path}`) : text(await runCommand(this.session, ["cat", "--", path]));
    return [old, fresh];
  }

  private async text(words: readonly string[]): Promise<string | null> {
    return text(await this.run(words));
  }

  private run(words: readonly string[], stdin = ""): Promise<Finished> {
    return runCommand(this.session, [...ENVIRONMENT, ...words], { stdin });
  }

  private async git(words: readonly string[], stdin = ""): Promise<string> {
    return this.check(await this.run(words, stdin));
  }

  private check({ exit_code, stdout, stderr, cause }: Finished): string {
    if (exit_code === 0 && !cause) return stdout;
    if (/tell me who you are|unable to auto-detect email|empty ident/i.test(stderr)) throw new NoIdentity(stderr);
    const words = [stderr, stdout].map((one) => one.trim()).find(Boolean) ?? cause;
    throw new GitError(words.replace(/^(fatal|error): /, "").split("\n").slice(0, 4).join("\n"));
  }
}

function text({ exit_code, stdout, cause }: Finished): string | null {
  return exit_code === 0 && !cause && !stdout.includes("\0") ? stdout : null;
}
