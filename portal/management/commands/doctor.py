"""``manage.py doctor``: what this host offers, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from portal.checkup import portal_findings
from sandbox.container import checkup
from sandbox.doctor import findings
from sandbox.jail.scope import delegated
from sandbox.layers import Finding

MARKS = {"found": "✓", "missing": "✗", "optional": "–"}


class Command(BaseCommand):
    help = "Say what this host offers and what is missing; exit with 1 where something essential is."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--here", action="store_true", help="look at this process, not at what bin/up would start")

    def handle(self, *args: Any, here: bool, **options: Any) -> None:
        if not here:
            command = [sys.executable, *sys.argv, "--here"]
            if (delegated_command := delegated(command)) != command:  # as the session service will be
                os.execvp(delegated_command[0], delegated_command)  # noqa: S606 - a list, no shell in between
        parts: list[tuple[str, list[Finding]]] = [("Sandbox", list(findings()))]
        if settings.MADANG_DRIVER == "docker":
            parts.append(("Docker", checkup.findings()))
        parts.append(("Site", portal_findings()))
        for title, found in parts:
            self.stdout.write(f"\n{title}")
            for finding in found:
                self._show(finding)
        missing = [finding.name for _title, found in parts for finding in found if finding.state == "missing"]
        self.stdout.write("")
        if missing:
            self.stdout.write(f"Missing: {', '.join(missing)}.")
            sys.exit(1)
        self.stdout.write("Nothing essential is missing.")

    def _show(self, finding: Finding) -> None:
        self.stdout.write(f"  {MARKS[finding.state]} {finding.name}: {finding.detail}")
        if finding.mend and finding.state != "found":
            self.stdout.write(f"      mend: {finding.mend}")
