"""The person's own settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.forms import ProfileForm


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    user = request.user
    form = ProfileForm(request.POST or None, initial={"name": user.name})  # type: ignore[union-attr]
    if request.method == "POST" and form.is_valid():
        user.name = form.cleaned_data["name"]  # type: ignore[union-attr]
        user.save(update_fields=["name"])
        messages.success(request, _("Saved."))
        return redirect("profile")
    return render(request, "pages/profile.html", {"form": form}, status=400 if form.errors else 200)
