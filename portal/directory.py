"""How the session service sees projects: the portal's answer to ``sessions.projects.ProjectDirectory``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.models import Project
from portal.projects import scratch_project
from sessions.projects import NoSuchProject, ProjectRef


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
        return reference(project), rest

    def by_id(self, user: Any, id: UUID) -> ProjectRef:
        """The project of that id.

        Raises:
            NoSuchProject: the user has no such project.
        """
        project = Project.objects.of(user).filter(pk=id).first()
        if project is None:
            raise NoSuchProject(str(id))
        return reference(project)


def find_by_slug(user: Any, slug: str) -> Project | None:
    """The user's project of that slug. The scratch project is made when it is first asked for."""
    found = Project.objects.of(user).filter(slug=slug).first()
    return scratch_project(user) if found is None and slug == "scratch" else found


def reference(project: Project) -> ProjectRef:
    return ProjectRef(
        id=project.pk,
        slug=project.slug,
        name=project.name,
        directory=project.directory,
        image=project.image,
        owner_id=project.owner_id,
    )
