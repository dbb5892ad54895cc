"""In whose language and time zone a page speaks."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware import locale
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin

TIME_ZONE_COOKIE = "madang_timezone"


class LocaleMiddleware(locale.LocaleMiddleware):
    """The signed-in user's language, else what the cookie or the browser says."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        language = getattr(request.user, "language", "")
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language


class TimeZoneMiddleware(MiddlewareMixin):
    """Times are shown in the browser's zone, which a script of ours notes in a cookie."""

    def process_request(self, request: HttpRequest) -> None:
        zone = find_zone(request.COOKIES.get(TIME_ZONE_COOKIE, ""))
        if zone:
            timezone.activate(zone)
        else:
            timezone.deactivate()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        timezone.deactivate()
        return response


@lru_cache(maxsize=512)
def find_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The time zone of that IANA name, or None."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
