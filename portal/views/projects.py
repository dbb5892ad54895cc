"""A project's pages: new, workspace, settings, deleting and having it back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from portal.authentication import SignedInRequest
from portal.forms import NewProjectForm, RenameForm
from portal.models import Project
from portal.projects import (
    create_project,
    delete_project,
    rename_project,
    restore_project,
    touch_project,
)
from portal.running import stop_sessions_of
from sandbox.images import images


def own_project(request: SignedInRequest, id: UUID) -> Project:
    """The user's project of that id.

    Raises:
        Http404: there is none, or it is not theirs: a stranger learns nothing.
    """
    project: Project = get_object_or_404(Project.objects.of(request.user), pk=id)
    return project


@login_required
def new(request: SignedInRequest) -> HttpResponse:
    """Choose an image and a name; the new project opens with its hello file."""
    form = NewProjectForm(request.POST or None, initial={"image": request.GET.get("image") or next(iter(images()), "")})
    if request.method == "POST" and form.is_valid():
        project = create_project(request.user, form.cleaned_data["name"], form.cleaned_data["image"])
        return redirect("workspace", project.pk)
    context = {"form": form, "images": list(images().values()), "chosen": form["image"].value()}
    return render(request, "pages/new_project.html", context, status=400 if form.errors else 200)


@login_required
@ensure_csrf_cookie
@require_safe
def workspace(request: SignedInRequest, id: UUID) -> HttpResponse:
    """The workspace; all that happens in it is the element's."""
    project = own_project(request, id)
    touch_project(project)
    image = images().get(project.image)
    if image is None:
        raise Http404(f"image {project.image} is not offered any more")
    kernel = image.kernels[0]
    runs = [*(ending for language in image.languages for ending in language.extensions)]
    runs += [".ipynb"] if kernel.mode == "ipython" else []
    context = {"project": project, "kernel": kernel.name, "image": image, "runs": " ".join(runs)}
    return render(request, "pages/workspace.html", context)


@login_required
def settings(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Rename a project, or go on to delete it."""
    project = own_project(request, id)
    form = RenameForm(request.POST or None, initial={"name": project.name})
    if request.method == "POST" and form.is_valid():
        rename_project(project, form.cleaned_data["name"])
        messages.success(request, _("The project is now called “%(name)s”.") % {"name": project.name})
        return redirect("project_settings", project.pk)
    context = {"project": project, "form": form, "image": images().get(project.image)}
    return render(request, "pages/project_settings.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def delete(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Put a project away; the dashboard offers to undo that."""
    project = own_project(request, id)
    delete_project(project)
    stop_sessions_of(request.user, project)
    messages.success(
        request,
        _("“%(name)s” is deleted. Its files stay for 7 days.") % {"name": project.name},
        extra_tags=f"undo:{project.pk}",
    )
    return redirect("dashboard")


@login_required
@require_POST
def restore(request: SignedInRequest, id: UUID) -> HttpResponse:
    project: Project = get_object_or_404(Project.objects.deleted_of(request.user), pk=id)
    restore_project(project)
    messages.success(request, _("“%(name)s” is back.") % {"name": project.name})
    return redirect("dashboard")
