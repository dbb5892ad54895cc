"""Secrets of a project: environment variables of its sessions, sealed with a key from the site's own.

What is sealed is opened in the session service alone, when a session starts; no page and no answer shows it again.
Whoever may run the project can read them inside: they are for its programs.
"""

from __future__ import annotations

import hashlib
import logging
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.models import Project, Secret
from sessions.problems import Problem, invalid

log = logging.getLogger(__name__)

MOST, LONGEST = 50, 32 * 1024
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_TAKEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|TERM|VIRTUAL_ENV.*|LD_.*|PYTHON.*|GLIBC_.*|MADANG_.*|(HTTP|HTTPS|ALL|NO)_PROXY",
    re.IGNORECASE,
)


def set_secret(project: Project, name: str, value: str) -> None:
    """Set a variable for sessions that start from now on.

    Raises:
        Problem: the name or the value cannot be one, or there are too many.
    """
    if not NAME.fullmatch(name):
        raise invalid(_("A name has letters, digits and _, and begins with no digit."))
    if _TAKEN.fullmatch(name):
        raise invalid(_("“%s” is set by the session itself.") % name)
    if not value or "\0" in value or len(value.encode(errors="replace")) > LONGEST:
        raise invalid(_("A value is a text of at most %d KiB.") % (LONGEST >> 10))
    if not project.secrets.filter(name=name).exists() and project.secrets.count() >= MOST:
        raise Problem(409, "too_many", _("Too many secrets"), _("A project has at most %d.") % MOST)
    sealed = _seal().encrypt(value.encode("utf-8", "surrogatepass")).decode()
    Secret.objects.update_or_create(project=project, name=name, defaults={"sealed": sealed, "changed": timezone.now()})


def remove_secret(project: Project, name: str) -> bool:
    """Forget a variable; False where there was none."""
    return bool(NAME.fullmatch(name) and project.secrets.filter(name=name).delete()[0])


def opened(secrets: Iterable[Secret]) -> dict[str, str]:
    """The variables with their values. One that was sealed with a key that is gone is left out, and logged."""
    seal, found = _seal(), {}
    for secret in secrets:
        try:
            found[secret.name] = seal.decrypt(secret.sealed.encode()).decode("utf-8", "replace")
        except InvalidToken:
            log.warning("secret %s of project %s cannot be opened: SECRET_KEY has changed", secret, secret.project_id)
    return found


def _seal() -> MultiFernet:
    """The site's key first, then those before it (``SECRET_KEY_FALLBACKS``)."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [Fernet(urlsafe_b64encode(hashlib.sha256(("madang.secrets:" + str(key)).encode()).digest())) for key in keys]
    )
