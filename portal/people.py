"""The people of a project: let in, given another role, put out, leaving. What is taken away ends at once."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from portal.models import SCRATCH, Membership, Project, User
from portal.projects import give_slug, slug_of
from portal.roles import Role
from portal.running import stop_sessions_in
from sessions.changes import tell_changed


class NoSuchMember(Exception):
    """That person is no member of the project (its owner is none)."""


def let_in(project: Project, user: User, role: Role) -> bool:
    """Make ``user`` a member, or raise a member to ``role``; False where they could do as much before.

    Nobody loses anything by it: an editor who follows a link for viewers stays an editor.
    """
    if project.owner_id == user.pk:
        return False
    member, created = Membership.objects.get_or_create(project=project, user=user, defaults={"role": role})
    if created or Role(member.role).rights >= role.rights:
        return created
    set_role(project, user, role)
    return True


def set_role(project: Project, user: User, role: Role) -> None:
    """Give a member another role.

    Raises:
        NoSuchMember: they are none.
    """
    if not project.memberships.filter(user=user).update(role=role):
        raise NoSuchMember
    _after_change(project, user, role)


def put_out(project: Project, user: User) -> None:
    """End a membership, by the owner or by the member.

    Raises:
        NoSuchMember: they are none.
    """
    if not project.memberships.filter(user=user).delete()[0]:
        raise NoSuchMember
    Project.objects.filter(pk=project.pk, offered_to=user).update(offered_to=None)
    _after_change(project, user, None)


def offer(project: Project, user: User | None) -> None:
    """Offer a member the project; None withdraws what was offered. Nothing changes until they accept.

    Raises:
        NoSuchMember: they are none.
    """
    if user is not None and not project.memberships.filter(user=user).exists():
        raise NoSuchMember
    Project.objects.filter(pk=project.pk).update(offered_to=user)


@transaction.atomic
def take_over(project: Project, user: User) -> bool:
    """Make ``user``, to whom it was offered, the owner; the owner until now stays as an editor.

    False where it is no longer offered to them, or they are no member any more.
    """
    before, member = project.owner, project.memberships.filter(user=user)
    taken = Project.objects.filter(pk=project.pk, offered_to=user, owner=before, deleted_at=None)
    if not member.exists() or not taken.update(offered_to=None):
        return False
    member.delete()
    Membership.objects.create(project=project, user=before, role=Role.EDITOR, last_opened=project.last_opened)
    project.offered_to, project.owner = None, user
    give_slug(project, project.slug if project.slug != SCRATCH else slug_of(project.name))
    transaction.on_commit(partial(tell_changed, project.pk))
    return True


def _after_change(project: Project, user: User, role: Role | None) -> None:
    """Close what they have open, and stop the session that they pay for and may no longer work in."""
    transaction.on_commit(partial(tell_changed, project.pk))
    if role is None or not role.can_run:
        transaction.on_commit(partial(stop_sessions_in, project, user=user))
