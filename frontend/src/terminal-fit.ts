/** The size of a terminal that several people may look at: the server says it (docs/decisions/a-terminal-is-shared.md).
 *
 * What this window has room for is a wish. A screen larger than the room is drawn with smaller letters. */
import type { Terminal } from "@xterm/xterm";
import { FONT_SIZE, type Screen } from "./terminal-screen.js";

export interface Size {
  rows: number;
  cols: number;
}

/** The wish of a terminal out of sight: it has no say, and nobody is there. */
const NOWHERE: Size = { rows: 0, cols: 0 };
const SMALLEST_FONT = 5;
/** A window that is dragged has many sizes, and a program draws again for each: it is told of those that last. */
const LASTS_MS = 60;

export class Fitting {
  private readonly terminal: Terminal;
  private wished: Size = NOWHERE;
  /** What the server said, once it did. */
  private told: Size | null = null;
  /** The last one it said, while no output came behind it. */
  private newest: { over: boolean } | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly screen: Screen, private readonly inSight: () => boolean, private readonly say: () => void) {
    this.terminal = screen.terminal;
  }

  get wish(): Size {
    return this.wished;
  }

  /** Is the size another one's? */
  get foreign(): boolean {
    return this.told !== null && this.wished.rows > 0 && !same(this.told, this.wished);
  }

  /** The panel may have another size now, or be out of sight. */
  look(): void {
    const room = this.inSight() ? this.room() : null;
    const wish = room ?? NOWHERE;
    if (!same(wish, this.wished)) {
      this.wished = wish;
      if (room && !this.told) this.terminal.resize(room.cols, room.rows);
      clearTimeout(this.timer);
      this.timer = setTimeout(this.say, LASTS_MS);
    }
    if (room) this.scale(room);
  }

  /** The server says that what comes from here on is for this size. */
  tell(size: Size, then: () => void): void {
    if (this.newest) this.newest.over = true; // a size for which nothing was drawn
    const mine = (this.newest = { over: false });
    this.terminal.write("", () => {
      if (mine.over) return;
      this.told = size;
      this.terminal.resize(size.cols, size.rows);
      this.look();
      then();
    });
  }

  /** Output comes for the size that was told last. */
  drawn(): void {
    this.newest = null;
  }

  end(): void {
    clearTimeout(this.timer);
  }

  /** What there is room for with letters of the usual size. */
  private room(): Size | null {
    this.write(FONT_SIZE);
    return this.screen.room();
  }

  private scale(room: Size): void {
    const { rows, cols } = this.terminal;
    let size = Math.min(FONT_SIZE, Math.ceil(FONT_SIZE * 2 * Math.min(room.rows / rows, room.cols / cols)) / 2);
    for (; size > SMALLEST_FONT; size -= 0.5) {
      this.write(size);
      const now = this.screen.room();
      if (!now || (now.rows >= rows && now.cols >= cols)) return;
    }
    this.write(SMALLEST_FONT);
  }

  private write(size: number): void {
    if (this.terminal.options.fontSize !== size) this.terminal.options.fontSize = size;
  }
}

function same(one: Size, other: Size): boolean {
  return one.rows === other.rows && one.cols === other.cols;
}
