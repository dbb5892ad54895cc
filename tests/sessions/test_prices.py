"""Prices turn what was counted into whole micro-units that add up, however the ledger cuts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.usage import Usage
from sessions.ledger import SUMMED, Account, Line
from sessions.prices import FREE, PRICED, Prices

START = datetime(2026, 1, 1, tzinfo=UTC)
amounts = st.integers(0, 1 << 44)
QUANTITIES = sorted({priced.quantity for priced in PRICED.values()})
steps = st.lists(st.fixed_dictionaries(dict.fromkeys(QUANTITIES, amounts)), min_size=1, max_size=12)
price_lists = st.builds(
    Prices, st.just("USD"), st.dictionaries(st.sampled_from(sorted(PRICED)), st.integers(0, 10**12))
)


def rising(added: list[dict[str, int]]) -> list[Usage]:
    totals, found = Usage(), []
    for step in added:
        totals = replace(totals, **{name: getattr(totals, name) + more for name, more in step.items()})
        found.append(totals)
    return found


def write(account: Account, readings: list[Usage]) -> tuple[Account, list[Line]]:
    lines = []
    for usage in readings:
        line = account.line(usage, account.until + timedelta(minutes=1))
        account = account.after(line)
        lines.append(line)
    return account, lines


def test_an_hour_costs_its_price() -> None:
    prices = Prices.parse("KRW cpu=40 memory=5.5 sent=0.000001")
    assert prices.currency == "KRW"
    hour = Usage(cpu_ms=3_600_000, memory_kib_s=(1 << 20) * 3600, bytes_sent=1 << 30, gpu_ms=10**9)
    assert prices.cost(hour) == 45_500_001
    assert prices.cost(Usage(cpu_ms=1)) == 11  # 11.1: rounded down
    assert FREE.cost(hour) == 0


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_has_a_price_by_itself(text: str) -> None:
    assert Prices.parse(text) == FREE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dollars cpu=1", "no currency"),
        ("usd cpu=1", "no currency"),
        ("cpu=1", "no currency"),
        ("USD", "prices nothing"),
        ("USD love=1", "'love' has no price"),
        ("USD cpu=1 cpu=2", "two prices"),
        ("USD cpu", "not a number"),
        ("USD cpu=free", "not a number"),
        ("USD cpu=nan", "not a number"),
        ("USD cpu=Infinity", "not a number"),
        ("USD cpu=-1", "between"),
        ("USD cpu=1000001", "between"),
        ("USD cpu=0.0000001", "six decimals"),
    ],
)
def test_nonsense_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Prices.parse(text)


@given(st.text(alphabet="USDcpu=memory0123456789.-e \n", max_size=40))
def test_any_text_is_prices_or_refused(text: str) -> None:
    try:
        prices = Prices.parse(text)
    except ValueError:
        return
    assert all(0 <= micros <= 10**12 for micros in prices.micros.values())
    assert prices.cost(Usage(cpu_ms=1)) >= 0


@given(price_lists, steps)
def test_costs_of_lines_add_up_to_that_of_the_totals(prices: Prices, added: list[dict[str, int]]) -> None:
    totals = rising(added)
    account, lines = write(Account(0, START, prices=prices), totals)
    assert account.cost == sum(line.cost for line in lines) == prices.cost(totals[-1])
    exact = sum(
        Fraction(price * getattr(totals[-1], PRICED[what].quantity), PRICED[what].amount)
        for what, price in prices.micros.items()
    )
    assert account.cost <= exact < account.cost + 1
    assert all(line.cost >= 0 for line in lines)


@given(price_lists, price_lists, steps, st.data())
def test_what_was_written_keeps_its_cost(
    was: Prices, now: Prices, added: list[dict[str, int]], data: st.DataObject
) -> None:
    totals = rising(added)
    cut = data.draw(st.integers(0, len(totals) - 1))
    before, lines = write(Account(0, START, prices=was), totals[:cut])
    sums = {name: sum(getattr(line, name) for line in lines) for name in SUMMED}
    after, _ = write(Account(len(lines), before.until, prices=now, **sums), totals[cut:])
    rest = Usage(**{name: getattr(totals[-1], name) - sums[name] for name in QUANTITIES})
    assert before.cost == (was.cost(totals[cut - 1]) if cut else 0)
    assert 0 <= after.cost - before.cost - now.cost(rest) <= 1


@given(price_lists, steps)
def test_what_is_not_written_yet_is_told(prices: Prices, added: list[dict[str, int]]) -> None:
    account, told = Account(0, START, prices=prices), []
    for usage in rising(added):
        told.append(account.cost_of(usage))
        if len(told) % 2:
            account = account.after(account.line(usage, START))
    assert told == [prices.cost(usage) for usage in rising(added)]
