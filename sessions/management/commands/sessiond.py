from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox.drivers import SandboxError, load_driver
from sessions.service.server import AlreadyRunning, serve


class Command(BaseCommand):
    help = "Run the session service: it starts, meters, pauses and stops sessions. SIGTERM leaves them running."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            driver = load_driver(settings.MADANG_DRIVER, settings.MADANG_STATE, settings.MADANG_SPARES)
            asyncio.run(serve(driver, settings.MADANG_STATE))
        except (AlreadyRunning, SandboxError) as error:
            raise CommandError(str(error)) from error
