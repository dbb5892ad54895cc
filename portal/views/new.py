"""A new project: empty, from an example, from an archive, from a repository or a notebook."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_safe

from portal.authentication import SignedInRequest
from portal.beginnings import all_examples, examples
from portal.fetching import can_clone
from portal.forms import AddressForm, ExampleForm, NewProjectForm, ZipForm
from portal.imports import start_import, state_of
from portal.making import from_example, from_zip, name_of
from portal.projects import create_project
from sandbox.images import images
from sessions.problems import Problem

WAYS = {
    "empty": gettext_lazy("Empty"),
    "example": gettext_lazy("Example"),
    "zip": gettext_lazy("Zip archive"),
    "git": gettext_lazy("Git repository"),
    "notebook": gettext_lazy("Notebook link"),
}
FORMS: dict[str, type[forms.Form]] = {
    "empty": NewProjectForm,
    "example": ExampleForm,
    "zip": ZipForm,
    "git": AddressForm,
    "notebook": AddressForm,
}


@login_required
def new(request: SignedInRequest) -> HttpResponse:
    """Choose what to begin with (``from``); the new project opens, or its import is shown."""
    ways = _ways()
    way = request.GET.get("from", "")
    way = way if way in ways else "empty"
    chosen = request.GET.get("image") or next(iter(images()), "")
    form = FORMS[way](request.POST or None, request.FILES or None, initial={"image": chosen})
    if way == "notebook":
        form.fields["image"].choices = [(image.name, image.title) for image in _notebook_images()]  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            return _make(request, way, form.cleaned_data)
        except Problem as problem:
            form.add_error(None, f"{problem.detail} {problem.hint}")
    context = {
        "form": form,
        "way": way,
        "ways": [(name, WAYS[name]) for name in ways],
        "images": _notebook_images() if way == "notebook" else list(images().values()),
        "chosen": form["image"].value() if "image" in form.fields else "",
        "examples": _shown_examples(),
        "limit": settings.MADANG_UPLOAD_LIMIT,
    }
    return render(request, "pages/new_project.html", context, status=400 if form.errors else 200)


def _ways() -> list[str]:
    fetches = settings.MADANG_FETCH != "none"
    offered = {"example": bool(examples()), "git": can_clone(), "notebook": fetches and bool(_notebook_images())}
    return [name for name in WAYS if offered.get(name, True)]


def _notebook_images() -> list[Any]:
    return [image for image in images().values() if image.kernels[0].mode == "ipython"]


def _shown_examples() -> list[dict[str, str]]:
    language = get_language() or "en"
    return [{**one.described(language), "image": one.image.title if one.image else ""} for one in examples()]


def _make(request: SignedInRequest, way: str, data: dict[str, Any]) -> HttpResponse:
    if way in ("git", "notebook"):
        name = data["name"] or name_of(data["address"])
        return redirect("import", start_import(request.user, way, data["address"], name, data["image"]))
    if way == "example":
        made = from_example(request.user, data["example"], get_language() or "en")
        first = urlencode({"file": all_examples()[data["example"]].first})
        return redirect(f"{reverse('workspace', args=[made.pk])}?{first}")
    elif way == "zip":
        made = from_zip(request.user, data["file"], data["name"], data["image"])
    else:
        made = create_project(request.user, data["name"], data["image"])
    return redirect("workspace", made.pk)


@login_required
@require_safe
def progress(request: SignedInRequest, id: UUID) -> HttpResponse:
    """How far an import is; where it is done, its project."""
    state = state_of(request.user, id)
    if state is None:
        raise Http404
    if state["state"] == "done":
        return redirect("workspace", state["project"])
    return render(request, "pages/import.html", {"state": state, "running": state["state"] == "running"})
