"""The REST API at ``/api/v1``: who may call it, how it says no, and its routers."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.security import HttpBearer
from ninja.utils import check_csrf

from portal.api_equipment import router as equipment_router
from portal.api_files import router as files_router
from portal.api_packages import router as packages_router
from portal.api_people import router as people_router
from portal.api_projects import router as projects_router
from portal.documents.api import router as documents_router
from portal.preview.api import router as ports_router
from portal.problems import problem_response, request_too_large
from portal.token_bucket import TokenBuckets
from sessions.api import router as sessions_router
from sessions.api_tools import router as tools_router
from sessions.problems import Problem, not_found, not_signed_in
from sessions.runs.api import router as runs_router

A_MINUTE = 1200
allowed = TokenBuckets(A_MINUTE, A_MINUTE / 60)
"""Requests, by user."""


class Known:
    """A user, for operations of both kinds: asynchronous ones await it. A plain answer they would ask a thread for."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __str__(self) -> str:
        return str(self._user)

    def __await__(self) -> Generator[None, None, Any]:
        yield from ()
        return self._user


class KeyOrCookie(HttpBearer):
    """An API key as bearer token; our own pages come with their cookie and ``X-CSRFToken``.

    The middleware has looked at the key already: a wrong one never comes this far. Who is known is counted here too.
    """

    openapi_description = "An API key, made on the page “API keys” or by “manage.py apikey create”."

    def __init__(self) -> None:
        super().__init__()
        self.is_async = True

    def __call__(self, request: HttpRequest) -> Known:
        if not request.user.is_authenticated:
            raise not_signed_in()
        if getattr(request, "api_key", None) is None and check_csrf(request) is not None:
            raise Problem(
                403,
                "csrf",
                _("We could not tell that this came from you"),
                _("A request by cookie needs the cookie csrftoken as header X-CSRFToken."),
                _("Reload the page, or use an API key."),
            )
        if wait := allowed.take(request.user.pk):
            raise Throttled(math.ceil(wait))
        return Known(request.user)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return self(request)


api = NinjaAPI(
    title="Madang",
    version="1",
    description="Projects, sessions, runs and usage. Errors are problem details (RFC 9457) with a stable `code`.",
    urls_namespace="api",
    docs_url=None,
    auth=KeyOrCookie(),
)
api.add_router("/projects", projects_router, tags=["projects"])
api.add_router("/projects", people_router, tags=["people"])
api.add_router("", equipment_router)
api.add_router("/projects", files_router, tags=["files"])
api.add_router("/projects", documents_router, tags=["documents"])
api.add_router("/projects", packages_router, tags=["environments"])
api.add_router("", sessions_router)
api.add_router("/sessions", ports_router)
api.add_router("", tools_router)
api.add_router("/runs", runs_router, tags=["runs"])


def _handles(kind: type[Exception]) -> Any:
    return api.exception_handler(kind)


@_handles(Problem)
def tell(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_response(request, problem)


@_handles(RequestDataTooBig)
def tell_too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem_response(request, request_too_large())


@_handles(Http404)
def tell_not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_response(request, not_found(_("thing")))


@_handles(Throttled)
def tell_throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
    wait = error.wait or 1
    problem = Problem(
        429,
        "too_often",
        _("Too many requests"),
        _("This account asks faster than this site answers."),
        _("Wait %d seconds.") % wait,
    )
    response = problem_response(request, problem)
    response["Retry-After"] = str(wait)
    return response


@_handles(ValidationError)
def tell_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Each field that is wrong, by its place in the request; never the value, which may be a secret."""
    wrong = [
        f"{'.'.join(str(part) for part in item['loc'][1:]) or item['loc'][0]}: {item['msg']}" for item in error.errors
    ]
    return problem_response(
        request,
        Problem(
            422, "invalid", _("Invalid request"), "; ".join(wrong), _("The API's description is /api/v1/openapi.json.")
        ),
    )


@_handles(HttpError)
def tell_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_response(request, Problem(error.status_code, "refused", "", str(error)))
