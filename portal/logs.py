"""Logs that hold no secret: tokens in URLs and headers are taken out before anything is written."""

from __future__ import annotations

import logging
import re
from typing import Any

_SECRETS = (
    (
        re.compile(r"((?:^|[?&\s\"'])(?:token|ticket|key|password|csrfmiddlewaretoken)=)[^&\s\"']+", re.IGNORECASE),
        r"\1…",
    ),
    (re.compile(r"(\bauthorization['\"]?\s*[:=]\s*['\"]?(?:bearer|token|basic)\s+)[^\s'\",]+", re.IGNORECASE), r"\1…"),
    (re.compile(r"\b(mdg_[A-Za-z0-9]{8})_[A-Za-z0-9_-]{16,}"), r"\1_…"),
    # Links that log in or confirm who follows them.
    (re.compile(r"(/accounts/(?:password/reset/key|confirm-email)/)[^/\s\"'?]+"), r"\1…"),
)


def scrub(text: str) -> str:
    """``text`` without the secrets that may stand in it.

    >>> scrub("GET /jupyter/api/kernels?token=mdg_12345678_abc&x=1")
    'GET /jupyter/api/kernels?token=…&x=1'
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class ScrubFormatter(logging.Formatter):
    """Applies :func:`scrub` to each finished record, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def scrub_daphne_access_log() -> None:
    """Make Daphne's access log, which prints whole request lines, pass through :func:`scrub` too."""
    from daphne.access import AccessLogGenerator

    original = AccessLogGenerator.write_entry

    def write_entry(self: Any, host: Any, date: Any, request: str, *rest: Any, **named: Any) -> None:
        original(self, host, date, scrub(request), *rest, **named)

    if original.__name__ == "write_entry" and not getattr(original, "scrubs", False):
        write_entry.scrubs = True  # type: ignore[attr-defined]
        AccessLogGenerator.write_entry = write_entry
