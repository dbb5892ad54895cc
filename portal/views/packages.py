"""The page of a project's saved packages."""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.authentication import SignedInRequest
from portal.forms import EnvironmentForm
from portal.models import Project
from portal.packages import choose, environments, live_session, remove, save_from_session
from portal.roles import require, role_of
from portal.views.projects import project_with
from sessions.problems import Problem
from sessions.projects import Right


@login_required
def packages(request: SignedInRequest, id: UUID) -> HttpResponse:
    """What there is; and save what the session has, choose (``choose``) or forget (``remove``) one."""
    project = project_with(request, id, Right.VIEW)
    if request.method != "POST":
        return _page(request, project)
    require(request.user, project, Right.RUN)
    form = EnvironmentForm(request.POST)
    try:
        if "remove" in request.POST:
            remove(project, request.POST["remove"])
        elif "choose" in request.POST:
            choose(project, request.POST["choose"])
        elif form.is_valid():
            _save(request, project, form.cleaned_data["name"])
        else:
            return _page(request, project, form)
    except Problem as problem:
        form.is_valid()
        form.add_error("name", f"{problem.detail} {problem.hint}".strip())
        return _page(request, project, form)
    return redirect("packages", project.pk)


def _save(request: SignedInRequest, project: Project, name: str) -> None:
    saved, left_out = async_to_sync(save_from_session)(project, name)
    count = len(saved.packages or ())
    messages.success(request, _("%(count)d packages are saved as %(name)s.") % {"count": count, "name": name})
    if left_out:
        messages.warning(request, _("Left out, since no index has them: %s") % ", ".join(left_out))


def _page(request: SignedInRequest, project: Project, form: EnvironmentForm | None = None) -> HttpResponse:
    context = {
        "project": project,
        "role": role_of(request.user, project),
        "environments": environments(project),
        "running": live_session(project) is not None,
        "form": form or EnvironmentForm(),
    }
    return render(request, "pages/packages.html", context, status=400 if form else 200)
