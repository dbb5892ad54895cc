"""How long a session was in each of its states. Pure.

Only ``running`` and ``paused`` are time that a sandbox exists; ``pending`` is the queue's, and nobody's to pay.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from sessions.lifecycle import FINAL


def wall(changes: Iterable[tuple[str, datetime]], now: datetime) -> dict[str, int]:
    """Milliseconds in each state, from its transitions in their order: the state that was entered, and when.

    States that it never was in are left out, and so are the final ones, which do not end. A clock that went
    back counts as one that stood still.
    """
    total: dict[str, int] = {}
    steps = list(changes)
    for (state, begin), (_, end) in pairwise([*steps, ("", now)]):
        if state not in FINAL:
            total[state] = total.get(state, 0) + max(0, round((end - begin).total_seconds() * 1000))
    return total
