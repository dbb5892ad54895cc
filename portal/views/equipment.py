"""What a project's sessions get besides its files: datasets and secrets."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from portal.authentication import SignedInRequest
from portal.datasets import choose_datasets
from portal.forms import SecretForm
from portal.secrets import remove_secret, set_secret
from portal.views.projects import project_with, settings_page
from sessions.problems import Problem
from sessions.projects import Right


@login_required
@require_POST
def datasets(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Mount those that are sent (``dataset``), and no others."""
    project = project_with(request, id, Right.MANAGE)
    choose_datasets(project, request.POST.getlist("dataset"))
    messages.success(request, _("Saved."))
    return redirect("project_settings", project.pk)


@sensitive_post_parameters("value")
@login_required
@require_POST
def secrets(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Set a secret, or forget one (``remove``)."""
    project = project_with(request, id, Right.MANAGE)
    if name := request.POST.get("remove", ""):
        remove_secret(project, name)
        return redirect("project_settings", project.pk)
    form = SecretForm(request.POST, auto_id="secret_%s")
    if not form.is_valid():
        return settings_page(request, project, secret_form=form)
    try:
        set_secret(project, form.cleaned_data["name"], form.cleaned_data["value"])
    except Problem as problem:
        form.add_error("name", problem.detail)
        return settings_page(request, project, secret_form=form)
    messages.success(request, _("%s is set for sessions that start from now on.") % form.cleaned_data["name"])
    return redirect("project_settings", project.pk)
