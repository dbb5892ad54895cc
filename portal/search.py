"""Search in what a project's files hold, and what a replacement would make of it.

Patterns are somebody's input and the files are a program's, so matching is RE2's: its time grows with the text,
never exponentially. Lines are matched one by one; a pattern cannot span two.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import re2
from django.utils.translation import gettext as _

from portal.files import Files
from portal.walk import Walk
from sessions.problems import Problem, invalid

LARGEST_FILE = 2 * 1024 * 1024
MOST_MATCHES = 2000
MOST_IN_FILE = 200
MOST_SECONDS = 10.0
_LONGEST_LINE = 20_000
_CONTEXT = 120
_PATTERN_MEMORY = 1 << 20
_ENDINGS = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True)
class Query:
    """What to look for. ``replacement`` is None where nothing is to be replaced; with ``regex`` its ``$1``, ``$2`` …
    are the groups and ``$0`` is all that matched. ``only`` are name patterns such as ``*.py``, none for all."""

    text: str
    regex: bool = False
    case: bool = False
    word: bool = False
    replacement: str | None = None
    only: tuple[str, ...] = ()

    def pattern(self) -> Any:
        """Compiled.

        Raises:
            Problem: it is no pattern, or matches the empty text.
        """
        source = self.text if self.regex else re2.escape(self.text)
        options = re2.Options()
        options.case_sensitive, options.log_errors, options.max_mem = self.case, False, _PATTERN_MEMORY
        try:
            compiled = re2.compile(rf"\b(?:{source})\b" if self.word else source, options)
        except re2.error as error:
            raise invalid(_("This is not a pattern: %s.") % _said(error)) from error
        if compiled.search("") is not None:
            raise invalid(_("This pattern matches nothing at all, everywhere."), _("Use + in place of *."))
        return compiled

    def wants(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return not self.only or any(fnmatchcase(path if "/" in glob else name, glob) for glob in self.only)

    def filler(self) -> Callable[[Any], str]:
        """What stands in place of a match."""
        replacement = self.replacement or ""
        if not self.regex:
            return lambda match: replacement
        return lambda match: re.sub(r"\$(\$|\d)", lambda mark: _group(match, mark[1]), replacement)


def _group(match: Any, mark: str) -> str:
    if mark == "$":
        return "$"
    return (match.group(int(mark)) or "") if int(mark) <= match.re.groups else ""


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


@dataclass
class Search:
    """Iterate for one JSON-able record for each file with matches, and a last one (see docs/developers)."""

    files: Files
    query: Query
    seconds: float = MOST_SECONDS
    _matches: int = 0
    _looked: int = 0
    _passed_over: int = 0
    _ends: float = field(default=0.0)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        pattern, fill = self.query.pattern(), self.query.filler()
        self._ends = time.monotonic() + self.seconds
        walk, more = Walk(self.files), False
        for found in walk:
            if self._matches >= MOST_MATCHES or time.monotonic() > self._ends:
                more = True
                break
            if found.entry.kind != "file" or not self.query.wants(found.path):
                continue
            text = text_of(self.files, found.path)
            if text is None:
                self._passed_over += 1
                continue
            self._looked += 1
            matches = self._in(text, pattern, fill)
            if matches:
                self._matches += len(matches)
                yield {
                    "type": "file",
                    "path": found.path,
                    "modified": found.entry.modified.isoformat(),
                    "matches": matches,
                }
        yield {
            "type": "end",
            "matches": self._matches,
            "files": self._looked,
            "passed_over": self._passed_over,
            "more": more or walk.more,
        }

    def _in(self, text: str, pattern: Any, fill: Callable[[Any], str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, line in enumerate(lines(text), 1):
            for match in pattern.finditer(line[:_LONGEST_LINE]):
                start, end = match.span()
                if start == end:
                    continue
                record = {
                    "line": number,
                    "column": _utf16(line[:start]) + 1,
                    "before": line[max(0, start - _CONTEXT) : start].lstrip(),
                    "match": line[start:end][:_CONTEXT],
                    "after": line[end : end + _CONTEXT],
                }
                if self.query.replacement is not None:
                    record["replaced"] = fill(match)[:_CONTEXT]
                found.append(record)
                if len(found) >= MOST_IN_FILE:
                    return found
            if time.monotonic() > self._ends:
                return found
        return found


def replaced(text: str, query: Query) -> tuple[str, int]:
    """``text`` with every match of ``query`` replaced, as :class:`Search` showed it, and how many there were."""
    pattern, fill = query.pattern(), query.filler()
    count, out = 0, []
    for line in _ENDINGS.split(text):
        if line in {"\n", "\r\n", "\r"}:
            out.append(line)
            continue
        body = line
        at = 0
        for match in pattern.finditer(body[:_LONGEST_LINE]):
            start, end = match.span()
            if start == end:
                continue
            out += [body[at:start], fill(match)]
            at, count = end, count + 1
        out.append(line[at:])
    return "".join(out), count


def lines(text: str) -> list[str]:
    """The lines, where an editor ends them: Python's ``splitlines`` knows more ends than that."""
    return _ENDINGS.split(text)[::2]


def text_of(files: Files, path: str) -> str | None:
    """A file's text; None where it is not UTF-8 text, too large, or cannot be read."""
    try:
        data = files.read(path, LARGEST_FILE)
    except Problem:
        return None
    if b"\0" in data[:8192]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _utf16(text: str) -> int:
    """How long a browser says that ``text`` is."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
