"""The error pages; programs get the same news as problem details."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from portal.problems import problem_response
from sessions.problems import Problem


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_response(
        request,
        Problem(
            400,
            "bad_request",
            _("That request makes no sense to us"),
            _("Something in it was malformed or too large."),
            _("Go back, reload the page and try again."),
        ),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_response(
        request,
        Problem(
            403,
            "forbidden",
            _("This is not yours to see"),
            _("You are signed in as somebody who may not open this page."),
            _("Ask its owner, or sign in with another account."),
        ),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_response(
        request,
        Problem(
            404,
            "not_found",
            _("There is nothing here"),
            _("The address is wrong, or what was here is gone or belongs to somebody else."),
            _("Look for it on your dashboard."),
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response(
        request,
        Problem(
            500,
            "our_fault",
            _("Something broke on our side"),
            _("It is written down for the people who run this site. Your files and sessions are as they were."),
            _("Try again in a moment."),
        ),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_response(
        request,
        Problem(
            403,
            "csrf",
            _("We could not tell that this came from you"),
            _("The page was open for long, or your browser keeps no cookies of this site."),
            _("Reload the page and try again; programs send the cookie csrftoken as X-CSRFToken, or an API key."),
        ),
    )
