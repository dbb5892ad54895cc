"""Who is at a terminal, and how large it is for all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.company import Company, Sizes, clamped

MINA, JUN = {"id": "1", "name": "Mina"}, {"id": "2", "name": "Jun"}


def two() -> Company:
    company = Company()
    company.join("a", MINA)
    company.join("b", JUN)
    return company


def test_before_anybody_types_the_one_who_came_last_decides():
    assert two().size is None
    company = two()
    company.wish("a", 24, 80)
    assert company.size == (24, 80)
    company.wish("b", 50, 200)
    assert company.size == (50, 200)
    company.wish("a", 30, 90)
    assert company.size == (30, 90)


def test_then_it_is_the_one_who_typed_last():
    company = two()
    company.wish("a", 24, 80)
    company.typed("a")
    company.wish("b", 50, 200)
    assert company.size == (24, 80)
    company.wish("a", 25, 81)
    assert company.size == (25, 81)
    company.typed("b")
    assert company.size == (50, 200)


def test_who_looks_away_or_leaves_decides_no_more():
    company = two()
    company.wish("a", 24, 80)
    company.wish("b", 50, 200)
    company.typed("b")
    assert company.present == [MINA, JUN]
    company.wish("b", 0, 0)
    assert (company.size, company.present) == ((24, 80), [MINA])
    company.leave("a")
    assert (company.size, company.present) == (None, [])


def test_two_windows_of_one_person_are_one_person():
    company = two()
    company.join("c", dict(MINA))
    for key in "abc":
        company.wish(key, 10, 10)
    assert company.present == [MINA, JUN]


def test_who_is_not_there_has_no_say():
    company = two()
    company.wish("stranger", 1, 1)
    company.typed("stranger")
    assert "stranger" not in company
    assert company.size is None


@given(st.integers(), st.integers())
def test_a_size_is_one_that_a_terminal_can_have(rows: int, columns: int):
    assert clamped(*clamped(rows, columns)) == clamped(rows, columns)
    assert 1 <= clamped(rows, columns)[0] <= 1000
    assert 1 <= clamped(rows, columns)[1] <= 2000


@given(st.lists(st.tuples(st.integers(0, 5), st.tuples(st.integers(1, 9), st.integers(1, 9))), max_size=40))
def test_each_record_has_the_size_it_was_written_for(steps: list[tuple[int, tuple[int, int]]]):
    sizes, seq, now = Sizes((24, 80)), 0, (24, 80)
    truth: list[tuple[int, int]] = []
    for written, size in steps:
        truth += [now] * written
        seq += written
        sizes.change(seq, size, 0)
        truth.append(size)
        seq, now = seq + 1, size
    assert [sizes.at(n) for n in range(len(truth))] == truth
    assert sizes.now == now


def test_sizes_of_what_is_no_longer_kept_are_forgotten():
    sizes = Sizes((1, 1))
    for seq in range(10_000):
        sizes.change(seq, (seq % 7 + 1, 80), 0)
    assert sizes.at(9_999) == sizes.now
    assert sizes.at(0) == sizes.at(9_000)  # the oldest that is known stands for what was before
    sizes.change(10_000, (2, 2), 9_995)
    assert sizes.at(9_995) == (9_995 % 7 + 1, 80)
