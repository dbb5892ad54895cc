"""Token buckets: never more than the burst and the rate allow, and never less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import token_bucket
from portal.token_bucket import TokenBucket, TokenBuckets


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(token_bucket, "time", clock)
    return clock


@given(
    most=st.integers(1, 50),
    a_second=st.floats(0.1, 50),
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 60)), max_size=60),
)
def test_what_is_taken_is_never_more_than_was_given(most: int, a_second: float, steps: list[tuple[float, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(token_bucket, "time", clock)
        bucket, taken = TokenBucket(most, a_second), 0
        for pause, tokens in steps:
            clock.now += pause
            wait = bucket.take(tokens)
            if not wait:
                taken += tokens
            elif tokens <= most:
                clock.now += wait + 1e-6
                assert bucket.take(tokens) == 0, "it said when there would be enough"
                taken += tokens
            assert taken <= most + (clock.now - 100.0) * a_second + 1e-3


def test_who_waits_long_has_the_burst_again_and_no_more(clock: Clock) -> None:
    bucket = TokenBucket(3, 1)
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 1]
    clock.now += 1000
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 1]


def test_each_key_has_its_own_and_full_ones_are_forgotten(clock: Clock) -> None:
    buckets = TokenBuckets(1, 1)
    assert buckets.take("a") == 0
    assert buckets.take("a") == 1
    assert buckets.take("b") == 0
    clock.now += 10
    for key in "cdefgh":
        assert buckets.take(key) == 0
        clock.now += 10
    assert len(buckets._of) <= 3
    assert buckets.take("a") == 0
