"""Pools: how many spares there should be, and that each is given away once, alive."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.drivers import pool
from sandbox.drivers.pool import LEAST, MOST, MOST_EXPECTED, Demand, Pool


def test_without_demand_there_are_a_few():
    assert Demand().target(0.0) == LEAST


def test_none_are_kept_where_none_are_wanted():
    demand = Demand(0, 0)
    demand.expect(30, begin=0.0, end=100.0)
    demand.arrived(1.0)
    assert demand.target(2.0) == 0


def test_it_grows_with_the_rate_of_starts_and_shrinks_again():
    demand = Demand()
    for second in range(60):
        demand.arrived(float(second))
    assert demand.target(60.0) == 10
    assert demand.target(1000.0) == LEAST


def test_a_class_is_expected_from_its_beginning_to_its_end():
    demand = Demand()
    demand.expect(30, begin=100.0, end=400.0)
    assert demand.next_change(50.0) == 100.0
    assert (demand.target(99.0), demand.target(100.0)) == (LEAST, 30)
    assert demand.next_change(150.0) == 400.0
    assert demand.target(400.0) == LEAST
    assert demand.next_change(400.0) is None


@given(
    st.lists(st.floats(0, 300), max_size=200), st.lists(st.tuples(st.floats(0, 300), st.integers(0, 500)), max_size=5)
)
def test_it_stays_within_its_bounds(arrivals: list[float], classes: list[tuple[float, int]]):
    demand = Demand()
    for begin, count in classes:
        demand.expect(count, begin, begin + 60)
    for now in sorted(arrivals):
        demand.arrived(now)
        assert LEAST <= demand.target(now) <= max(MOST, MOST_EXPECTED)


@dataclass
class Made:
    number: int
    alive: bool = True
    closed: bool = False
    buried: bool = False

    def close(self) -> None:
        self.closed = True

    def bury(self) -> None:
        self.buried = True


@dataclass
class Maker:
    made: list[Made] = field(default_factory=list)
    failing: bool = False

    async def __call__(self) -> Made:
        if self.failing:
            raise OSError("no")
        self.made.append(Made(len(self.made)))
        return self.made[-1]


async def filled(pool: Pool[Made], count: int) -> None:
    async with asyncio.timeout(10):
        while len(pool) < count:
            await asyncio.sleep(0.005)


async def test_a_spare_is_given_away_once_and_another_one_is_made():
    maker = Maker()
    spares = Pool(maker, quiet=0.0)
    spares.open()
    await filled(spares, LEAST)
    taken = [spares.take(), spares.take(), spares.take()]
    assert [spare and spare.number for spare in taken] == [0, 1, None]
    await filled(spares, LEAST)
    await spares.close()
    assert [spare.closed for spare in maker.made[:2]] == [False, False]
    assert all(spare.closed for spare in maker.made[2:])


async def test_a_dead_spare_is_not_given_away():
    maker = Maker()
    spares = Pool(maker, quiet=0.0)
    spares.open()
    await filled(spares, LEAST)
    maker.made[0].alive = False
    taken = spares.take()
    assert taken is maker.made[1]
    await filled(spares, LEAST)
    assert maker.made[0].buried
    assert not maker.made[1].buried
    await spares.close()


async def settled() -> None:
    """Whatever the pool does without waiting for a time, it has done."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_nothing_is_made_while_somebody_waits_for_a_start():
    maker = Maker()
    spares = Pool(maker, quiet=60.0)
    spares.starting(1)
    spares.open()
    await settled()
    assert not maker.made
    spares.starting(-1)
    await filled(spares, LEAST)
    await spares.close()


async def test_starts_that_never_cease_find_a_spare():
    """Each begins before the one before it has ended, so that somebody waits at every moment."""
    maker = Maker()
    spares = Pool(maker, quiet=0.001)
    spares.starting(1)
    spares.open()
    async with asyncio.timeout(10):
        while (spare := spares.take()) is None:
            spares.starting(1)
            await asyncio.sleep(0)
            spares.starting(-1)
    assert spare is maker.made[0]
    await spares.close()


@dataclass
class Clock:
    """The pool's time. ``took`` is how long making a spare takes."""

    now: float = 0.0
    took: float = 0.0
    made: int = 0

    def monotonic(self) -> float:
        return self.now

    async def make(self) -> Made:
        self.now += self.took
        self.made += 1
        return Made(self.made)


async def test_while_others_wait_it_gives_way_for_as_long_as_making_takes(monkeypatch: pytest.MonkeyPatch):
    clock = Clock(took=1000.0)
    monkeypatch.setattr(pool, "time", clock)
    spares = Pool(clock.make, Demand(8), quiet=60.0)
    spares.starting(1)
    spares.open()
    await settled()

    async def made_at(now: float) -> int:
        """How many there are once somebody more waits at that time."""
        clock.now = now
        spares.starting(1)
        await settled()
        return clock.made

    assert await made_at(1.0) == 0
    assert await made_at(299.0) == 0, "five times its quiet: it does not know yet what one takes"
    assert await made_at(300.0) == 1, "and until 1300"
    assert await made_at(2299.0) == 1
    assert await made_at(2300.0) == 2
    await spares.close()


async def test_starts_one_after_the_other_do_not_keep_the_pool_empty(monkeypatch: pytest.MonkeyPatch):
    """Each has its quiet, but all of them together no more than five times that."""
    clock = Clock()
    monkeypatch.setattr(pool, "time", clock)
    spares = Pool(clock.make, Demand(1), quiet=60.0)
    spares.open()
    await settled()
    assert spares.take() is not None
    await settled()
    for clock.now in (59.0, 118.0, 177.0, 236.0, 295.0):
        assert spares.take() is None
        await settled()
        assert clock.made == 1
    clock.now = 300.0
    assert spares.take() is None
    await settled()
    assert clock.made == 2
    await spares.close()


async def test_a_maker_that_fails_is_tried_again_later(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "_RETRY_SECONDS", 0.01)
    maker = Maker(failing=True)
    spares = Pool(maker, quiet=0.0)
    spares.open()
    await asyncio.sleep(0.03)
    assert spares.take() is None
    maker.failing = False
    await filled(spares, LEAST)
    await spares.close()


async def test_spares_beyond_the_demand_are_given_up():
    maker = Maker()
    spares = Pool(maker, quiet=0.0)
    spares.open()
    now = time.monotonic()
    spares.expect(10, now, now + 0.5)
    await filled(spares, 10)
    async with asyncio.timeout(10):
        while len(spares) > LEAST or not all(spare.buried for spare in maker.made[LEAST:]):
            await asyncio.sleep(0.005)
    assert not any(spare.buried for spare in maker.made[:LEAST]), "the oldest are ready for longest"
    await spares.close()


async def test_a_spare_that_dies_is_buried_though_nobody_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "_LOOK_SECONDS", 0.01)
    maker = Maker()
    spares = Pool(maker, quiet=0.0)
    spares.open()
    await filled(spares, LEAST)
    maker.made[0].alive = False
    async with asyncio.timeout(10):
        while not maker.made[0].buried:
            await asyncio.sleep(0.005)
    await filled(spares, LEAST)
    await spares.close()
