"""Who may reach what: every look-up on somebody's behalf goes through here.

Over HTTP another's id does not exist (404). A WebSocket can tell the two apart by its close code.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any
from uuid import UUID

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings

from sessions.models import Kernel, Session
from sessions.problems import forbidden, not_found, not_signed_in
from sessions.projects import NoSuchProject, ProjectRef, Right, project_directory


async def signed_in(request: Any) -> Any:
    """The user of an HTTP request.

    Raises:
        Problem: 401, nobody is signed in.
    """
    user = await request.auser()
    if not user.is_authenticated or not user.is_active:
        raise not_signed_in()
    return user


async def session_of(user: Any, id: UUID | str, right: Right = Right.VIEW) -> Session:
    """The session ``id``, if ``user`` has ``right`` on its project.

    Raises:
        Problem: 404, or 403 where they may only look at it.
    """
    session = await Session.objects.seen_by(user).filter(pk=id).afirst()
    if session is None:
        raise not_found("session")
    if right is not Right.VIEW and not await Session.objects.open_to(user, right).filter(pk=id).aexists():
        raise forbidden()
    return session


async def session_to_stop(user: Any, id: UUID | str) -> Session:
    """The session ``id``, which ``user`` may end: as one who works in it, or as the one who pays.

    Raises:
        Problem: 404 or 403.
    """
    session = await session_of(user, id)
    return session if session.user_id == user.pk else await session_of(user, id, Right.RUN)


async def kernel_of(user: Any, id: UUID | str) -> Kernel:
    """The kernel ``id`` that ``user`` may use, whose session lives.

    Raises:
        Problem: 404.
    """
    kernel = await Kernel.objects.open_to(user).filter(pk=id).select_related("session").afirst()
    if kernel is None:
        raise not_found("kernel")
    return kernel


async def project_of(user: Any, id: UUID, right: Right) -> ProjectRef:
    """The project ``id``, if ``user`` has ``right`` on it.

    Raises:
        Problem: 404 for a stranger, 403 where their role is not enough.
    """
    try:
        return _with(right, await database_sync_to_async(project_directory().by_id)(user, id))
    except NoSuchProject as error:
        raise not_found("project") from error


async def project_at(user: Any, path: str, right: Right) -> tuple[ProjectRef, str]:
    """The user's project that ``path`` (slug first) leads into, and the rest; "" is the scratch project.

    Raises:
        Problem: as :func:`project_of`.
    """
    try:
        project, rest = await database_sync_to_async(project_directory().by_path)(user, path)
    except NoSuchProject as error:
        raise not_found("project") from error
    return _with(right, project), rest


def _with(right: Right, project: ProjectRef) -> ProjectRef:
    if right not in project.rights:
        raise forbidden()
    return project


async def still_signed_in(scope: dict[str, Any]) -> bool:
    """Whether what opened this WebSocket would open it again: the key or the cookie's session, and the user."""
    key = scope.get("api_key")
    if key is not None:
        return await _key_holds(key)
    if scope.get("session") is None:
        return False
    fresh = import_module(settings.SESSION_ENGINE).SessionStore(scope["session"].session_key)
    user = await get_user({**scope, "session": fresh})
    return bool(user.is_authenticated and user.is_active and user.pk == scope["user"].pk)


@database_sync_to_async
def _key_holds(key: Any) -> bool:
    found = type(key)._default_manager.select_related("user").filter(pk=key.pk).first()
    return bool(found and found.is_live and found.user.is_active)
