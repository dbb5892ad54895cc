"""Prices turn usage into money, in whole micro-units: millionths of a currency's unit. Pure.

A price is for an hour of a core, of a GiB or of a device in use, or for a GiB moved. The cost of a session is that
of its totals, rounded down once: however its ledger cuts them into lines, the lines' costs add up to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

MICRO = 1_000_000
_HOUR_MS, _GIB, _GIB_HOUR_KIB_S = 3_600_000, 1 << 30, (1 << 20) * 3600
_MOST = 1_000_000


class Priced(NamedTuple):
    """What may have a price: a quantity of the ledger, how much of it the price is for, and the word for so much."""

    quantity: str
    amount: int
    unit: str


PRICED = {
    "cpu": Priced("cpu_ms", _HOUR_MS, "core-hour"),
    "memory": Priced("memory_kib_s", _GIB_HOUR_KIB_S, "GiB-hour"),
    "gpu": Priced("gpu_ms", _HOUR_MS, "device-hour"),
    "gpu_memory": Priced("gpu_memory_kib_s", _GIB_HOUR_KIB_S, "GiB-hour"),
    "time": Priced("wall_ms", _HOUR_MS, "hour"),
    "read": Priced("bytes_read", _GIB, "GiB"),
    "written": Priced("bytes_written", _GIB, "GiB"),
    "received": Priced("bytes_received", _GIB, "GiB"),
    "sent": Priced("bytes_sent", _GIB, "GiB"),
}
_WHOLE = math.lcm(*(priced.amount for priced in PRICED.values()))


@dataclass(frozen=True)
class Prices:
    """``currency`` (ISO 4217) is "" where nothing has a price; ``micros`` by what of :data:`PRICED` has one.

    >>> Prices.parse("USD cpu=0.04 sent=0.09").micros
    {'cpu': 40000, 'sent': 90000}
    """

    currency: str = ""
    micros: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Prices:
        """Read ``CURRENCY what=price ...``; nothing has a price where ``text`` is empty.

        Raises:
            ValueError: it is not that.
        """
        currency, *entries = text.split() or [""]
        if currency and not re.fullmatch("[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is no currency; write its three letters first, such as EUR")
        if currency and not entries:
            raise ValueError(f"{currency} alone prices nothing; write such as {currency} cpu=0.04 memory=0.005")
        micros: dict[str, int] = {}
        for entry in entries:
            what, _, price = entry.partition("=")
            if what not in PRICED:
                raise ValueError(f"{what!r} has no price; what may have one is {', '.join(PRICED)}")
            if what in micros:
                raise ValueError(f"{what} has two prices")
            micros[what] = _micros(what, price)
        return cls(currency, micros)

    def cost(self, counted: Any) -> int:
        """Micro-units for ``counted``: a Usage, an Account or a line."""
        exact = 0
        for what, price in self.micros.items():
            quantity, amount, _ = PRICED[what]
            exact += price * getattr(counted, quantity) * (_WHOLE // amount)
        return exact // _WHOLE


def _micros(what: str, text: str) -> int:
    try:
        price = Decimal(text)
        micros = int(price * MICRO)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"the price of {what}, {text!r}, is not a number") from error
    if not 0 <= price <= _MOST or micros != price * MICRO:
        raise ValueError(f"the price of {what}, {text}, must be between 0 and {_MOST}, with six decimals at most")
    return micros


FREE = Prices()
