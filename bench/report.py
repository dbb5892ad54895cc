"""Samples to a table. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One scenario: the samples of each subject by its name; an absent one was not measured."""

    title: str
    unit: str
    samples: Mapping[str, Sequence[float]]


def table(rows: Sequence[Row], ours: str, peer: str) -> str:
    """A Markdown table: medians and 95th percentiles, and how many times the peer's median is ours."""
    lines = [
        f"| scenario | {ours} median | p95 | {peer} median | p95 | {peer} / {ours} |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        own, other = row.samples.get(ours, ()), row.samples.get(peer, ())
        ratio = f"{statistics.median(other) / statistics.median(own):.1f} x" if own and other else ""
        lines.append(f"| {row.title} | {_median(own, row.unit)} | {_p95(own)} | {_median(other, row.unit)} | ")
        lines[-1] += f"{_p95(other)} | {ratio} |"
    return "\n".join(lines)


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the samples lie: the nearest one that was measured."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _median(samples: Sequence[float], unit: str) -> str:
    return f"{_number(statistics.median(samples))} {unit}" if samples else ""


def _p95(samples: Sequence[float]) -> str:
    """Nothing for so few samples that it would be their largest."""
    return _number(percentile(samples, 0.95)) if len(samples) >= 5 else ""


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
