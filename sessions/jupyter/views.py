"""Handlers as Django views: sign-in, methods, JSON in and out, problems the way Jupyter's clients read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from sessions.access import signed_in
from sessions.problems import Problem, bad_request

Handler = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def endpoint(**handlers: Handler) -> Handler:
    """A view that gives ``handlers[method]`` the request, the signed-in user and the URL's arguments."""

    async def view(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        try:
            user = await signed_in(request)
            handler = handlers.get(str(request.method))
            if handler is None:
                raise Problem(405, "method_not_allowed", "", f"{request.method} is not possible here.")
            return await handler(request, user, **arguments)
        except Problem as problem:
            response = problem_response(problem)
            if problem.status == 405:
                response["Allow"] = ", ".join(sorted(handlers))
            return response

    return view


def problem_response(problem: Problem) -> HttpResponse:
    """``problem`` with the keys that Jupyter's clients show: ``message`` and ``reason``."""
    body = {**problem.as_dict(), "message": problem.detail, "reason": problem.hint or None}
    response = JsonResponse(body, status=problem.status, content_type="application/problem+json")
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="madang"'
    return response


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object.

    Raises:
        Problem: 400, it is something else.
    """
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not JSON.", "Send a JSON object.") from error
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise bad_request("The body is not a JSON object.", "Send a JSON object.")
    return body


def text_of(body: dict[str, Any], key: str, longest: int, default: str = "") -> str:
    """The text ``body[key]``; missing and null are ``default``.

    Raises:
        Problem: 400, it is no text, or too long.
    """
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise bad_request(f"“{key}” is a text of at most {longest} characters.")
    return value


def ok(value: Any) -> JsonResponse:
    return JsonResponse(value, safe=False)


def created(value: Any, location: str) -> JsonResponse:
    return JsonResponse(value, status=201, headers={"Location": location})


def empty() -> HttpResponse:
    return HttpResponse(status=204)
