"""``manage.py purge``: remove for good what is past its grace. Safe to run at any time, by cron or at start."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.models import Session as LoginSession
from django.core.management.base import BaseCommand
from django.utils import timezone

from portal.projects import purge_expired


class Command(BaseCommand):
    help = "Remove deleted projects whose 7 days are over, and sign-ins that have expired."

    def handle(self, *args: Any, **options: Any) -> None:
        projects = purge_expired()
        signins, _by_model = LoginSession.objects.filter(expire_date__lt=timezone.now()).delete()
        self.stdout.write(f"Removed {projects} deleted projects and {signins} expired sign-ins.")
