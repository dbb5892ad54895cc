"""API keys: made, recognised, revoked.

A key is ``mdg_<prefix>_<secret>``: the prefix (8 characters) tells a person which key it
is; the secret is 256 random bits. The database keeps the SHA-256 of the whole key: with that
much randomness a slow hash would protect nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from portal.models import ApiKey, User

KEY = re.compile(r"mdg_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}")
LAST_USED_STEP = timedelta(minutes=1)
_ALPHABET = string.ascii_letters + string.digits


def create_key(user: User, name: str, expires: datetime | None = None) -> tuple[ApiKey, str]:
    """Make a key for ``user``; the text returned with it is never seen again."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    text = f"mdg_{prefix}_{secrets.token_urlsafe(32)}"
    return ApiKey.objects.create(user=user, name=name, prefix=prefix, digest=digest(text), expires=expires), text


def find_key(text: str) -> ApiKey | None:
    """The live key that ``text`` is, of a user who may log in; notes its use, at most once a minute."""
    if not KEY.fullmatch(text):
        return None
    key = ApiKey.objects.select_related("user").filter(digest=digest(text)).first()
    if key is None or not key.is_live or not key.user.is_active:
        return None
    note_use(key)
    return key


def note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used and now - key.last_used < LAST_USED_STEP:
        return
    stale = Q(last_used=None) | Q(last_used__lt=now - LAST_USED_STEP)
    if ApiKey.objects.filter(stale, pk=key.pk).update(last_used=now):
        key.last_used = now


def revoke_key(key: ApiKey) -> None:
    """End ``key``; a key that was revoked already stays as it is."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
