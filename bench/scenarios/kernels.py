"""Kernels, one at a time: how soon they answer, and how much they can say."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.jupyter import Kernel
from bench.report import Row
from bench.scenarios.counts import Counts
from bench.subject import Claims, Running, Starts, Subject


def cold_starts(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Milliseconds to the first output of a server that has just been started."""
    samples = []
    for _ in range(counts.cold):
        with subject.running() as running:
            samples.append(running.first_output())
    yield Row("request to first output, cold", subject.name, "ms", samples)


def warm_starts(running: Starts, counts: Counts) -> list[float]:
    """Milliseconds to the first output where one has been started before."""
    running.first_output()
    return [running.first_output() for _ in range(counts.warm)]


def claims(running: Claims, counts: Counts) -> list[float]:
    """Milliseconds from asking for a sandbox that is there, with no web server in between, to its first output."""
    running.claim()
    return [running.claim() for _ in range(counts.warm)]


def round_trips(running: Running, counts: Counts) -> list[float]:
    """Milliseconds from sending ``print(1)`` to its output, on a kernel that runs."""
    (user,) = running.users(1)
    id = user.start_kernel()
    kernel = user.kernel(id)
    samples = time_round_trips(kernel, counts.round_trips)
    kernel.close()
    running.forget(user, id)
    return samples


def time_round_trips(kernel: Kernel, count: int) -> list[float]:
    """``count`` round trips in milliseconds, after a few that do not count."""
    return [_round_trip(kernel) for _ in range(count + 5)][5:]


def _round_trip(kernel: Kernel) -> float:
    began = time.perf_counter()
    id = kernel.execute("print(1)")
    kernel.wait_for_output(id)
    took = time.perf_counter() - began
    kernel.wait_until_idle(id)
    return took * 1000


def cell_bulk(running: Running, counts: Counts) -> list[float]:
    """Seconds for 20 MB of lines from one cell.

    Raises:
        RuntimeError: lines are missing.
    """
    (user,) = running.users(1)
    id = user.start_kernel()
    kernel = user.kernel(id)
    samples = []
    for _ in range(counts.floods):
        began = time.perf_counter()
        said = kernel.count_output(kernel.execute(f"for n in range({counts.megabytes * 10_000}): print(f'{{n:099}}')"))
        samples.append(time.perf_counter() - began)
        if said != counts.megabytes * 1_000_000:
            raise RuntimeError(f"lines were lost, {said / 1e6:.1f} of {counts.megabytes} MB came")
    kernel.close()
    running.forget(user, id)
    return samples
