"""What a language's driver says to its kernel, beside what the program prints: records on a pipe of their own.

A record is text that ends in NUL: a kind, and after a newline what there is to say. Nothing that a program prints can
be taken for one, since that goes another way.

==========  ================================================================================
``ready``   the driver has started and waits for its first cell
``data``    a JSON object, MIME types and what to show: the value of a cell
``value``   the same, as text
``error``   lines: the error's name, its message, and what is shown of it (else both of these)
``answer``  lines: what was asked for
``done``    the cell is over, or the question
==========  ================================================================================

The other way, on another pipe, come requests, of the same shape:

============  =============================================================================
``run``       a cell's text
``complete``  the text before the cursor. The answer: what of its end is to be replaced,
              and each text that may stand there, a line each
``inspect``   text that ends with a name. The answer: what there is to say of it
``whole``     a cell's text. The answer: whether it is ``complete``, ``incomplete`` or
              ``invalid``
============  =============================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset({"ready", "data", "value", "error", "answer", "done"})
MAX_RECORD = 16 * 1024 * 1024
"""Bytes of a record: what is longer is no value that a page could show."""


class RecordError(ValueError):
    """What came is no record: it is too long, or of an unknown kind."""


@dataclass(frozen=True)
class Failure:
    """An error of a cell, as Jupyter tells it."""

    name: str
    value: str
    traceback: list[str] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        shown = self.traceback or [f"{self.name}: {self.value}" if self.value else self.name]
        return {"ename": self.name, "evalue": self.value, "traceback": shown}


@dataclass(frozen=True)
class Record:
    kind: str
    text: str = ""

    def data(self) -> dict[str, Any]:
        """What a ``data`` or ``value`` record shows; data that is no object is shown as the text that it is."""
        try:
            found = json.loads(self.text) if self.kind == "data" else None
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {"text/plain": self.text}

    def failure(self) -> Failure:
        name, _, rest = self.text.partition("\n")
        value, _, shown = rest.partition("\n")
        return Failure(name or "Error", value, shown.splitlines())


class Records:
    """Bytes as they come, into records."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Record]:
        """All records that are whole with ``data``.

        Raises:
            RecordError: a program that is no driver has written to its pipe.
        """
        self._buffer += data
        *whole, rest = bytes(self._buffer).split(b"\0") if b"\0" in data else (bytes(self._buffer),)
        if len(rest) > MAX_RECORD:
            raise RecordError("a record is too long")
        self._buffer = bytearray(rest)
        for record in whole:
            kind, _, text = record.decode(errors="replace").partition("\n")
            if kind not in KINDS:
                raise RecordError(f"there are no records of kind {kind[:40]!r}")
            yield Record(kind, text)


def request(kind: str, text: str) -> bytes:
    """A request on its way to a driver. A NUL in it would end it: no language has a use for one in its text."""
    return f"{kind}\n{text}".replace("\0", "").encode(errors="replace") + b"\0"
