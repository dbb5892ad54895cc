"""Earlier states of a document, from its log. Synchronous."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from portal.documents import kinds, log
from portal.documents.models import Document, Update
from sessions.problems import not_found
from sessions.represent import timestamp

_MOST_ROWS = 20_000
_BESIDE = timedelta(seconds=2)
"""What others did within this time was done at the same time: apart, each of their keystrokes would be a state."""
_GOES_ON = {log.EDIT, log.KERNEL}


def states(row: Document, limit: int, before: int | None = None) -> dict[str, Any]:
    """The newest ``limit`` states, of those made ``before`` an update where it is given; and where the rest begins."""
    found = Update.objects.filter(document=row)
    if before is not None:
        found = found.filter(number__lt=before)
    rows = [*found.select_related("author").defer("data").order_by("-number")[:_MOST_ROWS]]
    groups = _together(reversed(rows))
    if len(rows) == _MOST_ROWS and len(groups) > 1:
        del groups[0]  # it may have begun earlier
    shown = groups[-limit:]
    more = bool(shown) and found.filter(number__lt=shown[0][0].number).exists()
    return {"items": [_state(group) for group in reversed(shown)], "next": shown[0][0].number if more else None}


def _together(rows: Iterable[Update]) -> list[list[Update]]:
    """What was written without a pause, each group in order; what a program wrote and what was restored apart."""
    found: list[list[Update]] = []
    for row in rows:
        if found and _belongs(row, found[-1]):
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _belongs(row: Update, group: list[Update]) -> bool:
    last = group[-1]
    if not {row.origin, last.origin} <= _GOES_ON or row.at - group[0].at >= log.LONGEST:
        return False
    same = (row.author_id, row.origin) == (last.author_id, last.origin)
    return row.at - last.at < (log.PAUSE if same else _BESIDE)


def _state(group: list[Update]) -> dict[str, Any]:
    last = group[-1]
    authors = {row.author_id: row.author for row in group if row.author is not None}
    origins = {row.origin for row in group}
    return {
        "number": last.number,
        "at": timestamp(last.at),
        "authors": [{"id": id, "name": author.display_name} for id, author in authors.items()],
        "origin": log.EDIT if log.EDIT in origins else last.origin,
    }


def text_at(row: Document, number: int) -> str:
    """The file as it was with all updates up to ``number``.

    Raises:
        Problem: 404, it is not kept.
    """
    if not Update.objects.filter(document=row, number=number).exists():
        raise not_found("state")
    doc = log.at(row.pk, number)
    try:
        return kinds.render(doc, row.kind, "\n", b"").decode()
    except kinds.NotADocument as error:
        raise not_found("state") from error
