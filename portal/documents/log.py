"""The log of a document in the database: appended to, read, compacted. Synchronous.

Numbers are given under the lock of the document's row: they have no gaps when they are new, and whoever has all
below a number has the document as it was then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from pycrdt import Doc, merge_updates

from portal.documents.kinds import load
from portal.documents.models import Document, Snapshot, Update

EDIT, DISK, KERNEL, RESTORE = "edit", "disk", "kernel", "restore"
COMPACT_AT = 400
"""So many updates since the last snapshot make the next one."""
PAUSE = timedelta(seconds=60)
"""What one author wrote with shorter pauses becomes one row, once it is older than this."""
LONGEST = timedelta(minutes=10)
"""Longer than this nothing is one row, or one state of the history."""
_SNAPSHOTS = 3


class Gone(Exception):
    """The document's row is no longer there: its project was removed."""


@dataclass(frozen=True)
class Change:
    """What is to be appended."""

    data: bytes
    author: int | None
    origin: str


def append(document: UUID, changes: Iterable[Change], also: Callable[[Document], Any] | None = None) -> list[int]:
    """Append to the log and return the numbers; ``also`` runs in the same transaction, with the locked row.

    Raises:
        Gone: there is no such document any more.
    """
    with transaction.atomic():
        row = Document.objects.select_for_update().filter(pk=document).first()
        if row is None:
            raise Gone
        numbers = add(row, changes)
        if also is not None:
            also(row)
    return numbers


def add(row: Document, changes: Iterable[Change]) -> list[int]:
    """Append to the log of a row that is locked, and count it."""
    now = timezone.now()
    updates = [
        Update(document=row, number=number, author_id=change.author, origin=change.origin, at=now, data=change.data)
        for number, change in enumerate(changes, row.number + 1)
    ]
    Update.objects.bulk_create(updates)
    row.number += len(updates)
    row.save(update_fields=["number"])
    return [update.number for update in updates]


def since(document: UUID, number: int) -> list[tuple[int, bytes]]:
    """The updates above ``number``, in order."""
    rows = Update.objects.filter(document=document, number__gt=number).order_by("number")
    return [(found, bytes(data)) for found, data in rows.values_list("number", "data")]


def at(document: UUID, number: int, beyond: Iterable[int] = ()) -> Doc[Any]:
    """The document with all updates up to ``number`` and those in ``beyond``."""
    return load(*_up_to(document, number), *_some(document, beyond))


def _up_to(document: UUID, number: int) -> list[bytes]:
    snapshot = Snapshot.objects.filter(document=document, number__lte=number).order_by("-number").first()
    start = snapshot.number if snapshot else 0
    rows = Update.objects.filter(document=document, number__gt=start, number__lte=number).order_by("number")
    data = [bytes(row) for row in rows.values_list("data", flat=True)]
    return [bytes(snapshot.data), *data] if snapshot else data


def _some(document: UUID, numbers: Iterable[int]) -> list[bytes]:
    rows = Update.objects.filter(document=document, number__in=[*numbers]).values_list("data", flat=True)
    return [bytes(row) for row in rows]


def newest(document: UUID) -> tuple[int, list[bytes]]:
    """The document's number, and the updates that make it as it is now.

    Raises:
        Gone: there is no such document any more.
    """
    with transaction.atomic():
        number = Document.objects.filter(pk=document).values_list("number", flat=True).first()
        if number is None:
            raise Gone
        return number, _up_to(document, number)


def compact(document: UUID) -> None:
    """Make a snapshot where there are many updates, and join the rows of those that belong together.

    Nothing above what the file holds is touched: the state of the file is made from single rows.
    """
    with transaction.atomic():
        row = Document.objects.select_for_update().filter(pk=document).first()
        if row is None:
            return
        latest = Snapshot.objects.filter(document=row).order_by("-number").first()
        start = latest.number if latest else 0
        if Update.objects.filter(document=row, number__gt=start, number__lte=row.saved).count() < COMPACT_AT:
            return
        Snapshot.objects.create(document=row, number=row.saved, data=at(row.pk, row.saved).get_update())
        kept = Snapshot.objects.filter(document=row).order_by("-number").values_list("pk", flat=True)[:_SNAPSHOTS]
        _join(row, start, row.saved)
        Snapshot.objects.filter(document=row, number__gt=0).exclude(pk__in=[*kept]).delete()


def _join(row: Document, start: int, end: int) -> None:
    """Join neighbours between two snapshots, keeping the number of the last of them."""
    last = timezone.now() - PAUSE
    rows = [*Update.objects.filter(document=row, number__gt=start, number__lte=end, at__lt=last).order_by("number")]
    for group in groups(rows):
        if len(group) == 1:
            continue
        *others, kept = group
        kept.data = merge_updates(*(bytes(update.data) for update in group))
        kept.save(update_fields=["data"])
        Update.objects.filter(pk__in=[update.pk for update in others]).delete()


def groups(rows: Iterable[Update]) -> list[list[Update]]:
    """Updates that one author made without a pause, each group in order."""
    found: list[list[Update]] = []
    for row in rows:
        group = found[-1] if found else []
        if group and _belongs(row, group):
            group.append(row)
        else:
            found.append([row])
    return found


def _belongs(row: Update, group: list[Update]) -> bool:
    last: Update = group[-1]
    begun: datetime = group[0].at
    same = (row.author_id, row.origin) == (last.author_id, last.origin)
    return same and row.at - last.at < PAUSE and row.at - begun < LONGEST
