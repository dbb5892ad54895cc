"""Who is asking over HTTP: by the session cookie or by an API key (WebSockets: ``websockets.py``).

A request that shows a key is that key's user or nobody: a wrong key is refused even when
a cookie would do. A request by cookie proves where it comes from: unsafe methods need
``X-CSRFToken``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from portal.keys import find_key
from portal.models import ApiKey, User
from portal.problems import PROGRAM_PATHS, problem_response
from sessions.problems import Problem


def shown_key(path: str, authorization: str, query: str) -> str | None:
    """The key that a request shows, or None when it shows none; "" when it shows something else.

    Bearer keys are read everywhere under /api/ and /jupyter/; Jupyter's own forms under /jupyter/ alone.
    """
    if not path.startswith(PROGRAM_PATHS):
        return None
    jupyter = path.startswith("/jupyter/")
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer" or (jupyter and scheme.lower() == "token"):
        return value.strip()
    if authorization:
        return ""
    if jupyter:
        return next(iter(parse_qs(query).get("token", [])), None)
    return None


class SignedInRequest(HttpRequest):
    """What a view behind ``login_required`` receives; for the type checker alone."""

    user: User
    api_key: ApiKey | None


class ApiKeyMiddleware(MiddlewareMixin):
    """Sets ``request.api_key`` and, for a good key, ``request.user``; refuses a wrong key with 401."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        request.api_key = None  # type: ignore[attr-defined]
        if not request.path_info.startswith(PROGRAM_PATHS):
            return None
        text = shown_key(
            request.path_info, request.headers.get("Authorization", ""), request.META.get("QUERY_STRING", "")
        )
        if text is None:
            _load_user(request)
            return None
        key = find_key(text)
        if key is None:
            return problem_response(request, bad_key())
        _sign_in(request, key)
        return None


def _load_user(request: HttpRequest) -> None:
    """Fetch the user now: asynchronous views may not touch the database by surprise."""
    user = request.user
    if isinstance(user, SimpleLazyObject):
        bool(user.is_authenticated)


def _sign_in(request: HttpRequest, key: ApiKey) -> None:
    async def auser() -> Any:
        return key.user

    request.api_key = key  # type: ignore[attr-defined]
    request.user = key.user
    request.auser = auser


def bad_key() -> Problem:
    return Problem(
        401,
        "bad_key",
        _("The key is not valid"),
        _("This API key is not known here, or it was revoked or has expired."),
        _("Make a new key on the page “API keys” and send it as “Authorization: Bearer KEY”."),
    )


class CsrfMiddleware(CsrfViewMiddleware):
    """Django's protection, from which requests by API key are free: no browser sends a key by itself."""

    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        if getattr(request, "api_key", None) is not None:
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)
