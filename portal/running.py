"""What the portal's pages know of sessions: which run, what they consumed, how to stop them."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from portal.models import Project

LIVE_STATES = ("pending", "preparing", "running", "paused", "stopping")


def _sessions(user: Any) -> QuerySet[Any]:
    model = apps.get_model("compute", "Session")
    return model._default_manager.filter(user_id=user.pk)


def running_sessions(user: Any) -> list[Any]:
    """The user's sessions that are not over, newest first."""
    return list(_sessions(user).filter(state__in=LIVE_STATES).order_by("-created"))


def session_history(user: Any) -> QuerySet[Any]:
    """All sessions of the user, newest first."""
    return _sessions(user).order_by("-created")


def usage_totals(user: Any) -> dict[str, int]:
    return {}


def stop_sessions_of(user: Any, project: Project) -> None:
    return None
