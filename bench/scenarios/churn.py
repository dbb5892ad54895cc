"""Churn: sessions come and go all day; what is left of them?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import httpx

from bench import memory
from bench.jupyter import Jupyter
from bench.load import client, first_output, start_kernel
from bench.peers import OURS
from bench.report import Row
from bench.scenarios.counts import Counts
from bench.subject import Server, Subject

AT_ONCE = 4
FIRST = 20  # what is loaded at the first uses is no leak
MOST_OF_PEERS = 300


def churn(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Milliseconds from a session's start over its first cell to the request to stop it, and the services' memory."""
    count = counts.churn if subject.name == OURS else min(counts.churn, MOST_OF_PEERS)
    with subject.running() as running:
        server: Server = running
        users = server.users(AT_ONCE)
        asyncio.run(_churn(server, users, FIRST))
        before = _weights(server)
        began = time.perf_counter()
        times = asyncio.run(_churn(server, users, count))
        took = time.perf_counter() - began
        after = _weights(server)
    grown = ", ".join(f"{name} {before[name]:.0f} → {after[name]:.0f} MiB" for name in before)
    yield Row(
        f"churn, {AT_ONCE} users at once",
        subject.name,
        "ms",
        times,
        f"{count} sessions, {count / took:.1f} a second; {grown}",
    )


def _weights(server: Server) -> dict[str, float]:
    """The memory (PSS, MiB) of each service once it rests."""

    def total() -> int:
        return memory.pss_kib(set(server.services().values()))

    memory.settled(total)
    return {name: memory.pss_kib({pid}) / 1024 for name, pid in server.services().items()}


async def _churn(server: Server, users: Sequence[Jupyter], count: int) -> list[float]:
    left = iter(range(count))
    async with client() as http:
        times = await asyncio.gather(*(_come_and_go(server, user, left, http) for user in users))
    return [time for some in times for time in some]


async def _come_and_go(server: Server, user: Jupyter, left: Iterator[int], http: httpx.AsyncClient) -> list[float]:
    times = []
    for _ in left:
        began = time.perf_counter()
        kernel = await start_kernel(user, http)
        await first_output(user, kernel)
        await server.leave(user, kernel, http)
        times.append((time.perf_counter() - began) * 1000)
    return times
