"""Where what a cell's program says is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Screen:
    """``out`` and ``err`` take what is printed; ``show`` takes a value: MIME types and what to show."""

    out: Callable[[str], None]
    err: Callable[[str], None]
    show: Callable[[dict[str, Any]], None]
