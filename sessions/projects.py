"""How sessions know projects: by this protocol alone. The portal registers what implements it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID


class NoSuchProject(Exception):
    """The user has no such project (it may be another's)."""


@dataclass(frozen=True)
class ProjectRef:
    """What a session must know of a project. ``directory`` holds its files on this host."""

    id: UUID
    slug: str
    name: str
    directory: Path
    image: str
    owner_id: int


class ProjectDirectory(Protocol):
    """Finds projects. Synchronous: it reads the database."""

    def by_path(self, user: Any, path: str) -> tuple[ProjectRef, str]:
        """The project whose slug is the first segment of ``path``, and the rest of the path.

        ``""`` is the user's project ``scratch``, made when it is first needed.

        Raises:
            NoSuchProject: the user has no project of that slug.
        """

    def by_id(self, user: Any, id: UUID) -> ProjectRef:
        """The user's project ``id``.

        Raises:
            NoSuchProject: the user has no such project.
        """


_directory: ProjectDirectory | None = None


def register(directory: ProjectDirectory) -> None:
    """Make ``directory`` the one that :func:`project_directory` returns."""
    global _directory
    _directory = directory


def project_directory() -> ProjectDirectory:
    if _directory is None:
        raise RuntimeError("no ProjectDirectory is registered: the portal app does it when Django starts")
    return _directory
