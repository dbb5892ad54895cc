"""What a client is known to have by its pongs: never more than it has read, and all of it in the end."""

from __future__ import annotations

from collections import deque
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sessions.receipts import ASKED, RECORD, Receipts


class Client:
    """It has a queue of records and pings before it, and answers each ping when it comes to it, or the latest."""

    def __init__(self) -> None:
        self.way: deque[Any] = deque()
        self.shown = self.read = self.known = 0
        self.unasked = 0
        self.receipts = Receipts(self._ping, self._taken)

    def _ping(self, payload: bytes) -> None:
        self.way.append(payload)
        self.unasked = 0

    def _taken(self, below: int) -> None:
        assert self.known < below <= self.read, "known twice, or before it was read"
        self.known = below

    def show(self, size: int, skipped: int) -> None:
        self.shown += skipped + 1
        self.way.append(self.shown)
        self.unasked += size + RECORD
        self.receipts.shown(self.shown, size)

    def take(self, most: int, only_latest: bool) -> None:
        """Read on, past ``most`` things, and answer."""
        pings = []
        for _ in range(min(most, len(self.way))):
            thing = self.way.popleft()
            if isinstance(thing, int):
                self.read = thing
            else:
                pings.append(thing)
        for ping in pings[-1:] if only_latest else pings:
            self.receipts.answered(ping)


shows = st.tuples(st.just("show"), st.integers(0, 40_000), st.integers(0, 3))
takes = st.tuples(st.just("take"), st.integers(1, 20), st.booleans())


@given(st.lists(shows | takes, max_size=100))
def test_what_is_known_is_what_was_read(steps: list[tuple[str, int, Any]]) -> None:
    client = Client()
    for what, number, more in steps:
        getattr(client, what)(number, more)
        assert client.unasked < ASKED, "so much may never be without a ping behind it"
        pinged = any(isinstance(thing, bytes) for thing in client.way)
        assert pinged or client.known == client.shown, "nothing would tell about the rest"
    while client.way:
        client.take(1, False)
    assert client.known == client.shown


@given(st.binary(max_size=12))
def test_a_pong_that_answers_nothing_tells_nothing(pong: bytes) -> None:
    taken: list[int] = []
    receipts = Receipts(lambda payload: None, taken.append)
    receipts.answered(pong)
    receipts.shown(1 << 63, 10)
    receipts.answered(pong)
    assert not taken


def test_a_key_costs_one_ping_and_a_flood_one_for_each_piece() -> None:
    pings: list[bytes] = []
    receipts = Receipts(pings.append, lambda below: None)
    receipts.shown(1, 1)
    receipts.answered(pings[0])
    assert len(pings) == 1
    for below in range(2, 102):
        receipts.shown(below, ASKED // 4)
    assert len(pings) < 30
