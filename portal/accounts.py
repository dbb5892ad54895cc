"""What differs from allauth's own ways of signing up."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.forms import name_field
from portal.models import User


class Adapter(DefaultAccountAdapter):
    """Sign-up can be closed (``MADANG_SIGNUP=closed``)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.MADANG_SIGNUP == "open"


class SignupExtra(forms.Form):
    """The fields that sign-up asks besides e-mail and password."""

    name = name_field(
        _("Name"), required=False, help_text=_("As others will see it. You can leave it empty."), autocomplete="name"
    )

    field_order = ("name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.language = getattr(request, "LANGUAGE_CODE", "") if "madang_language" in request.COOKIES else ""
        user.save(update_fields=["name", "language"])


def display_name(user: User) -> str:
    return user.display_name
