"""Runs scenarios with subjects. What fails is said in its place; all else is measured."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence

from bench.report import Row
from bench.scenarios import Scenario, Shared
from bench.scenarios.counts import Counts
from bench.subject import Subject

Say = Callable[[str], None]


def measure(subject: Subject, scenarios: Iterable[Scenario], counts: Counts, say: Say) -> Iterator[tuple[str, Row]]:
    """The rows of ``subject`` in the scenarios it takes part in, each with its scenario's name."""
    ours = [scenario for scenario in scenarios if scenario.name in subject.scenarios]
    for alone in (False, True):
        yield from _shared(
            subject, [one for one in ours if isinstance(one, Shared) and one.alone is alone], counts, say
        )
    for scenario in ours:
        if not isinstance(scenario, Shared):
            say(f"{subject.name}: {scenario.title}")
            try:
                for row in scenario.measure(subject, counts):
                    yield scenario.name, row
            except Exception as error:
                yield scenario.name, _failed(scenario, subject, error)


def _shared(subject: Subject, scenarios: Sequence[Shared], counts: Counts, say: Say) -> Iterator[tuple[str, Row]]:
    """Those that share a server. After a failure the rest has a new one: nobody knows what the old one still does."""
    left = list(scenarios)
    while left:
        try:
            with subject.running(spares=not left[0].alone) as running:
                while left:
                    say(f"{subject.name}: {left[0].title}")
                    samples = left[0].measure(running, counts)
                    yield left[0].name, Row(left[0].title, subject.name, left[0].unit, samples)
                    left.pop(0)
        except Exception as error:
            failed = left.pop(0) if left else scenarios[-1]
            yield failed.name, _failed(failed, subject, error)


def _failed(scenario: Scenario, subject: Subject, error: Exception) -> Row:
    traceback.print_exception(error, file=sys.stderr)
    first = f"{type(error).__name__}: {error}".splitlines()[0]
    return Row(scenario.title, subject.name, "", [], f"failed: {first[:150]}")
