"""Many live sessions: what one that is used notices of those that idle, and what these weigh."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import httpx

from bench import memory
from bench.jupyter import Jupyter
from bench.load import client, first_output, start_kernel
from bench.report import Row
from bench.scenarios.counts import Counts
from bench.scenarios.kernels import time_round_trips
from bench.subject import Server, Subject

KEPT_FREE = 0.2  # of the memory that was available
AT_ONCE = 4
QUIET_SECONDS = 10.0


def live(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Round trips with one session and with many, and what those that idle take of memory and processor."""
    floor = int(memory.available_kib() * KEPT_FREE)
    with subject.running(spares=False, room=counts.live + 1) as running:
        server: Server = running
        used, *idle = server.users(counts.live)
        id = used.start_kernel()
        kernel = used.kernel(id)
        yield Row("round trip, 1 live session", subject.name, "ms", time_round_trips(kernel, counts.round_trips))
        before = memory.pss_kib(server.own_processes() | server.session_processes())
        opened = 1 + asyncio.run(_open(idle, floor))
        trips = time_round_trips(kernel, counts.round_trips)
        note = f"{opened} sessions" + ("" if opened == counts.live else ": memory for no more")
        yield Row("round trip, many live sessions", subject.name, "ms", trips, note)
        after = memory.pss_kib(server.own_processes() | server.session_processes())
        weight = (after - before) / 1024 / max(1, opened - 1)
        yield Row("memory of each of many live sessions", subject.name, "MiB", [weight], note)
        kernel.close()
        cost = _idle_cost(server) * 100
        yield Row("processor taken by many idle sessions", subject.name, "% of a core", [cost], note)


def _idle_cost(server: Server) -> float:
    """The cores that a server and its sessions take while nobody does anything."""
    family = server.own_processes() | server.session_processes()
    before, began = memory.processor_seconds(family), time.monotonic()
    time.sleep(QUIET_SECONDS)
    after = memory.processor_seconds(family)
    return sum(after[pid] - before[pid] for pid in after if pid in before) / (time.monotonic() - began)


async def _open(users: Sequence[Jupyter], floor: int) -> int:
    """Open sessions that have run a cell, a few at once, until ``floor`` KiB are left; how many."""
    waiting = list(reversed(users))
    async with client() as http:
        counts = await asyncio.gather(*(_open_some(waiting, floor, http) for _ in range(AT_ONCE)))
    return sum(counts)


async def _open_some(waiting: list[Jupyter], floor: int, http: httpx.AsyncClient) -> int:
    opened = 0
    while waiting and memory.available_kib() > floor:
        user = waiting.pop()
        await first_output(user, await start_kernel(user, http))
        opened += 1
    return opened
