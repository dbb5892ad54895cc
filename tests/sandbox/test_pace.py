"""The pace of a reader: what is under way to it takes about a twentieth of a second, and is always bounded."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner import pace
from sandbox.runner.pace import Pace

RECORD = 4096
SECONDS = 20.0


def flood(rate: float, distance: float) -> tuple[float, float]:
    """A flood to a reader of ``rate`` bytes per second whose answer takes ``distance`` seconds, in pretended time.

    Returns the bytes it took per second, and the longest time that one was under way, both in the second half.
    """
    now, seq, free_at, taken, longest = 0.0, 0, 0.0, 0, 0.0
    answers: deque[tuple[int, float, float]] = deque()
    reader = Pace(now)
    while now < SECONDS:
        while reader.may_send:
            free_at = max(free_at, now + distance / 2) + RECORD / rate
            answers.append((seq, now, free_at + distance / 2))
            reader.send(seq, RECORD, now)
            seq += 1
        done, sent, now = answers.popleft()
        reader.acknowledge(done + 1, now)
        if now > SECONDS / 2:
            taken, longest = taken + RECORD, max(longest, now - sent)
    return taken / (SECONDS / 2), longest


@pytest.mark.parametrize("rate", [200e3, 2e6, 20e6])
@pytest.mark.parametrize("distance", [0.001, 0.02, 0.15])
def test_a_slow_reader_is_near_and_a_distant_one_is_not_starved(rate: float, distance: float):
    took, longest = flood(rate, distance)
    assert longest < distance + max(0.15, 2 * pace.SMALLEST / rate)
    assert took > 0.5 * min(rate, pace.LARGEST / (distance + 0.05))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100_000), st.floats(0, 5)), max_size=200))
def test_whatever_happens_it_is_bounded_and_never_stuck(steps: list[tuple[bool, int, float]]):
    now, seq, reader = 0.0, 0, Pace(0.0)
    for sends, size, later in steps:
        now += later
        if sends and reader.may_send:
            reader.send(seq, size, now)
            seq += 1
        elif not sends:
            reader.acknowledge(min(seq, size), now)
        assert pace.SMALLEST <= reader.window <= pace.LARGEST
    reader.acknowledge(seq, now)
    assert reader.under_way == 0
    assert reader.may_send


def test_records_of_one_byte_are_not_free():
    reader, sent = Pace(0.0), 0
    while reader.may_send:
        reader.send(sent, 1, 0.0)
        sent += 1
    assert sent <= pace.FIRST // pace.RECORD


def test_away_is_who_has_something_to_take_and_does_not():
    reader = Pace(0.0)
    assert not reader.away(1e6)
    reader.send(0, 10, 1e6)
    assert not reader.away(1e6 + pace.AWAY_SECONDS - 1)
    assert reader.away(1e6 + pace.AWAY_SECONDS)
    reader.acknowledge(1, 2e6)
    assert not reader.away(3e6)
