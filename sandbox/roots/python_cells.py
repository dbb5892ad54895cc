"""Cells in the Python of an image, whatever else that has: the driver of its kernel, see sandbox/runner/records.py.

It reads requests from descriptor 3 and answers on descriptor 4. It runs inside, on any Python from 3.9 on, with nothing
but that one's standard library.
"""

from __future__ import annotations

import ast
import base64
import codeop
import inspect as inspection
import io
import json
import linecache
import os
import re
import rlcompleter
import sys
import traceback
import types
from collections.abc import Iterator
from typing import Any

MIMETYPES = (
    ("text/html", "_repr_html_"),
    ("text/markdown", "_repr_markdown_"),
    ("image/svg+xml", "_repr_svg_"),
    ("image/png", "_repr_png_"),
    ("text/latex", "_repr_latex_"),
)
Names = dict[str, Any]


def main() -> None:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.path[0] = ""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.setdefault("MPLBACKEND", "agg")
    names = module.__dict__
    names["display"] = display
    say("ready")
    number = 0
    for kind, text in requests():
        number += kind == "run"
        try:
            if kind == "run":
                run(names, text, number)
            else:
                say("answer", ANSWERS[kind](names, text))
        except KeyboardInterrupt:
            say("error", "KeyboardInterrupt\nThe cell was interrupted.")
        except SystemExit:
            raise
        except BaseException as error:
            tell(error)
        sys.stdout.flush()
        sys.stderr.flush()
        say("done")


def requests() -> Iterator[tuple[str, str]]:
    waiting = b""
    while True:
        try:
            data = os.read(3, 65536)
        except KeyboardInterrupt:
            continue  # between two cells there is nothing to interrupt
        if not data:
            return
        *whole, waiting = (waiting + data).split(b"\0")
        for request in whole:
            kind, _, text = request.decode().partition("\n")
            yield kind, text


def run(names: Names, code: str, number: int) -> None:
    """Run a cell, compiled as if by itself; the value of an expression at its end is shown."""
    name = f"<cell {number}>"
    linecache.cache[name] = len(code), None, code.splitlines(True), name
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, name, "exec", 0, True), names)  # noqa: S102 - it is what a kernel is for
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), name, "eval", 0, True), names)  # noqa: S307
        if value is not None:
            names["_"] = value
            display(value)
    figures()


def display(*values: Any) -> None:
    for value in values:
        sys.stdout.flush()
        say("data", json.dumps(shown(value)))


def shown(value: Any) -> dict[str, str]:
    """What a value says of itself, as Jupyter asks for it."""
    data = {"text/plain": repr(value)}
    for mimetype, method in MIMETYPES:
        ask = None if isinstance(value, type) else getattr(value, method, None)
        if ask is None:
            continue
        try:
            found = ask()
        except Exception as error:
            sys.stderr.write(f"{method}: {error!r}\n")
            continue
        if isinstance(found, bytes):
            found = base64.b64encode(found).decode()
        if isinstance(found, str):
            data[mimetype] = found
    return data


def figures() -> None:
    """Show the figures that matplotlib has open, if somebody uses it."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot is not None else ():
        drawn = io.BytesIO()
        figure = pyplot.figure(number)
        figure.savefig(drawn, format="png", bbox_inches="tight")
        say("data", json.dumps({"image/png": base64.b64encode(drawn.getvalue()).decode(), "text/plain": str(figure)}))
        pyplot.close(figure)


def tell(error: BaseException) -> None:
    """An error, from the cell's own lines on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    message = " ".join(str(error).split("\n"))
    say("error", "\n".join([type(error).__name__, message, "".join(lines).rstrip()]))


def last_name(text: str) -> str:
    """The name that ``text`` ends with, dots and all."""
    found = re.search(r"[\w.]*$", text)
    return found.group() if found else ""


def complete(names: Names, text: str) -> str:
    before = last_name(text)
    completer = rlcompleter.Completer(names)
    found: list[str] = []
    while before and len(found) < 500:
        name = completer.complete(before, len(found))
        if name is None:
            break
        found.append(name.rstrip("( "))
    return "\n".join([before, *sorted(set(found))])


def inspect(names: Names, text: str) -> str:
    name = last_name(text)
    value: Any = names
    for part in name.split("."):
        value = value.get(part) if value is names else getattr(value, part, None)
        if value is None:
            return ""
    try:
        signature = name + str(inspection.signature(value))
    except (TypeError, ValueError):
        signature = f"{name}: {type(value).__name__}"
    return f"{signature}\n\n{inspection.getdoc(value) or ''}".strip()


def whole(_names: Names, text: str) -> str:
    try:
        return "incomplete" if codeop.compile_command(text, symbol="exec") is None else "complete"
    except (SyntaxError, ValueError, OverflowError):
        return "invalid"


ANSWERS = {"complete": complete, "inspect": inspect, "whole": whole}


def say(kind: str, text: str = "") -> None:
    data = f"{kind}\n{text}".replace("\0", "").encode(errors="replace") + b"\0"
    while data:
        data = data[os.write(4, data) :]


if __name__ == "__main__":
    main()
