"""The sum of a session's lines is what the kernel counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sandbox.usage import Usage
from sessions.ledger import COUNTED, Account, Line

START = datetime(2026, 1, 1, tzinfo=UTC)
amounts = st.integers(0, 1 << 50)
steps = st.builds(Usage, *[amounts] * 10)


def rising(readings: list[Usage]) -> list[Usage]:
    totals, result = Usage(), []
    for step in readings:
        sums = {name: getattr(totals, name) + getattr(step, name) for name in COUNTED}
        totals = Usage(memory_peak_kib=max(totals.memory_peak_kib, step.memory_peak_kib), **sums)
        result.append(totals)
    return result


def write(readings: list[Usage | None]) -> tuple[Account, list[Line]]:
    account, lines = Account(0, START), []
    for n, usage in enumerate(readings):
        line = account.line(usage, START + timedelta(minutes=n + 1), final=n == len(readings) - 1)
        account = account.after(line)
        lines.append(line)
    return account, lines


@given(st.lists(steps, min_size=1, max_size=20))
def test_lines_add_up_to_the_last_totals(readings: list[Usage]) -> None:
    totals = rising(readings)
    account, lines = write(list(totals))
    for name in COUNTED:
        assert sum(getattr(line, name) for line in lines) == getattr(totals[-1], name)
    assert [line.sequence for line in lines] == list(range(len(lines)))
    assert [line.final for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1].memory_peak_kib == totals[-1].memory_peak_kib
    assert all(a.end == b.begin for a, b in pairwise(lines))
    assert account.closed
    assert account.usage().cpu_ms == totals[-1].cpu_ms


@given(st.lists(steps, min_size=2, max_size=10), st.data())
def test_a_restart_that_forgets_everything_but_the_lines_counts_nothing_twice(
    readings: list[Usage], data: st.DataObject
) -> None:
    totals = rising(readings)
    cut = data.draw(st.integers(0, len(totals) - 1))
    _, lines = write(list(totals[:cut]))
    again = Account(
        sequence=len(lines),
        until=lines[-1].end if lines else START,
        memory_peak_kib=max((line.memory_peak_kib for line in lines), default=0),
        **{name: sum(getattr(line, name) for line in lines) for name in COUNTED},
    )
    last = again.line(totals[-1], START + timedelta(days=1), final=True)
    for name in COUNTED:
        assert sum(getattr(line, name) for line in [*lines, last]) == getattr(totals[-1], name)


@given(st.lists(st.one_of(st.none(), steps), max_size=20))
def test_no_reading_makes_a_line_negative(readings: list[Usage | None]) -> None:
    _, lines = write(readings)
    assert all(getattr(line, name) >= 0 for line in lines for name in COUNTED)


def test_unknown_totals_add_nothing_and_keep_what_was_written() -> None:
    account, lines = write([Usage(cpu_ms=100, memory_peak_kib=7), None])
    assert lines[-1].cpu_ms == 0
    assert account.usage() == Usage(cpu_ms=100, memory_peak_kib=7)


def test_a_clock_that_goes_back_makes_no_line_end_before_it_begins() -> None:
    line = Account(0, START).line(Usage(), START - timedelta(hours=1))
    assert line.begin <= line.end
