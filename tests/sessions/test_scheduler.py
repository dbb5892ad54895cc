"""Slots are never granted twice and never leak; users take turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sessions.scheduler import Capacity, Duplicate, Request, Scheduler, TooLarge

GIB = 1 << 30


def request(id: str, user: int = 1, cpu: float = 1.0, memory: int = GIB) -> Request:
    return Request(id, user, cpu, memory)


class Ward(RuleBasedStateMachine):
    """Any order of submissions, grants, releases and adoptions, against a plain account of who has what."""

    def __init__(self) -> None:
        super().__init__()
        self.capacity = Capacity(4.0, 8 * GIB)
        self.scheduler = Scheduler(self.capacity)
        self.known: dict[str, Request] = {}
        self.holding: set[str] = set()
        self.adopted: set[str] = set()
        self.count = 0

    @rule(user=st.integers(1, 3), cpu=st.floats(0.1, 5.0), memory=st.integers(1, 9))
    def submit(self, user: int, cpu: float, memory: int) -> None:
        self.count += 1
        wanted = request(str(self.count), user, cpu, memory * GIB)
        try:
            self.scheduler.submit(wanted)
        except TooLarge:
            assert cpu > 4.0 or memory > 8
        else:
            self.known[wanted.id] = wanted

    @rule(cpu=st.floats(0.1, 3.0))
    def adopt(self, cpu: float) -> None:
        self.count += 1
        found = request(str(self.count), 1, cpu)
        self.scheduler.restore(found)
        self.known[found.id] = found
        self.holding.add(found.id)
        self.adopted.add(found.id)

    @rule()
    def grant(self) -> None:
        order = self.scheduler.order()
        granted = self.scheduler.grant()
        assert granted == order[: len(granted)], "granted in the order that was announced"
        assert not self.holding & set(granted), "granted twice"
        self.holding |= set(granted)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.known:
            id = data.draw(st.sampled_from(sorted(self.known)))
            assert self.scheduler.release(id)
            assert not self.scheduler.release(id)
            del self.known[id]
            self.holding.discard(id)
            self.adopted.discard(id)

    @invariant()
    def nothing_leaks(self) -> None:
        assert self.scheduler.granted == self.holding
        assert sorted(self.scheduler.order()) == sorted(set(self.known) - self.holding)
        free = self.scheduler.free
        used = sum(self.known[id].cpu for id in self.holding)
        assert free.cpu == pytest.approx(self.capacity.cpu - used, abs=1e-6)
        assert free.memory == self.capacity.memory - sum(self.known[id].memory for id in self.holding)
        if not self.adopted:
            assert free.cpu >= 0
            assert free.memory >= 0


TestWard = Ward.TestCase


@given(st.permutations(["a1", "a2", "a3", "b1", "b2", "c1"]))
def test_users_take_turns_in_whatever_order_they_came(order: list[str]) -> None:
    scheduler = Scheduler(Capacity(100, 100 * GIB))
    for id in order:
        scheduler.submit(request(id, user=ord(id[0])))
    granted = scheduler.grant()
    assert {id[0] for id in granted[:3]} == {"a", "b", "c"}, "everyone's first before anyone's second"
    for user in "ab":
        mine = [id for id in order if id[0] == user]
        assert [id for id in granted if id[0] == user] == mine, "one's own in the order they came"


def test_a_flood_delays_another_user_by_one_turn() -> None:
    scheduler = Scheduler(Capacity(1.0, 100 * GIB))
    for n in range(100):
        scheduler.submit(request(f"flood{n}", user=1))
    scheduler.submit(request("other", user=2))
    assert scheduler.grant() == ["flood0"]
    assert scheduler.order().index("other") == 0
    scheduler.release("flood0")
    assert scheduler.grant() == ["other"]


def test_a_large_one_is_not_overtaken() -> None:
    scheduler = Scheduler(Capacity(2.0, 100 * GIB))
    scheduler.submit(request("small", user=1))
    scheduler.grant()
    scheduler.submit(request("large", user=2, cpu=2.0))
    scheduler.submit(request("tiny", user=3, cpu=0.1))
    assert scheduler.grant() == []
    scheduler.release("small")
    assert scheduler.grant() == ["large"]


def test_tenths_of_a_core_add_up() -> None:
    scheduler = Scheduler(Capacity(1.0, 100 * GIB))
    for n in range(11):
        scheduler.submit(request(str(n), cpu=0.1))
    assert len(scheduler.grant()) == 10


def test_refusals() -> None:
    scheduler = Scheduler(Capacity(2.0, 2 * GIB))
    with pytest.raises(TooLarge):
        scheduler.submit(request("x", cpu=2.1))
    with pytest.raises(TooLarge):
        scheduler.check(request("x", memory=3 * GIB))
    scheduler.submit(request("x"))
    with pytest.raises(Duplicate):
        scheduler.submit(request("x"))
    scheduler.grant()
    with pytest.raises(Duplicate):
        scheduler.restore(request("x"))
    assert not scheduler.release("never was")
