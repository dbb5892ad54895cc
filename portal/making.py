"""Projects that begin with more than a hello: an example, or an archive."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from portal.archives import unpack
from portal.beginnings import all_examples
from portal.contents import upload_too_large
from portal.models import NAME_LENGTH, Project, User
from portal.projects import create_project
from sessions.problems import Problem


def name_of(address: str) -> str:
    """A name for what is at ``address``: its last part, without its ending."""
    return PurePosixPath(unquote(urlsplit(address).path)).stem.strip()[:NAME_LENGTH] or _("Imported")


def from_example(user: User, name: str, language: str, title: str = "") -> Project:
    """A project that begins as the example ``name``.

    Raises:
        Problem: there is no such example here.
    """
    example = all_examples().get(name)
    if example is None or example.image is None:
        raise Problem(422, "unknown_example", _("Unknown example"), _("This site has no such example."))
    return create_project(
        user, title or example.title(language), example.image.name, lambda filling: example.fill(filling, language)
    )


def from_zip(user: User, file: Any, name: str, image: str) -> Project:
    """A project of what is in an uploaded archive.

    Raises:
        Problem: it is too large, or is not taken.
        UnknownImage: no such image.
    """
    if file.size > settings.MADANG_UPLOAD_LIMIT:
        raise upload_too_large()
    return create_project(
        user,
        name or PurePosixPath(file.name).stem[:NAME_LENGTH] or _("Imported"),
        image,
        lambda filling: unpack(file, filling),
    )
