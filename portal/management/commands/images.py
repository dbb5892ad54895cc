"""``manage.py images``: build those of the docker driver; add, list and remove an operator's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox.container.engine import Engine, build_order
from sandbox.drivers import SandboxError
from sandbox.roots import GIB, Bounds, RootError, adding
from sessions.models import Session

_RESTART = "Start the session service and web again to offer it."


class Command(BaseCommand):
    help = "Build the images of the docker driver from sandbox/images/*/Dockerfile; add images of your own."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        build = commands.add_parser("build", help="build images of the docker driver and what they stand on")
        build.add_argument("image", nargs="*", help="a name such as python:3.11, or its directory (default: all)")
        build.add_argument("--network", default="default", help="the engine's network for the build, such as host")
        add = commands.add_parser("add", help="unpack an image for the jail driver")
        add.add_argument("name", help="what people and the API call it, such as toolbox or toolbox:2")
        add.add_argument(
            "--from",
            dest="source",
            type=Path,
            required=True,
            metavar="ARCHIVE|DIRECTORY",
            help="an OCI layout, an archive of docker save, or the files of a root",
        )
        add.add_argument("--toml", type=Path, metavar="FILE", help="its image.toml, where the image brings none")
        add.add_argument("--most-gib", type=int, default=32, help="refuse an image with more (default: %(default)s)")
        add.add_argument("--architecture", default="", help="of an image for several: amd64, arm64 (default: this one)")
        commands.add_parser("list", help="list the images that were added")
        remove = commands.add_parser("remove", help="remove an image that was added")
        remove.add_argument("name")
        remove.add_argument("--force", action="store_true", help="although sessions run on it: they lose its files")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(**options)
        except (SandboxError, RootError) as error:
            raise CommandError(str(error)) from error

    def _build(self, image: list[str], network: str, **options: Any) -> None:
        wanted = build_order(image)
        engine = Engine()
        for number, one in enumerate(wanted, 1):
            self.stdout.write(f"[{number}/{len(wanted)}] {one.name}")
            for line in engine.build(one, network):
                self.stdout.write(f"    {line}")
        self.stdout.write(f"Built: {', '.join(one.name for one in wanted)}.")

    def _add(
        self, name: str, source: Path, toml: Path | None, most_gib: int, architecture: str, **options: Any
    ) -> None:
        bounds = Bounds(size=most_gib * GIB)
        adding.add(
            settings.MADANG_STATE,
            name,
            source,
            toml=toml,
            bounds=bounds,
            echo=self._tell,
            architecture=architecture,
        )
        origin = next(one for one in adding.listed(settings.MADANG_STATE) if one["name"] == name)
        self.stdout.write(f"Added {name}: {_size(origin)}, described by {origin['described']}. {_RESTART}")

    def _list(self, **options: Any) -> None:
        for origin in adding.listed(settings.MADANG_STATE):
            self.stdout.write(f"{origin['name']}  {_size(origin)}  {origin['added']}  from {origin['source']}")
            if origin["digest"]:
                self.stdout.write(f"    {origin['digest']}")

    def _remove(self, name: str, force: bool, **options: Any) -> None:
        running = Session.objects.live().filter(image=name).count()
        if running and not force:
            raise CommandError(f"{running} sessions run on {name}. Stop them first, or take --force.")
        adding.remove(settings.MADANG_STATE, name)
        self.stdout.write(f"Removed {name}. Start the session service and web again.")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _size(origin: dict[str, Any]) -> str:
    return f"{origin['bytes'] >> 20:,} MiB in {origin['entries']:,} files and folders"
