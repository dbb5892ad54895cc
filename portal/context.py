"""What every page may show."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_info


def site(request: HttpRequest) -> dict[str, Any]:
    """``signup_open``, ``priced`` (use costs something), and ``languages`` as (code, own name)."""
    return {
        "signup_open": settings.MADANG_SIGNUP == "open",
        "priced": bool(settings.MADANG_PRICES.currency),
        "languages": [(code, get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES],
    }
