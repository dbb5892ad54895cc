"""What the user's sessions consumed."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.running import session_history, usage_totals

PAGE_SIZE = 50


@login_required
@require_GET
def usage(request: HttpRequest) -> HttpResponse:
    page = Paginator(session_history(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "pages/usage.html", {"page": page, "totals": usage_totals(request.user)})
