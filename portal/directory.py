"""How the session service sees projects: the portal's answer to ``sessions.projects.ProjectDirectory``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.datasets import folders_of
from portal.models import SHARED, Project
from portal.packages import setup_of
from portal.projects import scratch_project
from portal.roles import role_of
from portal.secrets import opened
from sessions.projects import Equipment, NoSuchProject, ProjectRef, Right


class PortalProjects:
    """Looks projects up for a user; what is not theirs does not exist."""

    def by_path(self, user: Any, path: str) -> tuple[ProjectRef, str]:
        """The project that ``path`` starts with, and the rest of the path; "" is the user's scratch project.

        Raises:
            NoSuchProject: the user has no project of that slug.
        """
        slug, _, rest = path.strip("/").partition("/")
        project = find_by_slug(user, slug) if slug else scratch_project(user)
        if project is None:
            raise NoSuchProject(slug)
        return reference(user, project), rest

    def by_id(self, user: Any, id: UUID) -> ProjectRef:
        """The project of that id.

        Raises:
            NoSuchProject: the user has no such project.
        """
        project = Project.objects.of(user).filter(pk=id).first()
        if project is None:
            raise NoSuchProject(str(id))
        return reference(user, project)

    def equipment(self, id: UUID) -> Equipment:
        """The project's secrets, opened, its datasets, and what installs its packages; nothing where it is gone."""
        project = Project.objects.filter(pk=id).first()
        if project is None:
            return Equipment()
        return Equipment(opened(project.secrets.all()), folders_of(project), setup_of(project))

    def open_to(self, user: Any, right: Right) -> Any:
        """A query of the ids of all projects on which ``user`` has ``right``."""
        return Project.objects.of(user, right).values("pk")


def find_by_slug(user: Any, slug: str) -> Project | None:
    """The project that ``slug`` names in the user's paths, see :meth:`~portal.models.Project.name_for`.

    The long form finds their own projects too. The scratch project is made when it is first asked for.
    """
    plain, mark, id = slug.partition(SHARED)
    if mark:
        return next((one for one in Project.objects.of(user).filter(slug=plain) if one.pk.hex[:8] == id), None)
    found = Project.objects.owned_by(user).filter(slug=slug).first()
    return scratch_project(user) if found is None and slug == "scratch" else found


def reference(user: Any, project: Project) -> ProjectRef:
    role = role_of(user, project)
    return ProjectRef(
        id=project.pk,
        slug=project.name_for(user),
        name=project.name,
        directory=project.directory,
        image=project.image,
        owner_id=project.owner_id,
        rights=role.rights if role else frozenset(),
    )
