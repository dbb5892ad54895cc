"""How much is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """How many samples are taken, and how many users, sessions or starts a scenario has."""

    cold: int = 5
    warm: int = 15
    round_trips: int = 200
    echoes: int = 200
    sessions: int = 5
    floods: int = 5
    megabytes: int = 20
    bell: Sequence[int] = (100, 300)
    bell_seconds: float = 180.0
    live: int = 1000
    churn: int = 300
    runs: int = 200
    pages: int = 5
    keys: int = 200


QUICK = Counts(
    cold=1, warm=5, round_trips=50, echoes=50, sessions=3, floods=1, bell=(5,), bell_seconds=60.0, live=10, churn=20,
    runs=20, pages=1, keys=50,
)  # fmt: skip
