"""What pages do to sessions."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal.authentication import SignedInRequest
from portal.preview import gate
from portal.preview.app import OPEN_PATH
from portal.preview.hosts import Preview, preview_host
from portal.running import stop_session
from sessions.models import Session
from sessions.port_shares import allowed_for
from sessions.problems import Problem


@login_required
@require_POST
def stop(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Stop a session that the user works in or pays for; one that is over already is as they wish."""
    if not Session.objects.seen_by(request.user).filter(pk=id).exists():
        raise Http404
    try:
        stop_session(request.user, id)
        messages.success(request, _("The session is stopping."))
    except Problem as problem:
        messages.error(request, f"{problem.detail} {problem.hint}")
    return redirect("dashboard")


@require_GET
def preview(request: HttpRequest, id: UUID, port: int) -> HttpResponse:
    """To the preview of a port that the user may see, with a ticket that opens once.

    ``path``: where in it. ``framed``: it is for a frame of the workspace, which shows no page of ours.
    """
    framed = "framed" in request.GET
    if not request.user.is_authenticated:
        return _plainly(_("You were signed out."), 401) if framed else redirect_to_login(request.get_full_path())
    if not 0 < port < 1 << 16 or not allowed_for(request.user, id, port):
        if framed:
            return _plainly(_("You may not see this port."), 404)
        raise Http404
    wanted = Preview(id, port)
    host = preview_host(wanted, settings.MADANG_PREVIEW_HOST, request.get_host())
    key = request.session.session_key
    if host is None or key is None:
        words = _("Previews need a host of their own here: the operator sets MADANG_PREVIEW_HOST.")
        if framed:
            return _plainly(words, 501)
        messages.error(request, words)
        return redirect("dashboard")
    query = {"ticket": gate.issue(key, wanted), "to": request.GET.get("path", "/")}
    response = redirect(f"{request.scheme}://{host}{OPEN_PATH}?{urlencode(query)}")
    response["Cache-Control"] = "no-store"
    return response


def _plainly(words: str, status: int) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")
