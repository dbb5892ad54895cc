"""The dashboard: continue where you were, what runs now, all projects."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.models import Project
from portal.running import image_title, running_sessions

PAGE_SIZE = 25
SORTS = {"recent": ("-last_opened",), "name": ("name", "created"), "created": ("-created",)}


@login_required
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "recent"
    mine = Project.objects.of(request.user)  # type: ignore[attr-defined]
    found = mine.filter(name__icontains=query) if query else mine
    page = Paginator(found.order_by(*SORTS[sort]), PAGE_SIZE).get_page(request.GET.get("page"))
    running = running_sessions(request.user)
    by_project = {session.project.pk: session for session in running if session.project}
    for project in page:
        project.session = by_project.get(project.pk)
        project.image_title = image_title(project.image)
    latest = mine.order_by("-last_opened").first()
    if latest:
        latest.image_title = image_title(latest.image)
        latest.session = by_project.get(latest.pk)
    context = {
        "latest": latest,
        "page": page,
        "query": query,
        "sort": sort,
        "running": running,
        "deleted": Project.objects.deleted_of(request.user).order_by("-deleted_at"),  # type: ignore[attr-defined]
    }
    return render(request, "pages/dashboard.html", context)
