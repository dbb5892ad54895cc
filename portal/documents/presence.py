"""Who looks at a document, and where: what everybody's browser says of itself (awareness), checked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from portal.documents.wire import FrameError, Presence, presences, read

AWAY_SECONDS = 40.0
"""A browser says each 15 s that it is still there."""
_MOST = 256


class Forged(Exception):
    """A connection speaks for a client that is another's."""


@dataclass
class Presences:
    """All that is known in this process. ``seen`` is when a client was last heard."""

    states: dict[int, Presence] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)

    def note(self, one: Presence) -> bool:
        """Remember it; whether it says anything newer than what is known."""
        known = self.states.get(one.client)
        if known is not None and (one.clock < known.clock or (one.clock == known.clock and one.state is not None)):
            return False
        if known is None and len(self.states) >= _MOST:
            return False
        self.states[one.client], self.seen[one.client] = one, time.monotonic()
        return True

    def hear(self, message: bytes) -> None:
        """What another process tells of its browsers."""
        try:
            found = read(message)
        except FrameError:
            return  # of another version of this program
        for one in found if isinstance(found, list) else []:
            self.note(one)

    def message(self) -> bytes:
        """All who are here, as a message."""
        now = time.monotonic()
        for client, seen in list(self.seen.items()):
            if now - seen > AWAY_SECONDS:
                del self.seen[client], self.states[client]
        return presences([one for one in self.states.values() if one.state is not None])


class Speaker:
    """What one connection may say: of one client at a time, and always in its user's own name."""

    def __init__(self, known: Presences, user: dict[str, Any]) -> None:
        self._known, self._user = known, user
        self.client: int | None = None

    def say(self, told: list[Presence]) -> bytes | None:
        """The message for the others; None where there is nothing new.

        Raises:
            Forged: it tells of another's client.
        """
        new = []
        for one in told:
            if self.client is None and one.client not in self._known.states:
                self.client = one.client
            if one.client != self.client:
                if self._known.states.get(one.client) is not None and one.state == self._known.states[one.client].state:
                    continue  # an echo of what it heard
                raise Forged
            state = None if one.state is None else {**one.state, "user": self._user}
            new.append(Presence(one.client, one.clock, state))
        new = [one for one in new if self._known.note(one)]
        return presences(new) if new else None

    def leave(self) -> bytes | None:
        """The message that its client has left."""
        known = self._known.states.get(self.client) if self.client is not None else None
        if known is None or known.state is None:
            return None
        gone = Presence(known.client, known.clock + 1, None)
        self._known.note(gone)
        return presences([gone])
