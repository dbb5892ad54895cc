"""Forms of the pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models import NAME_LENGTH
from sandbox.images import images


def name_field(label: Any, *, required: bool = True, help_text: Any = "", autocomplete: str = "off") -> forms.CharField:
    """A field for a short name."""
    field = forms.CharField(
        label=label,
        max_length=NAME_LENGTH,
        required=required,
        help_text=help_text,
        error_messages={"max_length": _("Keep it to %(limit_value)d characters: this has %(show_value)d.")},
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
    )
    # Room for a long paste: the person is told what is too long, instead of silently losing its end.
    del field.widget.attrs["maxlength"]
    return field


class NewProjectForm(forms.Form):
    name = name_field(_("Name"))
    image = forms.ChoiceField(label=_("Image"), widget=forms.RadioSelect)

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.fields["image"].choices = [(image.name, image.title) for image in images().values()]  # type: ignore[attr-defined]


class RenameForm(forms.Form):
    name = name_field(_("Name"))


class ProfileForm(forms.Form):
    name = name_field(_("Name"))


class KeyForm(forms.Form):
    """A name for a new key, and how long it lives."""

    LIFETIMES = (("30", _("30 days")), ("365", _("1 year")), ("0", _("until I revoke it")))

    name = name_field(_("What is it for?"))
    lifetime = forms.ChoiceField(label=_("It works for"), choices=LIFETIMES, initial="365")

    def expires(self) -> datetime | None:
        days = int(self.cleaned_data["lifetime"])
        return timezone.now() + timedelta(days=days) if days else None
