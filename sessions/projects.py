"""How sessions know projects: by this protocol alone. The portal registers what implements it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID


class NoSuchProject(Exception):
    """The user has no such project (it may be another's)."""


class Right(StrEnum):
    """What somebody may do with a project."""

    VIEW = "view"
    EDIT = "edit"
    RUN = "run"
    MANAGE = "manage"


@dataclass(frozen=True)
class ProjectRef:
    """What a session must know of a project, for the user who asked.

    ``directory`` holds its files on this host. ``slug`` is the name it has in this user's paths.
    """

    id: UUID
    slug: str
    name: str
    directory: Path
    image: str
    owner_id: int
    rights: frozenset[Right] = frozenset(Right)


@dataclass(frozen=True)
class Equipment:
    """What a project's sessions get besides its files, when they start.

    ``environment``: variables, which may be secret: they are handed on and kept nowhere. ``datasets``: host
    folders by the name under which they are mounted, read-only. ``setup``: a terminal's name, and the shell command
    that is typed there once the session has started; ("", "") for none.
    """

    environment: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, Path] = field(default_factory=dict)
    setup: tuple[str, str] = ("", "")


class ProjectDirectory(Protocol):
    """Finds projects. Synchronous: it reads the database."""

    def by_path(self, user: Any, path: str) -> tuple[ProjectRef, str]:
        """The project whose slug is the first segment of ``path``, and the rest of the path.

        ``""`` is the user's project ``scratch``, made when it is first needed.

        Raises:
            NoSuchProject: the user has no project of that slug.
        """

    def by_id(self, user: Any, id: UUID) -> ProjectRef:
        """The project ``id``, if the user may see it.

        Raises:
            NoSuchProject: the user has no such project.
        """

    def equipment(self, id: UUID) -> Equipment:
        """What sessions of the project get. For the session service: nobody's right is asked."""

    def open_to(self, user: Any, right: Right) -> Iterable[UUID]:
        """The ids of all projects on which ``user`` has ``right`` now, or a query of them."""


_directory: ProjectDirectory | None = None


def register(directory: ProjectDirectory) -> None:
    """Make ``directory`` the one that :func:`project_directory` returns."""
    global _directory
    _directory = directory


def project_directory() -> ProjectDirectory:
    if _directory is None:
        raise RuntimeError("no ProjectDirectory is registered: the portal app does it when Django starts")
    return _directory
