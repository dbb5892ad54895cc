"""Samples to a table. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What one subject did in one scenario. Without samples ``note`` says why there are none."""

    title: str
    subject: str
    unit: str
    samples: Sequence[float]
    note: str = ""


def table(rows: Sequence[Row], ours: str) -> str:
    """A Markdown table, scenario by scenario; a subject's ratio is its median to that of ``ours``."""
    lines = ["| scenario | who | median | p95 | most | ratio | notes |", "|---|---|---:|---:|---:|---:|---|"]
    former = ""
    for title in dict.fromkeys(row.title for row in rows):
        same = [row for row in rows if row.title == title]
        own = next((row.samples for row in same if row.subject == ours), ())
        for row in same:
            cells = [
                title if title != former else "",
                row.subject,
                *_figures(row),
                _ratio(row.samples, own),
                _cell(row.note),
            ]
            lines.append(f"| {' | '.join(cells)} |")
            former = title
    return "\n".join(lines)


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the samples lie: the nearest one that was measured."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _cell(text: str) -> str:
    """``text`` as it can stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _figures(row: Row) -> list[str]:
    """Median, 95th percentile and maximum; no more than the median of so few that these would be the same."""
    if not row.samples:
        return ["", "", ""]
    median = f"{_number(statistics.median(row.samples))} {row.unit}"
    if len(row.samples) < 5:
        return [median, "", ""]
    return [median, _number(percentile(row.samples, 0.95)), _number(max(row.samples))]


def _ratio(samples: Sequence[float], own: Sequence[float]) -> str:
    if not samples or not own or samples is own:
        return ""
    return f"{statistics.median(samples) / statistics.median(own):.1f} x"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
