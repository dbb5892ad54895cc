"""Imports that take a while: carried out by a thread of the web process that took them, told of in the cache.

If that process is killed, what it told grows old and the import counts as failed; the half-filled folder has
no project and is purged.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import connections
from django.utils import translation
from django.utils.translation import gettext as _

from portal.fetching import CLONE_SECONDS, clone, fetch_notebook
from portal.filling import Filling
from portal.models import User
from portal.projects import UnknownImage, create_project, find_image
from sessions.problems import Problem

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600
SILENT_SECONDS = CLONE_SECONDS + 60
TELL_SECONDS = 0.3

State = dict[str, Any]


def start_import(user: User, kind: str, address: str, name: str, image: str) -> uuid.UUID:
    """Begin to make a project from ``address``: a repository (``git``) or a notebook. Its id, for :func:`state_of`.

    Raises:
        UnknownImage: no such image.
        Problem: another import of theirs goes on.
    """
    find_image(image)
    if not cache.add(_turn(user), "1", SILENT_SECONDS):
        raise Problem(
            409, "importing", _("One at a time"), _("Another import of yours goes on."), _("Wait for it to end.")
        )
    id, language = uuid.uuid4(), translation.get_language()
    _tell(id, user, state="running", step="")

    def work() -> None:
        with translation.override(language):
            _carry_out(id, user, lambda filling: _fill(kind, address, filling, image, id, user), name, image)

    threading.Thread(target=work, name=f"import-{id}", daemon=True).start()
    return id


def state_of(user: User, id: uuid.UUID) -> State | None:
    """``state`` (``running``, ``done``, ``failed``) with ``step``, ``project`` or ``error``; None: not theirs."""
    found: State | None = cache.get(_key(id))
    if found is None or found["user"] != user.pk:
        return None
    if found["state"] == "running" and time.time() - found["at"] > SILENT_SECONDS:
        return {**found, "state": "failed", "error": _("It was interrupted. Try again.")}
    return found


def _fill(kind: str, address: str, filling: Filling, image: str, id: uuid.UUID, user: User) -> None:
    if kind == "notebook":
        fetch_notebook(address, filling)
        return
    told = 0.0

    def tell(step: str) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            _tell(id, user, state="running", step=step)

    clone(address, filling, find_image(image).slots.disk, tell)


def _carry_out(id: uuid.UUID, user: User, fill: Callable[[Filling], None], name: str, image: str) -> None:
    try:
        project = create_project(user, name, image, fill)
        _tell(id, user, state="done", project=str(project.pk))
    except (Problem, UnknownImage) as problem:
        _tell(id, user, state="failed", error=str(problem))
    except Exception:
        log.exception("an import broke")
        _tell(id, user, state="failed", error=_("Something broke on our side."))
    finally:
        cache.delete(_turn(user))
        connections.close_all()


def _tell(id: uuid.UUID, user: User, **state: Any) -> None:
    cache.set(_key(id), {"user": user.pk, "at": time.time(), **state}, KEPT_SECONDS)


def _key(id: uuid.UUID) -> str:
    return f"import:{id}"


def _turn(user: User) -> str:
    return f"importing:{user.pk}"
