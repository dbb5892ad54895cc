"""API keys: made (and shown once), listed, revoked."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.authentication import SignedInRequest
from portal.forms import KeyForm
from portal.keys import create_key, revoke_key
from portal.models import ApiKey


@login_required
@never_cache
def keys(request: SignedInRequest) -> HttpResponse:
    """The list, and the form; a new key's text is in the answer to the form and nowhere else."""
    form = KeyForm(request.POST or None)
    made, text = None, ""
    if request.method == "POST" and form.is_valid():
        made, text = create_key(request.user, form.cleaned_data["name"], form.expires())
        form = KeyForm()
    context = {
        "form": form,
        "made": made,
        "text": text,
        "keys": ApiKey.objects.filter(user=request.user, revoked_at=None),
        "site": f"{request.scheme}://{request.get_host()}",
    }
    return render(request, "pages/keys.html", context, status=400 if form.errors else 201 if made else 200)


@login_required
@require_POST
def revoke(request: SignedInRequest, id: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=id, user=request.user)
    revoke_key(key)
    messages.success(request, _("The key “%(name)s” no longer works.") % {"name": key.name})
    return redirect("keys")
