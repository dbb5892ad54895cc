"""The dashboard: continue where you were, what runs now, all projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from portal.authentication import SignedInRequest
from portal.listing import SHOWS, SORTS, Wanted, freshen, last_opened, listed, tags_of
from portal.models import Project
from portal.running import SessionRow, image_title, running_sessions

PAGE_SIZE = 25
SORT_WORDS = {"recent": _("Last opened"), "name": _("Name"), "created": _("Newest"), "size": _("Largest")}
SHOW_WORDS = {"all": _("All"), "mine": _("Mine"), "shared": _("Shared with me"), "archived": _("Archived")}


@dataclass(frozen=True)
class Line:
    """A project of the list, with its live session if it has one."""

    project: Any
    image_title: str
    session: SessionRow | None
    mine: bool


@login_required
@require_safe
def dashboard(request: SignedInRequest) -> HttpResponse:
    wanted = _wanted(request)
    running = running_sessions(request.user)
    by_project = {session.project.pk: session for session in running if session.project}
    page = Paginator(listed(request.user, wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    freshen(list(page))
    latest = last_opened(request.user)
    context = {
        "latest": _line(request.user, latest, by_project) if latest else None,
        "any": latest is not None or Project.objects.of(request.user).exists(),
        "page": page,
        "lines": [_line(request.user, project, by_project) for project in page],
        "wanted": wanted,
        "tags": tags_of(request.user),
        "sorts": SORT_WORDS.items(),
        "shows": SHOW_WORDS.items(),
        "running": running,
        "deleted": Project.objects.deleted_of(request.user).order_by("-deleted_at"),
    }
    return render(request, "pages/dashboard.html", context)


def _wanted(request: SignedInRequest) -> Wanted:
    """What the address asks for; what makes no sense there is as if it were not there."""
    show, sort = request.GET.get("show", ""), request.GET.get("sort", "")
    return Wanted(
        show=show if show in SHOWS else "all",
        query=_text(request, "q", 100),
        tag=_text(request, "tag", 30),
        sort=sort if sort in SORTS else "recent",
    )


def _text(request: SignedInRequest, name: str, most: int) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:most]  # no text column takes a NUL


def _line(user: Any, project: Project, running: dict[UUID, SessionRow]) -> Line:
    return Line(project, image_title(project.image), running.get(project.pk), project.owner_id == user.pk)
