"""True figures for the first page: counted here and now. What is not known is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import caches
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.running import granted, start_milliseconds
from sandbox.images import images
from sessions.models import Session

KEPT_SECONDS = 60
MOST = 3


@dataclass(frozen=True)
class Figure:
    """A number with its unit, and what it counts."""

    value: str
    label: str


def figures() -> list[Figure]:
    """Up to three figures, in the language of the page."""
    offered = len(images())
    first = next(iter(images().values()), None)
    run, start = _counted()
    found = []
    if start is not None:
        found.append(Figure(f"{number_format(start)} ms", _("until a session runs, as it was typically here")))
    if run:
        label = ngettext("session run on this site so far", "sessions run on this site so far", run)
        found.append(Figure(number_format(run, force_grouping=True), label))
    if offered:
        found.append(Figure(str(offered), ngettext("image to choose from", "images to choose from", offered)))
    if first:
        found.append(Figure(granted(first.slots.as_dict()), _("for each session, yours alone")))
    return found[:MOST]


def _counted() -> tuple[int, int | None]:
    """How many sessions there were and how fast they typically started: from the database, once a minute.

    Each process keeps them for itself, so that the first page is there while Redis is away.
    """
    cache = caches["process"]
    known: tuple[int, int | None] | None = cache.get("figures")
    if known is None:
        known = (Session.objects.count(), start_milliseconds())
        cache.set("figures", known, KEPT_SECONDS)
    return known
