"""``bin/bench``: measure Madang and its peer in the same run and print a table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time

from bench.report import Row, table
from bench.scenarios import COLD, QUICK, SCENARIOS, Counts, first_output
from bench.subjects import Madang, Peer, Subject


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure Madang side by side with jupyter_server.")
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it works")
    parser.add_argument("--only", choices=["madang", "peer"], help="measure one of them")
    options = parser.parse_args()
    counts = QUICK if options.quick else Counts()
    subjects: list[Subject] = []
    if options.only != "peer":
        subjects.append(Madang())
    if options.only != "madang":
        subjects.append(Peer())
    found = {subject.name: measure(subject, counts) for subject in subjects}
    print(_machine())
    print()
    print(table(rows(found), Madang.name, Peer.name))
    return 0


def measure(subject: Subject, counts: Counts) -> list[list[float]]:
    """All samples of a subject: the cold starts, then each scenario's in their order."""
    cold = []
    for _ in range(counts.cold):
        _say(f"{subject.name}: {COLD}")
        with subject.running() as running:
            (user,) = running.users(1)
            cold.append(first_output(running, user))
    found = [cold]
    for alone in (False, True):
        with subject.running(spares=not alone) as running:
            for scenario in SCENARIOS:
                if scenario.alone is alone:
                    _say(f"{subject.name}: {scenario.title}")
                    found.append(scenario.measure(running, counts))
    return found


def rows(found: dict[str, list[list[float]]]) -> list[Row]:
    """The samples of each subject, scenario by scenario."""
    titles = [(COLD, "ms"), *((scenario.title, scenario.unit) for scenario in SCENARIOS)]
    return [
        Row(title, unit, {name: samples[index] for name, samples in found.items()})
        for index, (title, unit) in enumerate(titles)
    ]


def _machine() -> str:
    model = platform.processor() or platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model}), Linux {platform.release()}, Python {platform.python_version()}, "
        f"load {load:.1f}, {time.strftime('%Y-%m-%d')}"
    )


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
