"""Forms of the pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.beginnings import examples
from portal.fetching import LONGEST, check_address
from portal.models import NAME_LENGTH
from sandbox.images import images
from sessions.problems import Problem


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
    """A name and an image."""

    name = name_field(_("Name"))
    image = forms.ChoiceField(label=_("Image"), widget=forms.RadioSelect)

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        if "image" in self.fields:
            self.fields["image"].choices = [(image.name, image.title) for image in images().values()]  # type: ignore[attr-defined]


class ExampleForm(forms.Form):
    example = forms.ChoiceField(label=_("Example"), widget=forms.RadioSelect)

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.fields["example"].choices = [(one.name, one.name) for one in examples()]  # type: ignore[attr-defined]


class ZipForm(NewProjectForm):
    name = name_field(_("Name"), required=False)
    file = forms.FileField(label=_("Archive (.zip)"), widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}))
    field_order = ("file", "name", "image")


class AddressForm(NewProjectForm):
    """An address to fetch from."""

    name = name_field(_("Name"), required=False)
    address = forms.CharField(
        label=_("Address"),
        max_length=LONGEST,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    field_order = ("address", "name", "image")

    def clean_address(self) -> str:
        try:
            return check_address(self.cleaned_data["address"])
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from problem


class ProjectForm(forms.Form):
    name = name_field(_("Name"))
    tags = forms.CharField(
        label=_("Tags"),
        max_length=300,
        required=False,
        help_text=_("Words to find it by, with commas between them."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def words(self) -> list[str]:
        return str(self.cleaned_data["tags"]).split(",")


class ImageForm(forms.Form):
    image = forms.ChoiceField(label=_("Image"))

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.fields["image"].choices = [(image.name, image.title) for image in images().values()]  # type: ignore[attr-defined]


class SecretForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    value = forms.CharField(
        label=_("Value"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("They may"), choices=[("viewer", _("view")), ("editor", _("edit and run"))])


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


class EnvironmentForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=40)
