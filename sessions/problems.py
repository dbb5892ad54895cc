"""What goes wrong and is told to the caller: RFC 9457 problem details as an exception."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class Problem(Exception):
    """A refusal with a reason.

    ``code`` is stable and for programs; ``detail`` is a sentence for a person; ``hint`` says what to
    do next. The HTTP layer that catches it answers with ``status``.
    """

    def __init__(self, status: int, code: str, title: str = "", detail: str = "", hint: str = "") -> None:
        super().__init__(detail or title or code)
        self.status = status
        self.code = code
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail or self.title
        self.hint = hint

    def as_dict(self) -> dict[str, Any]:
        """The problem as the JSON object of an answer."""
        return {
            "type": "about:blank",
            "status": self.status,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "hint": self.hint,
        }


def not_found(what: str) -> Problem:
    """``what`` does not exist, or is not the asker's: the answer does not tell which."""
    return Problem(
        404,
        "not_found",
        "Not found",
        f"There is no such {what}.",
        "Check the address; it may have ended, been deleted, or belong to another account.",
    )


def not_signed_in() -> Problem:
    return Problem(
        401,
        "not_signed_in",
        "Not signed in",
        "This needs an account.",
        "Sign in, or send an API key as “Authorization: Bearer KEY”.",
    )


def forbidden() -> Problem:
    """The asker may see it, and may not do this with it."""
    return Problem(
        403,
        "not_allowed",
        "Not allowed",
        "Your role in this project does not allow that.",
        "Ask the project's owner for another role.",
    )


def bad_request(detail: str, hint: str = "") -> Problem:
    return Problem(400, "bad_request", "Bad request", detail, hint)


def invalid(detail: str, hint: str = "") -> Problem:
    """The request is well-formed and asks for something that cannot be."""
    return Problem(422, "invalid", "Invalid request", detail, hint)


def service_away() -> Problem:
    return Problem(
        503,
        "service_away",
        "The session service is away",
        "The session service does not answer just now. Running sessions keep running.",
        "Try again in a few seconds. An operator starts it with “manage.py sessiond”.",
    )
