"""Idle means no input and no computation; an extension is worth a whole timeout."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sessions.idle import STEP, Idle

times = st.floats(0, 1e6)


@given(timeout=st.floats(1, 1e5), start=times, gaps=st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4))))
def test_the_deadline_follows_the_last_activity_and_never_comes_nearer(
    timeout: float, start: float, gaps: list[tuple[float, float]]
) -> None:
    idle, now = Idle(timeout, start), start
    for gap, quiet in gaps:
        now += gap
        before = idle.deadline
        idle = idle.seen(now, quiet)
        assert idle.deadline >= before
        assert idle.deadline <= max(before, now + timeout)
        assert idle.expired(now) == (now >= idle.deadline)


@given(timeout=st.floats(1, 1e5), start=times, later=st.floats(0, 1e5), quiet=st.floats(0, 1e5))
def test_an_extension_gives_a_whole_timeout(timeout: float, start: float, later: float, quiet: float) -> None:
    now = start + later
    idle = Idle(timeout, start).extended(now).seen(now + 1, quiet)
    assert idle.deadline >= now + timeout
    assert not idle.expired(now + timeout * 0.99)


def test_busy_work_never_expires() -> None:
    idle = Idle(10, 0)
    for second in range(100):
        idle = idle.seen(second, 0)
        assert not idle.expired(second)
    assert idle.seen(109.5, 10.4).expired(109.5)


def test_small_moves_are_no_news() -> None:
    idle = Idle(60, 0)
    assert idle.news()
    idle = idle.published()
    assert not idle.news()
    assert not idle.seen(STEP, 0).news()
    assert idle.seen(STEP + 0.1, 0).news()
