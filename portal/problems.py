"""Problems as JSON (RFC 9457). The same object serves Jupyter's clients, who read ``message``."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse

from sessions.problems import Problem


def problem_body(problem: Problem) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "status": problem.status,
        "code": problem.code,
        "title": problem.title,
        "detail": problem.detail,
        "hint": problem.hint,
        "message": problem.detail,
        "reason": None,
    }


def problem_response(request: HttpRequest, problem: Problem) -> JsonResponse:
    """``problem`` as a response; a 401 also says how to sign in."""
    response = JsonResponse(problem_body(problem), status=problem.status, content_type="application/problem+json")
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="madang"'
    return response
