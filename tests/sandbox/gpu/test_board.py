"""No share of a device is granted twice or leaks; fractions are packed, whole devices stay together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sandbox.gpu import Device, Share, hundredths
from sandbox.gpu.board import Board

GIB = 1 << 30
WANTED = st.one_of(st.integers(1, 99).map(lambda part: part / 100), st.integers(1, 5).map(float))


def devices(count: int) -> list[Device]:
    return [Device(f"GPU-{index}", "Test", 8 * GIB, f"/dev/nvidia{index}") for index in range(count)]


class Table(RuleBasedStateMachine):
    """Any order of grants and returns on four devices."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board(devices(4))
        self.held: dict[str, float] = {}
        self.count = 0

    @rule(gpu=WANTED)
    def take(self, gpu: float) -> None:
        self.count += 1
        id = str(self.count)
        if not self.board.fits(gpu):
            untouched = sum(left == 100 for left in self.board.free().values())
            assert gpu > untouched or (gpu < 1 and gpu * 100 > max(self.board.free().values()))
            with pytest.raises(ValueError, match="cannot be granted"):
                self.board.take(id, gpu)
            return
        shares = self.board.take(id, gpu)
        assert sum(share.part for share in shares) == hundredths(gpu)
        assert len({share.uuid for share in shares}) == len(shares)
        self.held[id] = gpu

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.held:
            id = data.draw(st.sampled_from(sorted(self.held)))
            self.board.release(id)
            self.board.release(id)
            del self.held[id]

    @invariant()
    def it_adds_up(self) -> None:
        free = self.board.free()
        assert all(0 <= left <= 100 for left in free.values())
        assert sum(free.values()) == 400 - sum(hundredths(gpu) for gpu in self.held.values())


TestTable = Table.TestCase


def test_fractions_fill_what_others_have_begun() -> None:
    board = Board(devices(3))
    first = board.take("a", 0.5)[0].uuid
    assert board.take("b", 0.25)[0].uuid == first
    other = board.take("c", 0.5)[0].uuid
    assert other != first
    assert board.take("d", 0.25)[0].uuid == first, "the fullest that still holds it"
    assert board.fits(1)


def test_whole_devices_are_neighbours() -> None:
    board = Board(devices(6))
    board.take("a", 1)
    board.restore("b", [Share("GPU-3", 100, 8 * GIB, "/dev/nvidia3")])
    assert [share.uuid for share in board.take("c", 2)] == ["GPU-1", "GPU-2"], "the shortest row that holds them"
    board.release("a")
    assert [share.uuid for share in board.take("d", 3)] == ["GPU-0", "GPU-4", "GPU-5"], "or any, where no row does"


def test_what_is_restored_counts_even_on_a_device_that_is_gone() -> None:
    board = Board(devices(1))
    board.restore("a", [Share("GPU-0", 100, 8 * GIB, "/dev/nvidia0"), Share("GPU-gone", 100, GIB, "/dev/nvidia7")])
    assert not board.fits(0.01)
    board.release("a")
    assert board.fits(1)


@given(st.integers(-1000, 1000))
def test_what_a_slot_may_be(count: int) -> None:
    possible = 0 <= count <= 100 or (count > 0 and count % 100 == 0)
    if possible:
        assert hundredths(count / 100) == count
    else:
        with pytest.raises(ValueError, match="fraction"):
            hundredths(count / 100)


@pytest.mark.parametrize("wrong", [0.005, 1.001, 1.5, -1, 1e9, float("nan"), float("inf")])
def test_what_a_slot_may_not_be(wrong: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        hundredths(wrong)
