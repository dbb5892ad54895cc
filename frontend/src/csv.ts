/** Tables as text (RFC 4180, with the separators that people use), a piece at a time. Pure. */

/** The separator that the first line has most of, outside quotes. */
export function separatorOf(text: string): string {
  const line = (/^[^\n]*/.exec(text)?.[0] ?? "").replace(/"[^"]*"/g, "");
  const count = (mark: string): number => line.split(mark).length;
  return [",", "\t", ";", "|"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

export class CsvReader {
  private field = "";
  private row: string[] = [];
  private quoted = false;
  /** A quote was just read inside quotes: it ends them, or a second one follows. */
  private closing = false;
  private returned = false;

  constructor(private readonly separator: string) {}

  /** The rows that `text`, what comes next of the file, completes. */
  take(text: string): string[][] {
    const rows: string[][] = [];
    for (const letter of text) {
      if (this.returned && letter === "\n") {
        this.returned = false;
        continue;
      }
      this.returned = false;
      if (this.quoted && !this.inQuotes(letter)) continue;
      if (letter === '"' && this.field === "") this.quoted = true;
      else if (letter === this.separator) this.endField();
      else if (letter === "\n" || letter === "\r") {
        this.returned = letter === "\r";
        rows.push(this.endRow());
      } else this.field += letter;
    }
    return rows;
  }

  /** The last row, where no line end follows it. */
  end(): string[][] {
    return this.field || this.row.length ? [this.endRow()] : [];
  }

  /** Whether `letter` is to be read as outside of quotes. */
  private inQuotes(letter: string): boolean {
    if (this.closing) {
      this.closing = false;
      if (letter !== '"') {
        this.quoted = false;
        return true;
      }
      this.field += '"';
    } else if (letter === '"') this.closing = true;
    else this.field += letter;
    return false;
  }

  private endField(): void {
    this.row.push(this.field);
    this.field = "";
  }

  private endRow(): string[] {
    this.endField();
    const { row } = this;
    this.row = [];
    return row;
  }
}
