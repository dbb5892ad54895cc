"""The time in each state: it adds up to the session's whole life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sessions.lifecycle import LIVE
from sessions.walls import wall

START = datetime(2026, 1, 1, tzinfo=UTC)
steps = st.lists(st.tuples(st.sampled_from(sorted(LIVE)), st.integers(0, 10**9)), max_size=20)


@given(steps, st.integers(0, 10**9))
def test_it_adds_up(lived: list[tuple[str, int]], rest: int) -> None:
    changes, at = [], START
    for state, after in lived:
        at += timedelta(milliseconds=after)
        changes.append((state, at))
    total = wall(changes, at + timedelta(milliseconds=rest))
    assert sum(total.values()) == (sum(after for _, after in lived[1:]) + rest if lived else 0)


def test_the_queue_is_not_run_time_and_what_is_over_counts_no_more() -> None:
    times = {"pending": 0, "preparing": 5, "running": 6, "paused": 16, "stopping": 116, "stopped": 117}
    changes = [(state, START + timedelta(seconds=at)) for state, at in times.items()]
    assert wall(changes, START + timedelta(days=9)) == {
        "pending": 5000, "preparing": 1000, "running": 10_000, "paused": 100_000, "stopping": 1000,
    }  # fmt: skip


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    assert wall([("running", START), ("paused", START - timedelta(hours=1))], START) == {
        "running": 0,
        "paused": 3_600_000,
    }
