"""Reads requests from descriptor 3 and answers on descriptor 4; see sandbox/runner/records.py for both.

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
KEYWORDS = """
ADD ALTER AND AS ASC BEGIN BETWEEN BY CASE COMMIT CREATE CROSS DEFAULT DELETE DESC DISTINCT DROP ELSE END EXISTS FOREIGN
FROM GROUP HAVING IN INDEX INNER INSERT INTO IS JOIN KEY LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER PRAGMA
PRIMARY RECURSIVE REFERENCES ROLLBACK SELECT SET TABLE THEN UNION UNIQUE UPDATE VALUES VIEW WHEN WHERE WITH
""".split()  # noqa: SIM905 - a list of words reads as one
interrupted: set[bool] = set()


def main() -> None:
    base = connect(":memory:")
    say("ready")
    signal.signal(signal.SIGINT, lambda *_: interrupted.add(True))
    for kind, text in requests():
        try:
            if kind == "run":
                base = run(base, text)
            else:
                say("answer", ANSWERS[kind](base, text))
        except (sqlite3.Error, sqlite3.Warning, OSError) as error:
            said = "Interrupted\nThe cell was interrupted." if interrupted else f"{type(error).__name__}\n{error}"
            say("error", said)
        say("done")


def requests() -> Iterator[tuple[str, str]]:
    waiting = b""
    while data := os.read(3, 65536):
        *whole, waiting = (waiting + data).split(b"\0")
        for request in whole:
            interrupted.clear()
            kind, _, text = request.decode().partition("\n")
            yield kind, text


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


def complete(base: sqlite3.Connection, text: str) -> str:
    """Tables, columns, functions and keywords; after a table's name and a dot its columns."""
    match = re.search(r"(?:(\w+)\.)?(\w*)$", text)
    owner, last = match.groups() if match else (None, "")
    if owner:
        names = columns(base, owner)
    else:
        own = tables(base)
        functions = {name for (name,) in base.execute("SELECT name FROM pragma_function_list")}
        names = {*own, *(column for table in own for column in columns(base, table)), *functions, *KEYWORDS}
    fitting = sorted(name for name in names if name.lower().startswith(last.lower()) and re.match(r"\w+$", name))
    return "\n".join([last, *fitting])


def inspect(base: sqlite3.Connection, text: str) -> str:
    """How the table or index was made whose name ends ``text``."""
    match = re.search(r"\w+$", text)
    query = "SELECT sql FROM sqlite_master WHERE lower(name) = lower(?) AND sql IS NOT NULL"
    found = base.execute(query, (match[0],)).fetchone() if match else None
    return str(found[0]) if found else ""


def whole(base: sqlite3.Connection, text: str) -> str:
    return "complete" if text.strip().startswith(".") or sqlite3.complete_statement(text) else "incomplete"


def tables(base: sqlite3.Connection) -> set[str]:
    return {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}


def columns(base: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in base.execute("SELECT name FROM pragma_table_info(?)", (table,))}


ANSWERS = {"complete": complete, "inspect": inspect, "whole": whole}


def say(kind: str, text: str = "") -> None:
    data = f"{kind}\n{text}".replace("\0", "").encode(errors="replace") + b"\0"
    while data:
        data = data[os.write(4, data) :]


if __name__ == "__main__":
    main()
