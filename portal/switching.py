"""A project's image changes: what runs in it ends, its files stay."""

from __future__ import annotations

from portal.models import Project
from portal.projects import find_image
from portal.running import stop_sessions_in


def switch_image(project: Project, name: str) -> bool:
    """Give ``project`` the image ``name`` for all sessions to come; False where it has it already.

    The session that runs with the old one is stopped, whoever pays for it.

    Raises:
        UnknownImage: no image of this site has that name.
    """
    image = find_image(name)
    if not Project.objects.filter(pk=project.pk).exclude(image=image.name).update(image=image.name):
        return False
    project.image = image.name
    stop_sessions_in(project)
    return True
