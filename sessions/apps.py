from __future__ import annotations

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """Labelled ``compute``: Django's own sessions app has the other name."""

    name = "sessions"
    label = "compute"
    verbose_name = "Sessions"
    default_auto_field = "django.db.models.BigAutoField"
