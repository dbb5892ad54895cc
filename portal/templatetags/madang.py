"""Quantities with their units, as pages show them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import format_currency, get_currency_precision
from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from sessions.prices import MICRO

register = template.Library()
STEPS = ("B", "KiB", "MiB", "GiB", "TiB")


@register.filter
def milliseconds(value: Any) -> str:
    """Milliseconds in the unit a person would choose: 212 ms, 1.4 s, 27 min, 3.5 h."""
    ms = int(value or 0)
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{_decimal(ms / 1000)} s"
    if ms < 3_600_000:
        return _("%s min") % _decimal(ms / 60_000)
    return _("%s h") % _decimal(ms / 3_600_000)


@register.filter
def bytes(value: Any) -> str:
    """Bytes in binary steps: 512 B, 1.5 MiB."""
    size, step = float(value or 0), 0
    while size >= 1024 and step < len(STEPS) - 1:
        size, step = size / 1024, step + 1
    return f"{_decimal(size) if step else int(size)} {STEPS[step]}"


@register.filter
def kibibytes(value: Any) -> str:
    return bytes(int(value or 0) * 1024)


@register.filter
def gibihours(value: Any) -> str:
    """KiB times seconds as GiB (or MiB) times hours: how much memory was held for how long."""
    hours = int(value or 0) / (1024 * 1024 * 3600)
    if hours < 0.1:
        return _("%s MiB·h") % number_format(hours * 1024, 2)
    return _("%s GiB·h") % number_format(hours, 2)


@register.filter
def money(micros: Any) -> str:
    """Micro-units of the site's currency, two digits finer than prices are told: $1.25, $0.0123; of little, two digits.

    As frontend/src/money.ts shows them.
    """
    currency, amount = settings.MADANG_PRICES.currency, Decimal(int(micros or 0)) / MICRO
    places = max(get_currency_precision(currency) + 2, 1 - amount.adjusted())
    shown = round(amount, places)
    return format_currency(shown, currency, locale=get_language() or "en", decimal_quantization=False)


def _decimal(value: float) -> str:
    return number_format(value, 1 if value < 100 else 0)
