"""A session as the JSON object that REST, WebSockets and the session service all speak."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from sandbox.images import images
from sandbox.usage import Usage
from sessions.models import Session


def session_json(session: Session) -> dict[str, Any]:
    id = str(session.pk)
    return {
        "id": id,
        "state": str(session.state),
        "reason": session.reason,
        "detail": session.detail,
        "image": session.image,
        "policy": session.policy or (image.policy if (image := images().get(session.image)) else ""),
        "project": str(session.project) if session.project else None,
        "slots": session.slots,
        "created": timestamp(session.created),
        "started": timestamp(session.started),
        "ended": timestamp(session.ended),
        "idle_timeout": session.idle_timeout,
        "idle_deadline": timestamp(session.idle_deadline),
        "usage": Usage.from_dict(session.usage).as_dict(),
        "cost": money(session.cost),
        "refusals": session.refusals,
        "endpoints": {
            "events": f"/api/v1/sessions/{id}/events",
            "terminals": f"/api/v1/sessions/{id}/terminals/{{name}}",
            "jupyter": "/jupyter/",
        },
    }


def money(micros: int) -> dict[str, Any] | None:
    """An amount in the site's currency; None where nothing has a price."""
    currency = settings.MADANG_PRICES.currency
    return {"currency": currency, "micros": micros} if currency else None


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, as Jupyter writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
