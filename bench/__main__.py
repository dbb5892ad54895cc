"""``bin/bench``: measure Madang and its peers in the same run and print a table."""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import signal
import sys
import time

from bench.measuring import measure
from bench.peers import OURS, subjects
from bench.report import Row, table
from bench.scenarios import BROWSER, SCENARIOS
from bench.scenarios.counts import QUICK, Counts


def main() -> int:
    options = _options()
    if options.list:
        _list()
        return 0
    signal.signal(signal.SIGTERM, _leave)
    counts = QUICK if options.quick else Counts()
    asked = {name: value for name in ("bell", "live", "churn") if (value := getattr(options, name))}
    counts = dataclasses.replace(counts, **asked)
    names = options.scenario or (BROWSER if options.browser else {one.name for one in SCENARIOS} - BROWSER)
    chosen = [scenario for scenario in SCENARIOS if scenario.name in names]
    found: dict[str, list[Row]] = {scenario.name: [] for scenario in chosen}
    absent = []
    before = _machine()
    for name, subject in subjects().items():
        if options.only and name not in options.only:
            continue
        if not subject.scenarios & {scenario.name for scenario in chosen}:
            continue
        if missing := subject.missing():
            absent.append(f"{subject.name} was not measured: {missing}.")
            continue
        try:
            for scenario, row in measure(subject, chosen, counts, _say):
                found[scenario].append(row)
        except KeyboardInterrupt:
            absent.append("It was interrupted: this is what had been measured.")
            break
    rows = [row for some in found.values() for row in some]
    print(before)
    print(f"Load at the end: {_load()}.")
    print()
    print(table(rows, OURS))
    for line in absent:
        print(f"\n{line}")
    return 1 if any(not row.samples and row.subject.startswith(OURS) for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure Madang side by side with its peers.")
    parser.add_argument("--quick", action="store_true", help="few samples: to see that it works")
    parser.add_argument("--list", action="store_true", help="name scenarios and subjects, and what is missing here")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--scenario", nargs="+", choices=names, metavar="NAME", help="only these scenarios")
    parser.add_argument("--browser", action="store_true", help="the pages in a browser, instead of what is behind them")
    parser.add_argument("--only", nargs="+", choices=list(subjects()), metavar="NAME", help="only these subjects")
    parser.add_argument("--bell", nargs="+", type=int, metavar="N", help="users of the bell (100 300)")
    parser.add_argument("--live", type=int, metavar="N", help="live sessions, as many as memory allows (1000)")
    parser.add_argument("--churn", type=int, metavar="N", help="sessions that come and go (300)")
    return parser.parse_args()


def _list() -> None:
    for scenario in SCENARIOS:
        print(f"{scenario.name:16}{scenario.title}")
    print()
    for name, subject in subjects().items():
        missing = subject.missing()
        print(f"{name:16}{subject.name}" + (f" (cannot be measured: {missing})" if missing else ""))


def _machine() -> str:
    model = platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load {_load()}."
    )


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


def _leave(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(f"… {text} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
