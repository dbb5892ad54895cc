"""The list of somebody's projects: which, in what order. The dashboard and the API show the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from portal.models import Membership, Project, Tag
from portal.projects import measure_projects

SORTS: dict[str, tuple[Any, ...]] = {
    "recent": ("-opened", "id"),
    "name": (Lower("name"), "created"),
    "created": ("-created", "id"),
    "size": ("-size", "id"),
}
SHOWS = ("all", "mine", "shared", "archived")
MEASURED_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Wanted:
    """What to list. ``show``: all that is at hand, one's own, others', or what is archived."""

    show: str = "all"
    query: str = ""
    tag: str = ""
    sort: str = "recent"

    @property
    def narrowed(self) -> bool:
        return bool(self.query or self.tag)


def listed(user: Any, wanted: Wanted) -> QuerySet[Project]:
    """The projects that ``user`` wants to see, each with when they ``opened`` it last."""
    found: QuerySet[Project] = Project.objects.of(user).select_related("owner", "origin").prefetch_related("tags")
    if wanted.show == "archived":
        found = found.exclude(archived_at=None)
    else:
        found = found.filter(archived_at=None)
    if wanted.show == "mine":
        found = found.filter(owner_id=user.pk)
    if wanted.show == "shared":
        found = found.exclude(owner_id=user.pk)
    if wanted.query:
        found = found.filter(name__icontains=wanted.query)
    if wanted.tag:
        found = found.filter(pk__in=Tag.objects.filter(word=wanted.tag).values("project_id"))
    part = Membership.objects.filter(project=OuterRef("pk"), user_id=user.pk)
    theirs = Coalesce(Subquery(part.values("last_opened")[:1]), Subquery(part.values("since")[:1]))
    opened = Case(When(owner_id=user.pk, then=F("last_opened")), default=theirs)
    return found.annotate(opened=opened).order_by(*SORTS[wanted.sort])


def last_opened(user: Any) -> Project | None:
    """Where ``user`` was last: among what they have opened, not what was only shared with them."""
    unseen = Membership.objects.filter(user_id=user.pk, last_opened=None).values("project")
    return listed(user, Wanted()).exclude(pk__in=unseen).first()


def tags_of(user: Any) -> list[str]:
    """The words by which ``user`` can find projects that are at hand."""
    at_hand = Project.objects.of(user).filter(archived_at=None).values("pk")
    return list(Tag.objects.filter(project__in=at_hand).order_by("word").values_list("word", flat=True).distinct())


def freshen(projects: list[Project]) -> None:
    """Measure those of ``projects`` that were used since they were measured."""
    old = timezone.now() - MEASURED_FOR
    measure_projects(
        project
        for project in projects
        if project.measured is None or (project.measured < old and project.measured < project.last_opened)
    )
