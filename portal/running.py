"""What the portal's pages know of sessions: which run, what they consumed, how to stop them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import Project
from sandbox.images import images
from sandbox.usage import Usage
from sessions import client
from sessions.ledger import SUMMED
from sessions.models import Session, UsageLine
from sessions.problems import Problem
from sessions.projects import Right

PRESENT_SECONDS = 0.5
Present = dict[str, dict[str, Any]]

log = logging.getLogger(__name__)

STATE_WORDS = {
    "pending": gettext_lazy("waiting for room"),
    "preparing": gettext_lazy("starting"),
    "running": gettext_lazy("running"),
    "paused": gettext_lazy("paused"),
    "stopping": gettext_lazy("stopping"),
    "stopped": gettext_lazy("ended"),
    "failed": gettext_lazy("failed"),
}


@dataclass(frozen=True)
class SessionRow:
    """A session as a line of a list. ``project`` is None where it is gone or there was none.

    ``cost`` is in micro-units (see sessions/prices.py).
    """

    id: UUID
    project: Project | None
    image_title: str
    state: str
    detail: str
    granted: str
    started: datetime | None
    idle_deadline: datetime | None
    usage: Usage
    cost: int
    stoppable: bool = False

    @property
    def state_word(self) -> str:
        return str(STATE_WORDS.get(self.state, self.state))


def running_sessions(user: Any) -> list[SessionRow]:
    """What lives of the user's and in their projects, newest first, with what the session service knows of it now."""
    found = rows(user, Session.objects.seen_by(user).live().order_by("-created"))
    return as_they_are(found, _present([str(row.id) for row in found]))


def present_sessions(user: Any) -> Present:
    """The user's live sessions as they are now, by id."""
    return _present([str(id) for id in _sessions(user).live().values_list("pk", flat=True)])


def as_they_are(found: list[SessionRow], present: Present) -> list[SessionRow]:
    """``found``, with what is known of those that are ``present``."""
    return [_updated(row, present[str(row.id)]) if str(row.id) in present else row for row in found]


def _present(ids: list[str]) -> Present:
    """Sessions as the session service has them; the database knows their usage only as of the last ledger line.

    What does not answer at once is left out: a page does not wait for it.
    """
    return async_to_sync(_ask)(ids) if ids else {}


async def _ask(ids: list[str]) -> Present:
    calls = {asyncio.create_task(client.call("session.get", id=id)): id for id in ids}
    done, late = await asyncio.wait(calls, timeout=PRESENT_SECONDS)
    for call in late:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    return {calls[call]: call.result() for call in done if call.exception() is None}


def _updated(row: SessionRow, session: dict[str, Any]) -> SessionRow:
    state, usage = str(session["state"]), Usage.from_dict(session["usage"])
    return replace(row, state=state, usage=usage, cost=_micros(session))


def _micros(session: dict[str, Any]) -> int:
    return int(session["cost"]["micros"]) if session["cost"] else 0


def rows(user: Any, sessions: Iterable[Session]) -> list[SessionRow]:
    """``sessions`` as lines, with three queries for however many."""
    found = list(sessions)
    wanted = {session.project for session in found if session.project}
    projects = {project.pk: project for project in _projects(user).filter(pk__in=wanted)}
    works = set(Project.objects.of(user, Right.RUN).filter(pk__in=wanted).values_list("pk", flat=True))
    mine = getattr(user, "pk", None)
    return [
        _row(session, projects.get(session.project), session.user_id == mine or session.project in works)
        for session in found
    ]


def _row(session: Session, project: Project | None, stoppable: bool) -> SessionRow:
    return SessionRow(
        id=session.pk,
        project=project,
        image_title=image_title(session.image),
        state=str(session.state),
        detail=session.detail,
        granted=granted(session.slots),
        started=session.started,
        idle_deadline=session.idle_deadline,
        usage=Usage.from_dict(session.usage),
        cost=session.cost,
        stoppable=stoppable,
    )


def granted(slots: dict[str, Any]) -> str:
    """What a session was granted, in few words."""
    cores, memory = float(slots.get("cpu", 0)), int(slots.get("memory", 0)) / (1 << 30)
    words = _("%(cores)s core · %(memory)s GiB") if cores == 1 else _("%(cores)s cores · %(memory)s GiB")
    return words % {"cores": f"{cores:g}", "memory": f"{memory:.3g}"}


def image_title(name: str) -> str:
    """The image's title, or its name when this site no longer has it."""
    image = images().get(name)
    return image.title if image else name


def session_history(user: Any) -> QuerySet[Session]:
    """All sessions of the user, newest first."""
    return _sessions(user).order_by("-created", "-id")


def usage_totals(user: Any, present: Present) -> dict[str, int]:
    """What all the user's sessions used and cost: by the ledger, those that are ``present`` as they are now."""
    lines = UsageLine.objects.filter(session__user=user).exclude(session__in=list(present))
    totals = lines.aggregate(**{name: Sum(name, default=0) for name in SUMMED})
    for session in present.values():
        used = {**session["usage"], "cost": _micros(session)}
        totals = {name: total + used[name] for name, total in totals.items()}
    return totals


def cpu_by_day(user: Any, days: int) -> list[tuple[date, int]]:
    """CPU milliseconds of each of the last ``days`` days, today last, by the ledger."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    begin = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    lines = UsageLine.objects.filter(session__user=user, end__gte=begin)
    sums = dict(lines.annotate(day=TruncDate("end")).order_by().values_list("day").annotate(Sum("cpu_ms")))
    return [(day, sums.get(day, 0)) for day in (first + timedelta(days=n) for n in range(days))]


def stop_session(user: Any, id: UUID) -> bool:
    """Stop a session that ``user`` works in or pays for; False when there is none or it is over.

    Raises:
        Problem: the session service is away.
    """
    found = Session.objects.of(user) | Session.objects.open_to(user, Right.RUN)
    session = found.live().filter(pk=id).first()
    if session is None:
        return False
    async_to_sync(client.call)("session.stop", id=str(session.pk), reason="owner")
    return True


def stop_sessions_in(project: Project, **only: Any) -> None:
    """Stop what runs in ``project``, or what of it ``only`` says (``user=``: what they pay for).

    A session that cannot be reached now ends by itself when it idles.
    """
    for session in Session.objects.live().filter(project=project.pk, **only):
        try:
            async_to_sync(client.call)("session.stop", id=str(session.pk), reason="owner")
        except Problem as problem:
            log.warning("session %s was not stopped: %s", session.pk, problem.code)


def start_milliseconds(count: int = 200) -> int | None:
    """The median time from asking for a session to its running, of the last ``count``; None below 5 of them."""
    times = sorted(
        (started - created) / timedelta(milliseconds=1)
        for created, started in Session.objects.filter(started__isnull=False)
        .order_by("-created")
        .values_list("created", "started")[:count]
        if started
    )
    return round(times[len(times) // 2]) if len(times) >= 5 else None


def _sessions(user: Any) -> Any:
    return Session.objects.of(user)


def _projects(user: Any) -> Any:
    return Project.objects.of(user)
