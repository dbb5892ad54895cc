"""Problems told over HTTP: as JSON (RFC 9457) to programs, as a page to people."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from sessions.problems import Problem

PROGRAM_PATHS = ("/api/", "/jupyter/")

log = logging.getLogger(__name__)


def problem_body(problem: Problem) -> dict[str, Any]:
    """The object: problem details, and in the same breath what Jupyter's clients read (``message``)."""
    return {**problem.as_dict(), "message": problem.detail, "reason": problem.hint or None}


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """``problem`` as the asker reads it; a 401 also says how to sign in."""
    if not request.path_info.startswith(PROGRAM_PATHS):
        return render(request, "errors/error.html", {"problem": problem}, status=problem.status)
    response = JsonResponse(problem_body(problem), status=problem.status, content_type="application/problem+json")
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="madang"'
    return response


def request_too_large() -> Problem:
    return Problem(
        413,
        "too_large",
        _("Too large"),
        _("One request may carry at most %d MiB.") % (settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20),
        _("Send large files in pieces (“chunk”)."),
    )


def cache_away() -> Problem:
    return Problem(
        503,
        "cache_away",
        _("This cannot be done just now"),
        _("A part of this site is away. What is open goes on, and nothing is lost."),
        _("Try again in a minute."),
    )


class ProblemMiddleware(MiddlewareMixin):
    """Answers with the problem that a view raised, and for a view that needs the cache while Redis is away."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RedisError):
            log.error("%s needs Redis, which is away: %s", request.path_info, exception)
            exception = cache_away()
        if isinstance(exception, RequestDataTooBig) and request.path_info.startswith(PROGRAM_PATHS):
            exception = request_too_large()
        return problem_response(request, exception) if isinstance(exception, Problem) else None
