"""``manage.py purge``: remove for good what is past its grace. Safe to run at any time, by cron or at start."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session as LoginSession
from django.core.management.base import BaseCommand
from django.utils import timezone

from portal.projects import purge_expired, purge_strays
from portal.trash import forget_expired
from sessions.runs.execute import purge as purge_runs


class Command(BaseCommand):
    help = "Remove deleted projects and files whose 7 days are over, sign-ins that have expired and answers of runs."

    def handle(self, *args: Any, **options: Any) -> None:
        projects, strays, files = purge_expired(), purge_strays(), forget_expired()
        signins, _by_model = LoginSession.objects.filter(expire_date__lt=timezone.now()).delete()
        runs = async_to_sync(purge_runs)()
        self.stdout.write(
            f"Removed {projects} deleted projects, {strays} stray folders, {files} deleted files and folders, "
            f"{signins} expired sign-ins and {runs} old runs."
        )
