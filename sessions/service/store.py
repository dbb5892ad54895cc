"""What the session service reads from and writes to the database. Synchronous; run through the journal.

Every write may be repeated: lines and transitions are numbered, rows are set and not counted up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from sessions.ledger import PEAKS, SUMMED, Account, Line
from sessions.lifecycle import Life, State
from sessions.models import Run, Session, Transition, UsageLine

Fields = dict[str, Any]
RUNS_KEPT, RUNS_PER_USER = timedelta(days=1), 200
"""How long answers of runs are kept, and how many of each user."""


def insert(session: Session) -> None:
    """Write a new session and its first transition.

    Raises:
        IntegrityError: there is no such user, or the project has a live session already.
    """
    with transaction.atomic():
        if not Session.objects.filter(pk=session.pk).exists():
            session.save(force_insert=True)
            transition(session.pk, 0, None, Life(State(session.state)), session.created)


def change(id: UUID, fields: Fields) -> None:
    Session.objects.filter(pk=id).update(**fields)


def record(id: UUID, sequence: int, before: State, life: Life, at: datetime, fields: Fields) -> None:
    """Write a change of state: the row and its transition."""
    with transaction.atomic():
        change(id, fields)
        transition(id, sequence, before, life, at)


def transition(id: UUID, sequence: int, before: State | None, life: Life, at: datetime) -> None:
    row = Transition(
        session_id=id,
        sequence=sequence,
        before=before.value if before else "",
        after=life.state.value,
        reason=life.reason,
        detail=life.detail,
        at=at,
    )
    Transition.objects.bulk_create([row], ignore_conflicts=True)


def charge(id: UUID, line: Line, fields: Fields) -> None:
    """Write a ledger line, and the row's latest totals with it."""
    with transaction.atomic():
        UsageLine.objects.bulk_create([UsageLine(session_id=id, **asdict(line))], ignore_conflicts=True)
        change(id, fields)


def finish(id: UUID, sequence: int, before: State, life: Life, at: datetime, fields: Fields, line: Line | None) -> None:
    """Write the end: the final line, the row and the last transition, all or nothing."""
    with transaction.atomic():
        if line is not None:
            UsageLine.objects.bulk_create([UsageLine(session_id=id, **asdict(line))], ignore_conflicts=True)
        record(id, sequence, before, life, at, fields)


def unfinished() -> list[tuple[Session, Account, int]]:
    """All sessions that are not over, oldest first, with their accounts and the number of their next transition."""
    return [
        (session, account(session), _next_transition(session)) for session in Session.objects.live().order_by("created")
    ]


def account(session: Session) -> Account:
    """The sum of the session's lines."""
    sums = session.usage_lines.aggregate(
        last=Max("sequence"),
        until=Max("end"),
        **{name: Max(name) for name in PEAKS},
        **{name: Sum(name) for name in SUMMED},
    )
    return Account(
        sequence=0 if sums["last"] is None else sums["last"] + 1,
        until=sums["until"] or session.created,
        closed=session.usage_lines.filter(final=True).exists(),
        prices=settings.MADANG_PRICES,
        **{name: sums[name] or 0 for name in (*SUMMED, *PEAKS)},
    )


def _next_transition(session: Session) -> int:
    last: int | None = session.transitions.aggregate(last=Max("sequence"))["last"]
    return 0 if last is None else last + 1


def note_run(run: Run) -> None:
    """Write a run as it is, but for one that is over already."""
    changing = ["status", "cancelled", "answer"]
    if not Run.objects.filter(pk=run.pk).exclude(status="done").update(**{n: getattr(run, n) for n in changing}):
        insert_run(run)


def insert_run(run: Run) -> None:
    Run.objects.bulk_create([run], ignore_conflicts=True)


def conclude(write: Callable[[], None], session: UUID, line: Line | None, fields: Fields) -> None:
    """``write`` a run down that is over, and with it the line of its session that it comes with."""
    with transaction.atomic():
        if line is not None:
            charge(session, line, fields)
        write()


def runs_under_way() -> list[Run]:
    return list(Run.objects.exclude(status="done"))


def forget_runs(user: int) -> None:
    """The user's answers that are old, or too many."""
    own = Run.objects.filter(user_id=user)
    own.filter(created__lt=timezone.now() - RUNS_KEPT).delete()
    if surplus := list(own.filter(status="done").values_list("pk", flat=True)[RUNS_PER_USER:]):
        own.filter(pk__in=surplus).delete()
