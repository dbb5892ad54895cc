"""``manage.py doctor``: what this host offers, what is missing, and the command that mends it."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from portal.checkup import Finding, portal_findings
from sandbox.doctor import findings

MARKS = {"found": "✓", "missing": "✗", "optional": "–"}


class Command(BaseCommand):
    help = "Say what this host offers and what is missing; exit with 1 where something essential is."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        parts: tuple[tuple[str, list[Any]], ...] = (("Sandbox", list(findings())), ("Site", portal_findings()))
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
