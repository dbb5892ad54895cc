"""The dashboard: continue where you were, what runs now, all projects."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.authentication import SignedInRequest
from portal.models import Project
from portal.running import SessionRow, image_title, running_sessions

PAGE_SIZE = 25
SORTS = {"recent": ("-last_opened",), "name": ("name", "created"), "created": ("-created",)}


@dataclass(frozen=True)
class Line:
    """A project of the list, with its live session if it has one."""

    project: Project
    image_title: str
    session: SessionRow | None


@login_required
@require_safe
def dashboard(request: SignedInRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "recent"
    mine = Project.objects.of(request.user)
    found = mine.filter(name__icontains=query) if query else mine
    page = Paginator(found.order_by(*SORTS[sort]), PAGE_SIZE).get_page(request.GET.get("page"))
    running = running_sessions(request.user)
    by_project = {session.project.pk: session for session in running if session.project}
    latest = mine.order_by("-last_opened").first()
    context = {
        "latest": _line(latest, by_project) if latest else None,
        "page": page,
        "lines": [_line(project, by_project) for project in page],
        "query": query,
        "sort": sort,
        "running": running,
        "deleted": Project.objects.deleted_of(request.user).order_by("-deleted_at"),
    }
    return render(request, "pages/dashboard.html", context)


def _line(project: Project, running: dict[UUID, SessionRow]) -> Line:
    return Line(project, image_title(project.image), running.get(project.pk))
