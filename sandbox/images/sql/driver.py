"""Reads SQL from descriptor 3 and runs it; see sandbox/runner/records.py for what it says on descriptor 4.

The database is in memory; a cell that says ``.open FILE`` goes on with that file.
"""

from __future__ import annotations

import html
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Iterator

MOST_ROWS = 1000
_STEPS = 10_000  # of SQLite's machine, between two looks at whether there was an interrupt
_NOTHING = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)  # what stands before a statement
interrupted: set[bool] = set()


def main() -> None:
    base = connect(":memory:")
    say("ready")
    signal.signal(signal.SIGINT, lambda *_: interrupted.add(True))
    for code in cells():
        try:
            base = run(base, code)
        except (sqlite3.Error, sqlite3.Warning, OSError) as error:
            said = "Interrupted\nThe cell was interrupted." if interrupted else f"{type(error).__name__}\n{error}"
            say("error", said)
        say("done")


def cells() -> Iterator[str]:
    waiting = b""
    while data := os.read(3, 65536):
        *whole, waiting = (waiting + data).split(b"\0")
        for code in whole:
            interrupted.clear()
            yield code.decode()


def run(base: sqlite3.Connection, code: str) -> sqlite3.Connection:
    if code.strip().startswith(".open "):
        return connect(code.strip().removeprefix(".open ").strip())
    if code.strip() in (".exit", ".quit"):
        sys.exit(3)
    for line, statement in statements(code):
        try:
            show(base.execute(statement))
        except sqlite3.Error as error:
            raise type(error)(f"line {line}: {error}") from None
    return base


def connect(file: str) -> sqlite3.Connection:
    base = sqlite3.connect(file, isolation_level=None)
    base.set_progress_handler(lambda: bool(interrupted), _STEPS)
    return base


def statements(code: str) -> Iterator[tuple[int, str]]:
    """The statements of ``code``, each with its line."""
    begin, end = 0, 0
    while (end := code.find(";", end) + 1) or begin < len(code):
        end = end or len(code)
        statement = code[begin:end]
        if end < len(code) and not sqlite3.complete_statement(statement):
            continue
        before = _NOTHING.match(statement)
        if before and before.end() < len(statement):
            yield code.count("\n", 0, begin + before.end()) + 1, statement
        begin = end


def show(cursor: sqlite3.Cursor) -> None:
    if cursor.description is None:
        return
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchmany(MOST_ROWS)
    more = f"only the first {MOST_ROWS} rows are shown" if cursor.fetchone() else ""
    texts = [[word(value) for value in row] for row in rows]
    say("data", json.dumps({"text/html": table(names, texts, more), "text/plain": plain(names, texts, more)}))


def word(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return "NULL" if value is None else str(value)


def table(names: list[str], rows: list[list[str]], more: str) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(value)}</td>" for value in row) + "</tr>" for row in rows)
    note = f"<p>{more}</p>" if more else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def plain(names: list[str], rows: list[list[str]], more: str) -> str:
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    lines = ["  ".join(v.ljust(w) for v, w in zip(row, widths, strict=True)).rstrip() for row in (names, rule, *rows)]
    return "\n".join([*lines, more] if more else lines)


def say(kind: str, text: str = "") -> None:
    data = f"{kind}\n{text}".replace("\0", "").encode(errors="replace") + b"\0"
    while data:
        data = data[os.write(4, data) :]


if __name__ == "__main__":
    main()
