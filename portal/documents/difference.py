"""The difference between two texts, as few and small edits as can be had quickly. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

_MOST_LINES = 4000  # in what differs; comparing takes time that grows with their square
_MOST_PAIRS = 1_000_000

Edit = tuple[int, int, str]
"""Characters from, to, and what is there instead. Positions are those of the old text."""


def edits(old: str, new: str) -> list[Edit]:
    """What makes ``new`` of ``old``, in order: lines first, and characters within those that changed."""
    start, end = _ends(old, new)
    a, b = old[start : len(old) - end].splitlines(True), new[start : len(new) - end].splitlines(True)
    if len(a) + len(b) > _MOST_LINES:
        return [(start, len(old) - end, new[start : len(new) - end])]
    return [edit for block in _blocks(a, b, start) for edit in _characters(*block)]


Block = tuple[int, str, str]
"""Where, what is there, and what is there instead."""


def _blocks(a: list[str], b: list[str], at: int) -> Iterator[Block]:
    places = [at]
    for line in a:
        places.append(places[-1] + len(line))
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            yield places[i1], "".join(a[i1:i2]), "".join(b[j1:j2])


def _characters(at: int, old: str, new: str) -> Iterator[Edit]:
    start, end = _ends(old, new)
    old, new, at = old[start : len(old) - end], new[start : len(new) - end], at + start
    if not old or not new or len(old) * len(new) > _MOST_PAIRS:
        yield at, at + len(old), new
        return
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield at + i1, at + i2, new[j1:j2]


def _ends(a: str, b: str) -> tuple[int, int]:
    """How much both begin with, and how much of the rest both end with."""
    start = _common(a, b)
    return start, _common(a[start:][::-1], b[start:][::-1])


def _common(a: str, b: str) -> int:
    """The length of what both begin with."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
