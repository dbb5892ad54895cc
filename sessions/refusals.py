"""What the policy refused in a session: the latest totals, as its owner sees them."""

from __future__ import annotations

from typing import Any

from sandbox.drivers import Refused
from sandbox.policy.rules import REASONS

Refusal = dict[str, Any]

MOST = 100
"""Kinds that are kept: there are fewer calls worth telling, unless a driver makes them up."""


def after(refusals: list[Refusal], refused: Refused, at: str) -> tuple[list[Refusal], Refusal | None]:
    """``refusals`` after hearing of ``refused`` at ``at`` (ISO 8601), the latest first; and what is news in it.

    A total that is known already is no news: a driver tells all of them to whoever begins to listen.
    """
    key = (refused.call, refused.reason)
    known = next((old for old in refusals if (old["call"], old["reason"]) == key), None)
    if known is not None and refused.count <= known["count"]:
        return refusals, None
    news = {
        "call": refused.call,
        "reason": refused.reason,
        "detail": REASONS.get(refused.reason, ""),
        "count": refused.count,
        "at": at,
    }
    return [news, *(old for old in refusals if old is not known)][:MOST], news
