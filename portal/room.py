"""The disk limit of a project where web writes. Inside, the jail keeps it; ``sandbox/room.py`` measures for both.

A look is remembered for a while, with what was written since, so that the pieces of an upload and quick
saves cost one look; each web process has its own memory of it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from portal.models import Project
from sandbox.images import images
from sandbox.room import Room, measure, most_entries
from sandbox.slots import Slots
from sessions.models import Session

_FRESH_SECONDS = 2.0
_SHARE = 10  # looking takes at most one part of this of the time
_MEMORY = 1024


@dataclass
class _Look:
    room: Room
    at: float
    took: float


_looks: dict[tuple[int, int], _Look] = {}
_lock = threading.Lock()


def disk_limit(project: Project) -> int:
    """Bytes that the project may hold: what its live session was granted, or its image grants."""
    image = images().get(project.image)
    usual = (image.slots if image else Slots()).disk
    live = Session.objects.live().filter(project=project.pk).first()
    return max(usual, Slots(**live.slots).disk) if live else usual


def has_room(folder: int, identity: tuple[int, int], limit: int, more: int) -> bool:
    """Whether ``more`` bytes fit beneath the descriptor ``folder``; they are then counted as written."""
    with _lock:
        look = _look(folder, identity, limit)
        if look.room.over(limit, more):
            look.at = float("-inf")  # somebody may make room at once: look again when asked again
            return False
        look.room = Room(look.room.size + more, look.room.entries + 1)
        return True


def room_of(folder: int, identity: tuple[int, int], limit: int) -> Room:
    """What is beneath the descriptor ``folder``, as it was a moment ago."""
    with _lock:
        return _look(folder, identity, limit).room


def _look(folder: int, identity: tuple[int, int], limit: int) -> _Look:
    look = _looks.get(identity)
    now = time.monotonic()
    if look is None or now - look.at > max(_FRESH_SECONDS, look.took * _SHARE):
        room = measure(folder, 2 * most_entries(limit))
        look = _looks[identity] = _Look(room, now, time.monotonic() - now)
        while len(_looks) > _MEMORY:
            _looks.pop(next(iter(_looks)))
    return look
