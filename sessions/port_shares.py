"""Who may see what listens on a port: those who work in the session, its project's members, or anybody for a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions.changes import changes_of, tell_changed
from sessions.models import PortShare, Session
from sessions.problems import Problem
from sessions.projects import Right
from sessions.represent import timestamp

log = logging.getLogger(__name__)

TERMS = (15 * 60, 3600, 8 * 3600)
"""For how long, in seconds, a port may be made public."""

LOOK_SECONDS = 20.0
"""How long an answer of :func:`allowed_for` counts at most: news of a change may be lost."""


class Audience(StrEnum):
    """Each sees what the one before sees."""

    PRIVATE = "private"  # who works in the session
    PROJECT = "project"  # everybody in its project
    PUBLIC = "public"  # whoever has the address


def subject(session: Session) -> UUID:
    """What changes are told of (sessions/changes.py): its project, or itself where it has none."""
    return session.project or session.pk


def terms() -> tuple[int, ...]:
    """The times that may be chosen here; none where the operator wants no public ports."""
    return TERMS if settings.MADANG_PUBLIC_PORTS else ()


def share_port(user: Any, session: Session, port: int, audience: Audience, seconds: int | None) -> None:
    """Let ``audience`` see ``port`` from now on. What others have open and may not see any more is closed.

    Raises:
        Problem: public ports are not wanted here, or not for this time.
    """
    if audience is Audience.PRIVATE:
        PortShare.objects.filter(session=session, port=port).delete()
    else:
        until = timezone.now() + timedelta(seconds=_term(seconds)) if audience is Audience.PUBLIC else None
        fields = {"audience": str(audience), "until": until, "by_id": user.pk}
        PortShare.objects.update_or_create(session=session, port=port, defaults=fields)
    tell_changed(subject(session))


def _term(seconds: int | None) -> int:
    if not terms():
        raise Problem(
            403,
            "no_public_ports",
            _("No public ports here"),
            _("This site does not open ports to everybody."),
            _("Share it with the people of the project."),
        )
    if seconds not in TERMS:
        raise Problem(
            422,
            "invalid",
            _("Invalid request"),
            _("A port is public for a time."),
            _("Send one of these as “seconds”: %s.") % ", ".join(map(str, TERMS)),
        )
    return seconds


def shares_of(session: UUID) -> list[dict[str, Any]]:
    """The ports of ``session`` that others see now, as the JSON that the API and the events speak."""
    shares = PortShare.objects.filter(session=session).open()
    return [
        {"port": one.port, "audience": one.audience, "until": timestamp(one.until)} for one in shares if _holds(one)
    ]


def _holds(share: PortShare) -> bool:
    return share.audience != Audience.PUBLIC or bool(settings.MADANG_PUBLIC_PORTS)


def allowed_for(user: Any, session: UUID, port: int) -> float:
    """For how many seconds from now ``user`` (None: anybody) may see ``port`` of ``session``; 0 where they may not."""
    share = PortShare.objects.filter(session=session, port=port).open().first()
    if share is not None and not _holds(share):
        share = None
    live = Session.objects.live().filter(pk=session)
    if user is not None and live.open_to(user, Right.VIEW if share else Right.RUN).exists():
        return LOOK_SECONDS
    if share is None or share.until is None or not live.exists():
        return 0.0
    return min(LOOK_SECONDS, max(0.0, (share.until - timezone.now()).total_seconds()))


async def watch_shares(session: Session, tell: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Tell who sees the ports, now and at each change: ``{"type": "shares", "shares": [...]}``. Until cancelled."""
    told: list[dict[str, Any]] | None = None
    async with changes_of(subject(session)) as changed:
        while True:
            changed.clear()
            shares, wait = told, LOOK_SECONDS
            try:
                shares, wait = await database_sync_to_async(_look)(session.pk)
            except DatabaseError:
                log.exception("could not look who sees the ports; the next round tries again")
            if shares is not None and shares != told:
                await tell({"type": "shares", "shares": shares})
                told = shares
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await changed.wait()


def _look(session: UUID) -> tuple[list[dict[str, Any]], float]:
    """What :func:`shares_of` says, and for how many seconds."""
    ends = PortShare.objects.filter(session=session).open().aggregate(first=Min("until"))["first"]
    left = (ends - timezone.now()).total_seconds() if ends else LOOK_SECONDS
    return shares_of(session), min(LOOK_SECONDS, max(0.05, left))
