from __future__ import annotations

from django.apps import AppConfig

from sandbox.images import verdicts


class SessionsConfig(AppConfig):
    """Labelled ``compute``: Django's own sessions app has the other name."""

    name = "sessions"
    label = "compute"
    verbose_name = "Sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        verdicts.use(settings.MADANG_STATE)
