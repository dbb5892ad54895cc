"""Runs: small programs, a few at the same time, each from its source to its output."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.report import Row
from bench.scenarios.counts import Counts
from bench.subject import Runs, Subject

AT_ONCE = 4
ALONE = 50
FIRST = 8  # what is loaded at the first uses is not of each
SAYS = "Hello from Madang!"
PROGRAMS = {
    "python": ("Python", f"print('{SAYS}')\n"),
    "c": ("C, compiled", f'#include <stdio.h>\nint main(void) {{ puts("{SAYS}"); }}\n'),
}


def runs(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Milliseconds from asking for a run to its answer, one by one and some at once, and how many a second that is."""
    with subject.running() as running:
        server: Runs = running
        for language in server.languages:
            title, program = PROGRAMS[language]
            count = counts.runs if language == "python" else counts.runs // 4
            _together(server, language, program, FIRST)
            alone = _together(server, language, program, min(ALONE, count), 1)
            yield Row(f"a run of {title}, by itself", subject.name, "ms", alone)
            before, began = server.processor(), time.perf_counter()
            times = _together(server, language, program, count)
            rate = count / (time.perf_counter() - began)
            spent = [f"{part} {(ms - before[part]) / count:.1f}" for part, ms in server.processor().items()]
            note = f"{rate:.1f} a second" + (f"; ms of the processor: {', '.join(spent)}" if spent else "")
            yield Row(f"a run of {title}, {AT_ONCE} at once", subject.name, "ms", times, note)


def _together(server: Runs, language: str, program: str, count: int, at_once: int = AT_ONCE) -> list[float]:
    def one(_: int) -> float:
        began = time.perf_counter()
        if (said := server.run(language, program).strip()) != SAYS:
            raise RuntimeError(f"the run said {said[:200]!r}")
        return (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, range(count)))
