"""What pages do to sessions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.authentication import SignedInRequest
from portal.running import stop_session
from sessions.models import Session
from sessions.problems import Problem


@login_required
@require_POST
def stop(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Stop a session of the user; one that is over already is as they wish."""
    if not Session.objects.of(request.user).filter(pk=id).exists():
        raise Http404
    try:
        stop_session(request.user, id)
        messages.success(request, _("The session is stopping."))
    except Problem as problem:
        messages.error(request, f"{problem.detail} {problem.hint}")
    return redirect("dashboard")
