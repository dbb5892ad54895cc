"""``manage.py dataset``: folders that projects may have mounted, read-only."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from portal.datasets import add_dataset
from portal.models import Dataset


class Command(BaseCommand):
    help = "Offer folders of this host to projects, as /datasets/NAME, read-only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        add = acts.add_parser("add", help="offer a folder, or change what a name offers")
        add.add_argument("name")
        add.add_argument("folder")
        add.add_argument("--summary", default="", help="what it is, in one line")
        remove = acts.add_parser("remove", help="offer it no more; the folder stays")
        remove.add_argument("name")
        acts.add_parser("list", help="what is offered")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        if act == "add":
            self._add(options["name"], options["folder"], options["summary"])
        elif act == "remove":
            if not Dataset.objects.filter(name=options["name"]).delete()[0]:
                raise CommandError(f"There is no dataset {options['name']!r}.")
        else:
            for one in Dataset.objects.all():
                self.stdout.write(f"{one.name}\t{one.folder}\t{one.summary}")

    def _add(self, name: str, folder: str, summary: str) -> None:
        try:
            made = add_dataset(name, folder, summary)
        except (ValueError, ValidationError) as error:
            text = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            raise CommandError(text) from error
        self.stdout.write(f"Projects can choose {made.name}: {made.folder}")
        if Path(made.folder).stat().st_mode & 0o005 != 0o005:
            self.stdout.write("Sessions run as another user: chmod o+rx this folder, or they cannot read it.")
