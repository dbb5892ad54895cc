"""What pages do to sessions."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal.authentication import SignedInRequest
from portal.preview import gate
from portal.preview.app import OPEN_PATH
from portal.preview.hosts import Preview, preview_host
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


@login_required
@require_GET
def preview(request: SignedInRequest, id: UUID, port: int) -> HttpResponse:
    """To the preview of a port of the user's live session, with a ticket that opens once."""
    if not 0 < port < 1 << 16 or not Session.objects.of(request.user).live().filter(pk=id).exists():
        raise Http404
    wanted = Preview(id, port)
    host = preview_host(wanted, settings.MADANG_PREVIEW_HOST, request.get_host())
    key = request.session.session_key
    if host is None or key is None:
        messages.error(request, _("Previews need a host of their own here: the operator sets MADANG_PREVIEW_HOST."))
        return redirect("dashboard")
    response = redirect(f"{request.scheme}://{host}{OPEN_PATH}?ticket={gate.issue(key, wanted)}")
    response["Cache-Control"] = "no-store"
    return response
