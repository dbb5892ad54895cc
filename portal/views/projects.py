"""A project's pages: new, workspace, settings, deleting and having it back."""

from __future__ import annotations

from uuid import UUID

from csp.constants import WASM_UNSAFE_EVAL
from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from portal.authentication import SignedInRequest
from portal.forms import ImageForm, ProjectForm, SecretForm
from portal.models import Dataset, Project
from portal.projects import (
    UnknownImage,
    archive_project,
    delete_project,
    fork_project,
    image_is_gone,
    rename_project,
    restore_project,
    set_tags,
    touch_project,
)
from portal.roles import require, role_of
from portal.running import image_title, stop_sessions_in
from portal.scripts import scripts_for
from portal.switching import switch_image
from sandbox.images import images
from sessions.projects import Right


def project_with(request: SignedInRequest, id: UUID, right: Right) -> Project:
    """The project of that id, on which the user has ``right``.

    Raises:
        Problem: 404 for a stranger, who learns nothing; 403 where their role is not enough.
    """
    return require(request.user, Project.objects.filter(pk=id).first(), right)


# WebAssembly decodes the pictures in terminals.
@csp_update({"script-src": [WASM_UNSAFE_EVAL]})  # type: ignore[arg-type]
@login_required
@ensure_csrf_cookie
@require_safe
def workspace(request: SignedInRequest, id: UUID) -> HttpResponse:
    """The workspace; all that happens in it is the element's."""
    project = project_with(request, id, Right.VIEW)
    touch_project(request.user, project)
    image = images().get(project.image)
    if image is None:
        raise Http404(f"image {project.image} is not offered any more")
    kernel = image.kernels[0]
    runs = [*(ending for language in image.languages for ending in language.extensions)]
    runs += [".ipynb"] if kernel.mode == "ipython" else []
    role = role_of(request.user, project)
    context = {
        "project": project,
        "slug": project.name_for(request.user),
        "role": role,
        "kernel": kernel.name,
        "image": image,
        "runs": " ".join(runs),
        "scripts": scripts_for(request.GET.get("file", ""), runs),
    }
    return render(request, "pages/workspace.html", context)


def settings_page(request: SignedInRequest, project: Project, **forms: Form) -> HttpResponse:
    """The page of a project's settings, with ``forms`` that were just sent and are wrong."""
    chosen = set(project.datasets.values_list("pk", flat=True))
    tags = ", ".join(project.tags.values_list("word", flat=True))
    context = {
        "project": project,
        "slug": project.name_for(request.user),
        "image": images().get(project.image),
        "datasets": [(one, one.pk in chosen) for one in Dataset.objects.all()],
        "secrets": project.secrets.all(),
        "image_form": ImageForm(initial={"image": project.image}),
        "form": ProjectForm(initial={"name": project.name, "tags": tags}),
        "secret_form": SecretForm(auto_id="secret_%s"),
        **forms,
    }
    wrong = any(form.errors for form in forms.values())
    return render(request, "pages/project_settings.html", context, status=400 if wrong else 200)


@login_required
def settings(request: SignedInRequest, id: UUID) -> HttpResponse:
    """A project's name and tags, or on to delete it."""
    project = project_with(request, id, Right.MANAGE)
    if request.method != "POST":
        return settings_page(request, project)
    form = ProjectForm(request.POST)
    if form.is_valid():
        rename_project(project, form.cleaned_data["name"])
        set_tags(project, form.words())
        messages.success(request, _("Saved."))
        return redirect("project_settings", project.pk)
    return settings_page(request, project, form=form)


@login_required
@require_POST
def image(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Give the project another image."""
    project = project_with(request, id, Right.MANAGE)
    form = ImageForm(request.POST)
    if not form.is_valid():
        return settings_page(request, project, image_form=form)
    if switch_image(project, form.cleaned_data["image"]):
        messages.success(request, _("From now on its sessions have “%s”.") % image_title(project.image))
    return redirect("project_settings", project.pk)


@login_required
@require_POST
def delete(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Put a project away; the dashboard offers to undo that."""
    project = project_with(request, id, Right.MANAGE)
    delete_project(project)
    stop_sessions_in(project)
    messages.success(
        request,
        _("“%(name)s” is deleted. Its files stay for 7 days.") % {"name": project.name},
        extra_tags=f"undo:{project.pk}",
    )
    return redirect("dashboard")


@login_required
@require_POST
def fork(request: SignedInRequest, id: UUID) -> HttpResponse:
    """A copy of the project for the user, which opens."""
    source = project_with(request, id, Right.VIEW)
    try:
        made = fork_project(request.user, source)
    except UnknownImage as error:
        raise image_is_gone(source) from error
    return redirect("workspace", made.pk)


@login_required
@require_POST
def archive(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Out of sight, or back (``back``)."""
    project = project_with(request, id, Right.MANAGE)
    archive_project(project, "back" not in request.POST)
    text = _("“%(name)s” is back.") if "back" in request.POST else _("“%(name)s” is in the archive.")
    messages.success(request, text % {"name": project.name})
    return redirect("dashboard")


@login_required
@require_POST
def restore(request: SignedInRequest, id: UUID) -> HttpResponse:
    project: Project = get_object_or_404(Project.objects.deleted_of(request.user), pk=id)
    restore_project(project)
    messages.success(request, _("“%(name)s” is back.") % {"name": project.name})
    return redirect("dashboard")
