"""Who may do what with a project. Every entry asks :func:`role_of`, or finds projects by a right.

A project has one owner and members. What a role may do is written down here and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sessions.problems import forbidden, not_found
from sessions.projects import Right

if TYPE_CHECKING:
    from portal.models import Project


class Role(StrEnum):
    """What somebody is in a project."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"

    @property
    def rights(self) -> frozenset[Right]:
        return _RIGHTS[self]

    @property
    def can_view(self) -> bool:
        """See its files with the outputs in them, and how its session is."""
        return Right.VIEW in self.rights

    @property
    def can_edit(self) -> bool:
        """Change its files."""
        return Right.EDIT in self.rights

    @property
    def can_run(self) -> bool:
        """Work in its session: kernels, terminals, previews; start and stop it."""
        return Right.RUN in self.rights

    @property
    def can_manage(self) -> bool:
        """Its people, name, secrets and end."""
        return Right.MANAGE in self.rights


_RIGHTS = {
    Role.OWNER: frozenset(Right),
    Role.EDITOR: frozenset({Right.VIEW, Right.EDIT, Right.RUN}),
    Role.VIEWER: frozenset({Right.VIEW}),
}


def roles_with(right: Right) -> list[Role]:
    return [role for role in Role if right in role.rights]


def role_of(user: Any, project: Project) -> Role | None:
    """What ``user`` is in ``project`` now; None for strangers, who are not to learn that it exists.

    Nobody has a role in a deleted project: its owner can have it back, and that is all.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active or project.deleted_at is not None:
        return None
    if project.owner_id == user.pk:
        return Role.OWNER
    found = project.memberships.filter(user_id=user.pk).values_list("role", flat=True).first()
    return Role(found) if found else None


def require(user: Any, project: Project | None, right: Right) -> Project:
    """``project``, if ``user`` has ``right`` on it.

    Raises:
        Problem: 404 for a stranger, 403 for somebody whose role is not enough.
    """
    role = role_of(user, project) if project else None
    if project is None or role is None:
        raise not_found("project")
    if right not in role.rights:
        raise forbidden()
    return project
